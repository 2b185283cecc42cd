"""Pixel-map rows on disk → batches of tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import torch
from torch import Tensor


class PixelMapBatches(torch.utils.data.Dataset[dict[str, Tensor]]):
    """A map-style dataset whose `__getitems__` makes a whole batch at once.

    Rows stay Arrow until the processor scatters them, so that a batch costs one read, one decoding and one
    scatter. Use it with `as_is` as the collator.

    Args:
        rows: Pixel-map rows with a `label` column.
        processor: What turns rows into `pixel_values`.
    """

    def __init__(self, rows: datasets.Dataset, processor: Any) -> None:
        maps = [name for view in processor.views for name in (f"{view}_index", f"{view}_energy")]
        self.rows = rows.select_columns([*maps, "detector", "label"]).with_format("arrow")
        self.processor = processor

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        table = self.rows[list(indices)]
        labels = torch.tensor(table["label"].to_pylist())
        return {"pixel_values": self.processor(table)["pixel_values"], "labels": labels}


def as_is(batch: Any) -> Any:
    """The collator for a dataset that makes whole batches."""
    return batch
