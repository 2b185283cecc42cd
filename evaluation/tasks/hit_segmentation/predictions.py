"""The predictions file: Parquet, one row an event with the class of each of its hits, true and given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nuzoo.evaluation.core.predictions_file import read_columns
from nuzoo.evaluation.tasks.hit_segmentation.numbers import confusions
from nuzoo.files.atomic import replacing

COLUMNS = ("event_id", "truth", "given")


@dataclass(frozen=True)
class HitPredictions:
    """Classes of the hits of n events.

    Attributes:
        event_id: n strings.
        truth: Of each event int (hits,).
        given: The same; -1 of a hit that the network was not given.
    """

    event_id: Sequence[str]
    truth: Sequence[NDArray[np.integer]]
    given: Sequence[NDArray[np.integer]]

    def confusions(self, classes: int) -> NDArray[np.float64]:
        """Count hits by class, (n, C, C)."""
        return confusions(self.truth, self.given, classes)

    @property
    def hits_left_out(self) -> int:
        """Hits that the network was not given."""
        return int(sum((given < 0).sum() for given in self.given))


def write_predictions(path: Path, predictions: HitPredictions) -> None:
    """Write the file, complete or not at all."""
    lists = pa.list_(pa.int8())
    columns = {
        "event_id": pa.array(predictions.event_id, pa.string()),
        "truth": pa.array([event.astype(np.int8) for event in predictions.truth], lists),
        "given": pa.array([event.astype(np.int8) for event in predictions.given], lists),
    }
    with replacing(path) as partial:
        pq.write_table(pa.table(columns), partial)


def read_predictions(path: Path) -> HitPredictions:
    """Read a predictions file.

    Raises:
        ResultsFileError: Not such a file, or without one of its columns.
    """
    table = read_columns(path, COLUMNS)
    lists = {name: [event.values.to_numpy() for event in table[name]] for name in COLUMNS[1:]}
    return HitPredictions(table["event_id"].to_pylist(), **lists)
