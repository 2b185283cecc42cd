"""The events of a dataset that a network is measured on."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError, check_columns, check_split
from nuzoo.evaluation.core.class_names import labels_by_name
from nuzoo.evaluation.core.results import SeenEvents

if TYPE_CHECKING:
    import torch
    from datasets import Dataset
    from transformers import BatchFeature

    from nuzoo.processors.contract import EventProcessor


@dataclass(frozen=True)
class Events:
    """Events for an evaluation.

    Attributes:
        rows: That numbers are reported for.
        validation: To calibrate on, if any.
        training: That the model may have been trained on, if any.
        seen: How many of `rows` the model has seen in its training, if that is known.
    """

    rows: Dataset
    validation: Dataset | None = None
    training: Dataset | None = None
    seen: SeenEvents | None = None

    def without(self, event_ids: Container[str]) -> Events:
        """Leave events of these names out, neither to report on nor to calibrate on."""
        validation = None if self.validation is None else _leave_out(self.validation, event_ids)
        return replace(self, rows=_leave_out(self.rows, event_ids), validation=validation)

    def in_classes(self, names: Sequence[str]) -> Events:
        """Renumber the classes of the events, by these names of a model, in its order."""
        validation = None if self.validation is None else labels_by_name(self.validation, names)
        return replace(self, rows=labels_by_name(self.rows, names), validation=validation)

    def one_per_detector(self) -> Events:
        """Keep the first event of each detector, to try a network on."""
        detectors = list(self.rows["detector"])
        return Events(self.rows.select(sorted(detectors.index(name) for name in set(detectors))))


def read_splits(data: str, split: str) -> Mapping[str, Dataset]:
    """Read the splits of a dataset by name, once it has the one that numbers are wanted of.

    Raises:
        UnusableDatasetError: It has no such split, and "all" is not meant.
    """
    from nuzoo.datasets_scripts.common.loading import load_events

    splits: Mapping[str, Dataset] = load_events(data)
    if split != "all":
        check_split(splits, split, data)
    return splits


def select_events(splits: Mapping[str, Dataset], split: str, targets: Sequence[str]) -> Events:
    """Take the events to measure on.

    Args:
        splits: See `read_splits`.
        split: One of them, or "all": every event that has the truth, for which nothing is calibrated.
        targets: Columns of the truth.

    Raises:
        UnusableDatasetError: No event has the truth.
    """
    rows = with_truth(splits, targets) if split == "all" else splits[split]
    validation = None if split == "all" else splits.get("validation")
    return Events(rows, validation, splits.get("train"))


def with_truth(splits: Mapping[str, Dataset], targets: Sequence[str]) -> Dataset:
    """Put the events of all splits together, without those that lack the truth (tau neutrinos, say).

    Raises:
        UnusableDatasetError: A column is not there, or no event has the truth.
    """
    from datasets import concatenate_datasets

    rows = concatenate_datasets(list(splits.values()))
    check_columns(rows, "all", targets)
    truth = zip(*(list(rows[name]) for name in targets), strict=True)
    known = rows.select([place for place, values in enumerate(truth) if None not in values])
    if not len(known):
        raise UnusableDatasetError(
            f"columns {', '.join(targets)}: expected the truth, got none for all of {len(rows)} events"
        )
    return known


def columns_read(processor: EventProcessor) -> list[str]:
    """Name the columns that a processor reads of events: whose they are, and what was recorded."""
    return ["event_id", "detector", *(column.name for column in processor.schema.recorded)]


def read_lists(rows: Dataset, column: str, dtype: type[np.number[Any]]) -> list[NDArray[Any]]:
    """Read a column of lists: the numbers of each event, such as the class of each hit."""
    values = rows.select_columns(column).with_format("arrow")[:][column]
    return [event.values.to_numpy().astype(dtype) for event in values]


def input_batches(
    processor: EventProcessor,
    rows: Dataset,
    batch_size: int,
    device: torch.device,
    targets: Sequence[str] = (),
) -> Iterator[BatchFeature]:
    """Give what a network takes of events, batch by batch.

    Args:
        processor: That makes it.
        rows: Events.
        batch_size: Events per batch.
        device: Where the network is.
        targets: Columns of the truth that it is asked for.
    """
    columns = [name for name in (*columns_read(processor), *targets) if name in rows.column_names]
    table = rows.select_columns(columns).with_format("arrow")
    asked = {"targets": tuple(targets)} if targets else {}
    for first in range(0, len(table), batch_size):
        yield processor(table[first : first + batch_size], **asked).to(device)


def _leave_out(rows: Dataset, event_ids: Container[str]) -> Dataset:
    return rows.select([place for place, name in enumerate(rows["event_id"]) if name not in event_ids])
