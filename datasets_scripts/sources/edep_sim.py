"""Energy deposits of Geant4 in edep-sim's own ROOT files: the tree `EDepSimEvents` of `TG4Event` objects.

Files have mm and MeV (`EDepSimUnits.h` of edep-sim); the axes are taken as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.readers.source_errors import SourceFileError, naming_errors
from nuzoo.datasets_scripts.sources.deposit_checks import SEGMENTS_THAT_TELL, check_units, usable
from nuzoo.datasets_scripts.sources.edep_sim_vertices import PrimaryVertices, places
from nuzoo.datasets_scripts.sources.given import DEPOSITS, GivenDeposits, Glance, SourceFile
from nuzoo.datasets_scripts.sources.memberwise import Columns, MemberwiseReader
from nuzoo.datasets_scripts.sources.root_trees import BranchBytes, SplitCollection, TreeColumns
from nuzoo.simulation.deposited import Segments

TREE = "EDepSimEvents"

UNKNOWN_PDG = 0

_HIT = "TG4HitSegment"


class EDepSimTree(SourceFile[GivenDeposits]):
    """A tree of edep-sim; an event has the segments of all its sensitive detectors."""

    format, gives, holds = "edep-sim ROOT", DEPOSITS, f"a ROOT file with a tree {TREE}"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        numbers = ("RunId", "EventId", "Trajectories.TrackId", "Trajectories.PDGCode")
        self._numbers = TreeColumns(path, TREE, numbers)
        tree = self._numbers.tree
        with naming_errors(path, f"a tree {TREE} whose branch Event is split, as edep-sim writes it"):
            self._objects = MemberwiseReader(tree.file)
            self._hits = _HitBranches(tree, self._objects)
            self._vertices = PrimaryVertices(tree, self._objects)
        check_units(path, self._first_segments())

    @classmethod
    def claims(cls, glance: Glance) -> bool:
        """Say whether a file is of this format."""
        return TREE in glance.names

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, entry: int) -> GivenDeposits:
        where = self.where(entry)
        segments, row = usable(where, self._segments(entry)), self._numbers.row(entry)
        with naming_errors(where, "primary vertices"):
            vertex, told = self._vertices.only(where, entry)
        provenance = {"generator": "Geant4", "run": str(row["RunId"]), "number": str(row["EventId"])}
        return GivenDeposits(segments=segments, vertex=vertex, provenance=provenance | told)

    def _segments(self, entry: int) -> Segments:
        row = self._numbers.row(entry)
        with naming_errors(self.where(entry), "segments of energy deposits"):
            known = _Particles(row["Trajectories.TrackId"], row["Trajectories.PDGCode"])
            return _joined([_segments(each, known) for each in self._hits[entry] if each])

    def _first_segments(self) -> Segments:
        found: list[Segments] = []
        for entry in range(len(self)):
            try:
                found.append(self._segments(entry))
            except SourceFileError:
                continue
            if sum(len(each.energy) for each in found) >= SEGMENTS_THAT_TELL:
                break
        return _joined(found)


class _HitBranches:
    """The hits of each sensitive detector: a map, of which ROOT may have made two branches."""

    def __init__(self, tree: Any, objects: MemberwiseReader) -> None:
        branch, self._objects = tree["SegmentDetectors"], objects
        self._whole = BranchBytes(branch)
        self._split = SplitCollection(tree, branch.name, ("second",)) if branch.branches else None

    def __getitem__(self, entry: int) -> list[Columns]:
        if self._split is None:
            return self._objects.vectors_of_map(self._whole[entry], _HIT)
        count, members = self._split[entry]
        return self._objects.vectors(members["second"], _HIT, count) if count else []


class _Particles:
    """PDG codes by the numbers of trajectories."""

    def __init__(self, track: NDArray[np.int32], pdg: NDArray[np.int32]) -> None:
        order = np.argsort(track, kind="stable")
        self._track, self._pdg = track[order], pdg[order]

    def pdg(self, track: NDArray[np.int64]) -> NDArray[np.int32]:
        if not len(self._track):
            return np.full(len(track), UNKNOWN_PDG, np.int32)
        place = np.searchsorted(self._track, track).clip(max=len(self._track) - 1)
        return np.where(self._track[place] == track, self._pdg[place], UNKNOWN_PDG).astype(np.int32)


def _segments(hits: Columns, known: _Particles) -> Segments:
    track = _tracks(hits)
    return Segments(
        places(hits["Start"]),
        places(hits["Stop"]),
        hits["EnergyDeposit"].astype(float),
        track,
        known.pdg(track),
    )


def _tracks(hits: Columns) -> NDArray[np.int64]:
    """Return the first contributor of each hit, which edep-sim's dumps name too, or else its primary."""
    track = hits["Contrib"].first(missing=-1)
    return np.where(track < 0, hits["PrimaryId"], track)


def _joined(parts: list[Segments]) -> Segments:
    empty = Segments(
        np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int32)
    )
    columns = zip(*(vars(each).values() for each in [empty, *parts]), strict=True)
    return Segments(*(np.concatenate(column) for column in columns))
