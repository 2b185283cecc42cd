"""Energy deposits of Geant4 in edep-sim's own ROOT files: the tree `EDepSimEvents` of `TG4Event` objects.

Files have mm and MeV (`EDepSimUnits.h` of edep-sim); the axes are taken as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.readers.source_errors import SourceFileError, naming_errors
from nuzoo.datasets_scripts.sources.deposit_checks import check_units, dedx, usable
from nuzoo.datasets_scripts.sources.edep_sim_trajectories import EventTrajectories, Trajectories
from nuzoo.datasets_scripts.sources.edep_sim_vertices import PrimaryVertices, places
from nuzoo.datasets_scripts.sources.errors import NoParticlesError
from nuzoo.datasets_scripts.sources.given import DEPOSITS, GivenDeposits, Glance, SourceFile, one_word
from nuzoo.datasets_scripts.sources.root_objects import Columns, RootObjects
from nuzoo.datasets_scripts.sources.root_trees import BranchBytes, SplitCollection, TreeColumns
from nuzoo.simulation.deposited import Segments
from nuzoo.simulation.known_truth import KnownTruth

TREE = "EDepSimEvents"

EVENTS_THAT_TELL = 100
"""The first of them tell the units of the file."""

LONGEST = 200
"""Characters of names that are said."""

_HIT = "TG4HitSegment"


class EDepSimTree(SourceFile[GivenDeposits]):
    """A tree of edep-sim; an event has the segments of all its sensitive detectors, or of those to keep."""

    format, gives, holds = "edep-sim ROOT", DEPOSITS, f"a ROOT file with a tree {TREE}"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._numbers = TreeColumns(path, TREE, ("RunId", "EventId"), optional=("SubrunId",))
        tree = self._numbers.tree
        with naming_errors(path, f"a tree {TREE} whose branch Event is split, as edep-sim writes it"):
            objects = RootObjects(tree.file)
            self._hits = _HitBranches(tree, objects)
            self._trajectories = Trajectories(tree, objects)
            self._vertices = PrimaryVertices(tree, objects)
        if len(self):
            self._numbers.row(len(self) - 1)  # a file whose end is not there has no end of errors
        self._kept: Collection[str] = ()

    @classmethod
    def claims(cls, glance: Glance) -> bool:
        """Say whether a file is of this format."""
        return TREE in glance.names

    def keep(self, sensitive: Collection[str]) -> None:
        """Give the hits of these sensitive detectors alone."""
        self._kept = sensitive

    def check(self) -> None:
        """Compare energies and lengths of the first events, by their median."""
        found: list[float] = []
        for entry in range(min(len(self), EVENTS_THAT_TELL)):
            with suppress(SourceFileError):
                found.append(dedx(usable(self.where(entry), _joined([*self._read(entry)[0].values()]))))
        if found:
            check_units(self.path, float(np.nanmedian(found)), "energies in MeV and positions in mm")

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, entry: int) -> GivenDeposits:
        where, row = self.where(entry), self._numbers.row(entry)
        hits, trajectories = self._read(entry)
        segments = usable(where, _joined(list(hits.values())))
        with naming_errors(where, "vertices and particles of edep-sim"):
            vertices = self._vertices.at(where, entry)
            truth = KnownTruth(vertices.known, trajectories.known(segments.track, vertices))
        told = {"generator": "Geant4", "run": str(row["RunId"]), "number": str(row["EventId"])}
        if "SubrunId" in row:
            told["subrun"] = str(row["SubrunId"])
        told |= {**vertices.told, "sensitive": one_word("+".join(hits))[:LONGEST]}
        return GivenDeposits(segments=segments, truth=truth, provenance=told)

    def _read(self, entry: int) -> tuple[dict[str, Segments], EventTrajectories]:
        """Return the segments of each sensitive detector that has some, and the trajectories."""
        where = self.where(entry)
        with naming_errors(where, "hits and trajectories of edep-sim"):
            trajectories = self._trajectories.at(entry)
            found = {name: _segments(hits, trajectories) for name, hits in self._hits[entry] if hits}
        kept = {name: each for name, each in found.items() if name in (self._kept or found)}
        if found and not kept:
            expected = f"hits in {' or '.join(self._kept)}"
            raise NoParticlesError(where, expected, f"those in {_listed(found)}", "name one of these")
        return kept, trajectories


class _HitBranches:
    """The hits of each sensitive detector: a map, which edep-sim's dictionary keeps ROOT from splitting.

    Where ROOT can, two branches have its keys and its vectors.
    """

    def __init__(self, tree: Any, objects: RootObjects) -> None:
        branch, self._objects = tree["SegmentDetectors"], objects
        self._whole = BranchBytes(branch)
        self._split = SplitCollection(tree, branch.name, ("first", "second")) if branch.branches else None

    def __getitem__(self, entry: int) -> list[tuple[str, Columns]]:
        if self._split is None:
            return self._objects.vectors_of_map(self._whole[entry], _HIT)
        count, members = self._split[entry]
        if not count:
            return []
        names = self._objects.texts(members["first"], count)
        return list(zip(names, self._objects.vectors(members["second"], _HIT, count), strict=True))


def _segments(hits: Columns, trajectories: EventTrajectories) -> Segments:
    track = _tracks(hits)
    return Segments(
        places(hits["Start"]["fP"]),
        places(hits["Stop"]["fP"]),
        hits["EnergyDeposit"].astype(np.float64),
        track,
        trajectories.pdg_of(track),
    )


def _tracks(hits: Columns) -> NDArray[np.int64]:
    """Return the first contributor of each hit that edep-sim kept, or else its primary.

    Contributors are sorted: the first is most often the parent of the others (`CopyHitContributors`).
    """
    track = hits["Contrib"].least(missing=-1)
    return np.where(track < 0, hits["PrimaryId"], track)


def _joined(parts: list[Segments]) -> Segments:
    nowhere = np.zeros((0, 3))
    empty = Segments(nowhere, nowhere, np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int32))
    columns = zip(*(vars(each).values() for each in [empty, *parts]), strict=True)
    return Segments(*(np.concatenate(column) for column in columns))


def _listed(names: Iterable[str]) -> str:
    text = ", ".join(names)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
