"""Rows on disk → batches of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import torch
from torch import Tensor

from nuzoo.files.events.event_errors import naming_events
from nuzoo.processors.contract import EventProcessor


class EventBatches(torch.utils.data.Dataset[dict[str, Tensor]]):
    """A map-style dataset whose `__getitems__` makes a whole batch at once.

    Rows stay Arrow until the processor reads them, so that a batch costs one read and one decoding. Use it
    with `as_is` as the collator.

    Args:
        rows: Events.
        processor: What turns rows into tensors.
        targets: Columns with the truth.
    """

    def __init__(self, rows: datasets.Dataset, processor: EventProcessor, targets: Sequence[str]) -> None:
        self.rows = rows.select_columns(event_columns(rows, processor, targets)).with_format("arrow")
        self.processor = processor
        self.targets = tuple(targets)
        self.names = rows["event_id"] if "event_id" in rows.column_names else range(len(rows))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        with naming_events(lambda event: self.names[indices[event]]):
            return dict(self.processor(self.rows[list(indices)], targets=self.targets))


def event_columns(rows: datasets.Dataset, processor: EventProcessor, others: Sequence[str]) -> list[str]:
    """Name the columns of rows that batches are made of: what was recorded, the detector, and others.

    Those that the rows do not have are left out.
    """
    wanted = dict.fromkeys([*(column.name for column in processor.schema.recorded), "detector", *others])
    return [name for name in wanted if name in rows.column_names]


def as_is(batch: Any) -> Any:
    """Collate what a dataset makes as whole batches."""
    return batch
