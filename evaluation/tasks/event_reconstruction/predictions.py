"""The predictions file: Parquet, one row an event with what is true of it and what is reconstructed."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.predictions_file import read_columns
from nuzoo.files.atomic import replacing

Floats = NDArray[np.float64]

VECTORS = ("vis_momentum", "jet_momentum", "vertex")
"""What is reconstructed of an event beside its classes: momenta in GeV/c, the vertex in mm."""

UNCERTAIN = tuple(f"{name}_error" for name in VECTORS)
"""Columns of the standard deviations that a network may give them."""


@dataclass(frozen=True)
class EventPredictions:
    """Truth and reconstruction of n events.

    Attributes:
        event_id: n strings.
        weight: Events of the nominal sample that each stands for (n,); 1 where all count alike.
        flavour: True class, int64 (n,).
        charm: True class, int64 (n,).
        is_cc: bool (n,), a charged current.
        neutrino_energy: GeV (n,), NaN where it is not known.
        flavour_logits: (n, flavours).
        charm_logits: (n, classes of charm).
        true_vis_momentum: GeV/c (n, 3), of all visible particles.
        true_jet_momentum: GeV/c (n, 3), of those but the lepton.
        true_vertex: mm (n, 3).
        vis_momentum: As reconstructed.
        jet_momentum: As reconstructed.
        vertex: As reconstructed.
        errors: Standard deviations (n, 3) by name of `VECTORS`, of those that the network gives one.
    """

    event_id: list[str]
    weight: Floats
    flavour: NDArray[np.int64]
    charm: NDArray[np.int64]
    is_cc: NDArray[np.bool_]
    neutrino_energy: Floats
    flavour_logits: Floats
    charm_logits: Floats
    true_vis_momentum: Floats
    true_jet_momentum: Floats
    true_vertex: Floats
    vis_momentum: Floats
    jet_momentum: Floats
    vertex: Floats
    errors: dict[str, Floats] = field(default_factory=dict)

    @property
    def true_lepton_momentum(self) -> Floats:
        """What is visible of the lepton, GeV/c (n, 3)."""
        return self.true_vis_momentum - self.true_jet_momentum

    @property
    def lepton_momentum(self) -> Floats:
        """As reconstructed."""
        return self.vis_momentum - self.jet_momentum


_COLUMNS = tuple(one.name for one in fields(EventPredictions) if one.name != "errors")
_WHOLE = {"flavour": pa.int8(), "charm": pa.int8(), "is_cc": pa.bool_(), "event_id": pa.string()}


def write_predictions(path: Path, predictions: EventPredictions, temperatures: dict[str, float]) -> None:
    """Write the file, complete or not at all.

    Columns: those of `EventPredictions` by name, an error as `<name>_error`; `flavour_probabilities` and
    `charm_probabilities`, softmax(logits / temperature); `true_lepton_momentum` and `lepton_momentum`.

    Args:
        path: File.
        predictions: Of the events.
        temperatures: Of "flavour" and "charm".
    """
    columns = {name: _array(name, getattr(predictions, name)) for name in _COLUMNS}
    for of, temperature in temperatures.items():
        found = probabilities(getattr(predictions, f"{of}_logits"), temperature)
        columns[f"{of}_probabilities"] = _array("", found)
    for name in ("true_lepton_momentum", "lepton_momentum"):
        columns[name] = _array(name, getattr(predictions, name))
    for name, error in predictions.errors.items():
        columns[f"{name}_error"] = _array(name, error)
    with replacing(path) as partial:
        pq.write_table(pa.table(columns), partial)


def read_predictions(path: Path) -> EventPredictions:
    """Read a predictions file.

    Raises:
        ResultsFileError: Not such a file, or without one of its columns.
    """
    table = read_columns(path, _COLUMNS)
    known: dict[str, Any] = {name: _numbers(table[name]) for name in _COLUMNS if name != "event_id"}
    known |= {name: known[name].astype(np.int64) for name in ("flavour", "charm")}
    errors = {
        name: _numbers(table[column])
        for name, column in zip(VECTORS, UNCERTAIN, strict=True)
        if column in table.column_names
    }
    known["is_cc"] = known["is_cc"].astype(bool)
    return EventPredictions(event_id=table["event_id"].to_pylist(), **known, errors=errors)


def _array(name: str, values: Any) -> pa.Array:
    if name in _WHOLE:
        return pa.array(values, _WHOLE[name])
    if np.ndim(values) == 2:
        return pa.array(list(values), pa.list_(pa.float64()))
    return pa.array(values, pa.float64(), from_pandas=True)


def _numbers(column: pa.ChunkedArray) -> NDArray[Any]:
    if pa.types.is_list(column.type):
        return np.array(column.to_pylist(), dtype=np.float64)
    return np.asarray(column.to_numpy(), dtype=np.float64)
