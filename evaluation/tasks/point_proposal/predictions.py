"""The predictions file: Parquet, one row an event with its points of interest, true and found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nuzoo.evaluation.core.predictions_file import read_columns
from nuzoo.files.atomic import replacing

TYPES = {
    "true_kind": pa.int8(),
    "true_place_mm": pa.float64(),
    "found_kind": pa.int8(),
    "found_place_mm": pa.float64(),
    "found_score": pa.float32(),
}


@dataclass(frozen=True)
class PointPredictions:
    """Points of interest of n events.

    Attributes:
        event_id: n strings.
        true_kind: Of each event int (t,).
        true_place_mm: (t, 3).
        found_kind: int (f,).
        found_place_mm: (f, 3).
        found_score: (f,).
    """

    event_id: Sequence[str]
    true_kind: Sequence[NDArray[np.int64]]
    true_place_mm: Sequence[NDArray[np.float64]]
    found_kind: Sequence[NDArray[np.int64]]
    found_place_mm: Sequence[NDArray[np.float64]]
    found_score: Sequence[NDArray[np.float32]]

    @property
    def found(self) -> int:
        """Number of proposals."""
        return sum(map(len, self.found_kind))


def write_predictions(path: Path, predictions: PointPredictions) -> None:
    """Write the file, complete or not at all; places are x, y, z of one after the other."""
    columns = {"event_id": pa.array(predictions.event_id, pa.string())}
    for name, kind in TYPES.items():
        events = [np.asarray(event).reshape(-1) for event in getattr(predictions, name)]
        columns[name] = pa.array(events, pa.list_(kind))
    with replacing(path) as partial:
        pq.write_table(pa.table(columns), partial)


def read_predictions(path: Path) -> PointPredictions:
    """Read a predictions file.

    Raises:
        ResultsFileError: Not such a file, or without one of its columns.
    """
    table = read_columns(path, ("event_id", *TYPES))

    def events(name: str) -> list[NDArray[Any]]:
        found = [event.values.to_numpy() for event in table[name]]
        if "place" in name:
            return [event.reshape(-1, 3) for event in found]
        return [event.astype(np.int64) for event in found] if "kind" in name else found

    return PointPredictions(table["event_id"].to_pylist(), *map(events, TYPES))
