"""The per-event predictions file: Parquet, one row an event, everything that plots need."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.predictions_file import read_columns
from nuzoo.files.atomic import replacing

COLUMNS = ("event_id", "label", "logits", "probabilities", "neutrino_energy")


@dataclass(frozen=True)
class Predictions:
    """A classifier's answers for n events and C classes.

    Attributes:
        event_id: n strings.
        label: True class, int64 (n,).
        logits: float64 (n, C).
        neutrino_energy: GeV (n,), NaN where unknown.
    """

    event_id: list[str]
    label: NDArray[np.int64]
    logits: NDArray[np.float64]
    neutrino_energy: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Dataset, logits: NDArray[np.float64]) -> Self:
        """Put logits beside the truth of their events."""
        energy = np.full(len(rows), np.nan)
        if "neutrino_energy" in rows.column_names:
            energy = np.array(list(rows["neutrino_energy"]), dtype=np.float64)
        return cls(list(rows["event_id"]), true_labels(rows), logits, energy)


def true_labels(rows: Dataset) -> NDArray[np.int64]:
    """Read the labels, int64 (n,)."""
    return np.array(list(rows["label"]), dtype=np.int64)


def write_predictions(path: Path, predictions: Predictions, temperature: float) -> None:
    """Write the file, complete or not at all.

    Columns: event_id; label; logits; probabilities, softmax(logits / temperature);
    neutrino_energy in GeV, null where unknown.
    """
    scaled = probabilities(predictions.logits, temperature)
    columns = {
        "event_id": pa.array(predictions.event_id, pa.string()),
        "label": pa.array(predictions.label, pa.int8()),
        "logits": pa.array(list(predictions.logits), pa.list_(pa.float64())),
        "probabilities": pa.array(list(scaled), pa.list_(pa.float64())),
        "neutrino_energy": pa.array(predictions.neutrino_energy, pa.float32(), from_pandas=True),
    }
    with replacing(path) as partial:
        pq.write_table(pa.table(columns), partial)


def read_predictions(path: Path) -> Predictions:
    """Read a predictions file.

    Raises:
        ResultsFileError: Not such a file, or without one of its columns.
    """
    table = read_columns(path, COLUMNS)
    return Predictions(
        event_id=table["event_id"].to_pylist(),
        label=table["label"].to_numpy().astype(np.int64),
        logits=np.array(table["logits"].to_pylist(), dtype=np.float64),
        neutrino_energy=table["neutrino_energy"].to_numpy().astype(np.float64),
    )
