"""The per-event predictions file: Parquet, one row an event, everything that the numbers need."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nuzoo.evaluation.core.predictions_file import read_columns
from nuzoo.evaluation.tasks.particle_segmentation.overlaps import EventOverlap, overlap_of
from nuzoo.evaluation.tasks.particle_segmentation.regression import ToldNumbers
from nuzoo.files.atomic import replacing

COLUMNS = ("event_id", "truth", "truth_class", "found", "found_label", "found_score")

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class InstancePredictions:
    """True and found instances of n events.

    Attributes:
        event_id: n strings.
        truth: Of each event (hits,) the true instance of each hit, -1 for none.
        truth_class: (hits,) its class; None where instances have one class.
        found: (hits,) the found instance from 1, -1 for none.
        found_label: (instances,) the class of each.
        found_score: (instances,).
        told: By what is told of instances beside these ("momentum", MeV/c; "start", mm from the middle of the
            detector), that of found ones and that of true ones, by their numbers.
    """

    event_id: Sequence[str]
    truth: Sequence[Ints]
    truth_class: Sequence[Ints] | None
    found: Sequence[Ints]
    found_label: Sequence[Ints]
    found_score: Sequence[NDArray[np.float32]]
    told: Mapping[str, ToldNumbers] = field(default_factory=dict)

    def overlaps(self, background: Collection[int]) -> list[EventOverlap]:
        """Count the overlaps of each event; see `overlap_of`."""
        classes = self.truth_class or repeat(None, len(self.truth))
        events = zip(self.truth, classes, self.found, self.found_label, strict=True)
        return [overlap_of(*event, background) for event in events]

    @property
    def hits(self) -> int:
        """Number of hits."""
        return sum(len(event) for event in self.truth)


def write_predictions(path: Path, predictions: InstancePredictions) -> None:
    """Write the file, complete or not at all."""
    types = {
        "truth": pa.int32(),
        "truth_class": pa.int8(),
        "found": pa.int32(),
        "found_label": pa.int8(),
        "found_score": pa.float32(),
    }
    columns = {"event_id": pa.array(predictions.event_id, pa.string())}
    for name, kind in types.items():
        events = getattr(predictions, name) or [None] * len(predictions.event_id)
        columns[name] = pa.array(events, pa.list_(kind))
    for name, numbers in predictions.told.items():
        for column, of in ((f"found_{name}", numbers.told), (f"true_{name}", numbers.true)):
            columns[column] = pa.array([event.ravel() for event in of], pa.list_(pa.float32()))
    with replacing(path) as partial:
        pq.write_table(pa.table(columns), partial)


def read_predictions(path: Path) -> InstancePredictions:
    """Read a predictions file, without what is told of instances beside mask and class.

    Raises:
        ResultsFileError: Not such a file, or without one of its columns.
    """
    table = read_columns(path, COLUMNS)

    def events(name: str) -> list[NDArray[np.int64]]:
        return [event.values.to_numpy().astype(np.int64) for event in table[name]]

    has_classes = table["truth_class"].null_count < len(table)
    return InstancePredictions(
        event_id=table["event_id"].to_pylist(),
        truth=events("truth"),
        truth_class=events("truth_class") if has_classes else None,
        found=events("found"),
        found_label=events("found_label"),
        found_score=[event.values.to_numpy() for event in table["found_score"]],
    )
