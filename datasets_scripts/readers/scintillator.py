"""Scintillator events of Zenodo 7347562: `{proton,pion,muon,electron}/event*.pt`, one particle each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.cloud_reading import AXES, CloudReading, blank_cloud, checked_energy
from nuzoo.datasets_scripts.readers.reading import plain
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    NotThisFormatError,
    SourceFileError,
    UnknownLabelError,
    WrongEventError,
)
from nuzoo.datasets_scripts.readers.torch_arrays import read_torch_arrays
from nuzoo.simulation.detectors import SCINTILLATOR_CUBE

NAME = "scintillator-particles"
HITS = "reco_hits"
MEV_PER_CHARGE = 0.02
"""Chosen, not measured: the benchmark of these files clips charges at 500, which then are 10 MeV, and a
minimum-ionising particle, which leaves 1.8 MeV in 1 cm of polystyrene, gives 90."""
FOLDERS = {"training": "training", "testing": "testing"}
"""Folders above those of the classes, which tell the splits."""

_FIRST_CENTRE_MM, _PITCH_MM, _LAST = -995.0, 10.0, 199


def read_scintillator(file: Path, reading: CloudReading) -> Iterator[Row | SourceFileError]:
    """Read the event of one file; nothing that it holds is run.

    `reco_hits` is (hits, 4 or more): x, y, z in mm and charge. Hits of one cube are added up. The class is
    the name of the folder.
    """
    reading.check_wanted(file, "a scintillator event", NAME)
    arrays = read_torch_arrays(file)
    hits = arrays.get(HITS)
    if hits is None:
        got = ", ".join(arrays) or "nothing"
        raise NotThisFormatError(file, f"an array {HITS!r}", got, "check that the file is what its name says")
    if hits.ndim != 2 or hits.shape[1] < 4:
        remedy = "save x, y, z (mm) and charge of each hit"
        raise ArraySizeError(file, f"{HITS!r} of shape (hits, 4)", f"{hits.shape}", remedy)
    scale = MEV_PER_CHARGE if reading.mev_per_charge is None else reading.mev_per_charge
    chosen = "" if reading.mev_per_charge else " (nuzoo's choice, not a calibration; --mev-per-charge)"
    reading.note(f"one unit of charge is {scale:g} MeV{chosen}; true_nodes are not read", file)
    energy = checked_energy(file, hits[:, 3].astype(np.float64) * scale)
    voxels, energy = _merged(_voxels(file, hits[:, :3]), energy)
    kept = reading.above(file, energy)
    row = blank_cloud(_event_id(file), reading.whose(SCINTILLATOR_CUBE.name), reading.source(file))
    row |= dict(zip(AXES, voxels[kept].T, strict=True)) | {"energy": energy[kept]}
    yield row | _label(file, reading)


def split_folder(event_id: str) -> str | None:
    """Return the folder of an event that tells its split, None if it lies in none."""
    return FOLDERS.get(event_id.partition("/")[0])


def _event_id(file: Path) -> str:
    folders = [parent.name for parent in file.absolute().parents[:2]]
    named = folders[:2] if folders[-1] in FOLDERS else folders[:1]
    return plain("/".join([*reversed(named), file.stem]))


def _label(file: Path, reading: CloudReading) -> Row:
    classes = reading.whose(SCINTILLATOR_CUBE.name).geometry().get("classes", ())
    folder = file.absolute().parent.name.lower()
    if folder in classes:
        return {"label": classes.index(folder)}
    remedy = "put the file into the folder of its particle"
    reading.go_without(
        UnknownLabelError(file, f"a folder named {', '.join(classes)}", repr(folder), remedy), file
    )
    return {}


def _voxels(file: Path, positions: NDArray[Any]) -> NDArray[np.int64]:
    """Return the cube of each hit; those beyond the edge are in the last one."""
    finite = np.isfinite(positions)
    if not finite.all():
        hit, axis = map(int, np.argwhere(~finite)[0])
        problem = f"expected finite numbers, got {positions[hit, axis]} at entry {hit}: make the event again"
        raise WrongEventError(file, AXES[axis], problem)
    cubes = np.rint((positions.astype(np.float64) - _FIRST_CENTRE_MM) / _PITCH_MM)
    return np.clip(cubes, 0, _LAST).astype(np.int64)


def _merged(
    voxels: NDArray[np.int64], charge: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Add up the charges of hits in one cube."""
    cubes, of_hit = np.unique(voxels, axis=0, return_inverse=True)
    total = np.zeros(len(cubes))
    np.add.at(total, of_hit.reshape(-1), charge)
    return cubes.reshape(-1, 3), total
