"""Energy deposits of Geant4 in HDF5: the dataset `segments` of edep-sim's dumps and of larnd-sim's inputs.

Positions in cm, energies in MeV; the axes are taken as they are.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.readers.hdf5 import dataset_in
from nuzoo.datasets_scripts.readers.source_errors import NotThisFormatError, naming_errors
from nuzoo.datasets_scripts.sources.deposit_checks import SEGMENTS_THAT_TELL, check_units, dedx, usable
from nuzoo.datasets_scripts.sources.given import DEPOSITS, GivenDeposits, Glance, SourceFile
from nuzoo.simulation.deposited import Segments

DATASET = "segments"
ROWS_AT_ONCE = 1 << 18

_EVENT, _TRACK, _PDG = ("eventID", "event_id"), ("trackID", "traj_id"), ("pdgId", "pdg_id")
_AXES = ("x", "y", "z")


class SegmentFile(SourceFile[GivenDeposits]):
    """A file of segments; an event is the rows of one event number, wherever they are."""

    format, gives, holds = "edep-sim or larnd-sim HDF5", DEPOSITS, "HDF5 with a dataset segments"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        import h5py

        with naming_errors(path, "an HDF5 file of energy deposits"):
            self._rows = dataset_in(path, h5py.File(path, "r"), (DATASET,))
            names = self._rows.dtype.names or ()
            self._event, self._track, self._pdg = (
                _one_of(path, names, each) for each in (_EVENT, _TRACK, _PDG)
            )
            needed = ["dE", *(f"{axis}_{end}" for end in ("start", "end") for axis in _AXES)]
            if missing := [name for name in needed if name not in names]:
                raise _lacks(path, missing[0], names)
            self._places = self._find_events()
        first = self._segments(self._rows[:SEGMENTS_THAT_TELL])
        check_units(path, dedx(first), "energies in MeV and positions in cm")

    @classmethod
    def claims(cls, glance: Glance) -> bool:
        """Say whether a file is of this format."""
        return glance.begin.startswith(b"\x89HDF") and DATASET in glance.names

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, entry: int) -> GivenDeposits:
        number, places = self._numbered[entry]
        where = self.where(entry)
        with naming_errors(where, "segments of energy deposits"):
            rows = np.concatenate([self._rows[start:stop] for start, stop in places])
        segments = usable(where, self._segments(rows))
        return GivenDeposits(segments=segments, provenance={"generator": "Geant4", "number": str(number)})

    @cached_property
    def _numbered(self) -> list[tuple[int, list[tuple[int, int]]]]:
        return list(self._places.items())

    def _segments(self, rows: NDArray[np.void]) -> Segments:
        start, end = (
            np.column_stack([rows[f"{axis}_{end}"] for axis in _AXES]).astype(np.float64)
            for end in ("start", "end")
        )
        track = rows[self._track].astype(np.int64)
        return Segments(start, end, rows["dE"].astype(np.float64), track, rows[self._pdg].astype(np.int32))

    def _find_events(self) -> dict[int, list[tuple[int, int]]]:
        """Return the rows of each event, as the spans in which they are, by its number."""
        places: dict[int, list[tuple[int, int]]] = {}
        for first in range(0, len(self._rows), ROWS_AT_ONCE):
            numbers = self._rows.fields(self._event)[first : first + ROWS_AT_ONCE].astype(np.int64)
            edges = np.flatnonzero(np.diff(numbers)) + 1
            for start, stop in zip([0, *edges], [*edges, len(numbers)], strict=True):
                spans = places.setdefault(int(numbers[start]), [])
                if spans and spans[-1][1] == first + start:
                    spans[-1] = spans[-1][0], first + int(stop)
                else:
                    spans.append((first + int(start), first + int(stop)))
        return places


def _one_of(path: Path, names: Any, known: tuple[str, ...]) -> str:
    found = next((name for name in known if name in names), None)
    if found is None:
        raise _lacks(path, " or ".join(known), names)
    return found


def _lacks(path: Path, name: str, names: Any) -> NotThisFormatError:
    got = f"one with {', '.join(names)}"
    return NotThisFormatError(path, f"segments with a field {name}", got, "write it")
