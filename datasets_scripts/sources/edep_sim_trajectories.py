"""What edep-sim's ROOT files tell of particles: their trajectories (`TG4Trajectory`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.sources.edep_sim_vertices import EventVertices, places, vectors
from nuzoo.datasets_scripts.sources.geant4_activity import activities
from nuzoo.datasets_scripts.sources.root_objects import Columns, RootObjects
from nuzoo.datasets_scripts.sources.root_trees import SplitCollection
from nuzoo.simulation.event_types import ParticleTable
from nuzoo.simulation.known_truth import NONE, KnownParticles, rows_of

UNKNOWN_PDG = 0

AT_VERTEX = 0.01
"""cm between a vertex and where its particles begin."""


class Trajectories:
    """The trajectories of a tree of edep-sim.

    Args:
        tree: Of uproot.
        objects: Reads its classes.

    Raises:
        KeyError: It lacks a branch.
    """

    def __init__(self, tree: Any, objects: RootObjects) -> None:
        members = ("TrackId", "ParentId", "PDGCode", "Points")
        self._objects, self._trajectories = objects, SplitCollection(tree, "Trajectories", members)

    def at(self, entry: int) -> EventTrajectories:
        """Return the trajectories of an event."""
        count, members = self._trajectories[entry]
        track, parent, pdg = (
            np.frombuffer(members[name], ">i4", count).astype(np.int32)
            for name in ("TrackId", "ParentId", "PDGCode")
        )
        points = self._objects.vectors(members["Points"], "TG4TrajectoryPoint", count) if count else []
        return EventTrajectories(track, parent, pdg, points)


@dataclass(frozen=True)
class EventTrajectories:
    """The trajectories of an event.

    Attributes:
        track: int32 (t,), their numbers.
        parent: int32 (t,), number of the parent; negative for those that leave a vertex.
        pdg: int32 (t,), PDG codes.
        points: Of each, the first where it began.
    """

    track: NDArray[np.int32]
    parent: NDArray[np.int32]
    pdg: NDArray[np.int32]
    points: Sequence[Columns]

    def rows(self, track: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the rows of trajectories by their numbers, `NONE` for those that are not here."""
        return rows_of(track, self.track)

    def pdg_of(self, track: NDArray[np.int64]) -> NDArray[np.int32]:
        """Return PDG codes by numbers."""
        return np.append(self.pdg, np.int32(UNKNOWN_PDG))[self.rows(track)]

    def known(self, track: NDArray[np.int64], vertices: EventVertices) -> KnownParticles | None:
        """Return what is known of the particles of an event.

        Args:
            track: Numbers that its deposits name.
            vertices: Its vertices.

        Returns:
            None where a deposit, or a particle, comes from one that is not here, or began nowhere, and where
            it is not said what made them.
        """
        parent = np.where(self.parent < 0, NONE, self.rows(self.parent))
        is_orphan = (self.parent >= 0) & (parent == NONE)
        is_early = parent >= np.arange(len(parent))
        if (is_orphan | is_early).any() or not all(self.points) or (self.rows(track) == NONE).any():
            return None
        start = np.concatenate([places(each["Position"]["fP"][:1]) for each in self.points])
        momentum = np.concatenate([vectors(each["Momentum"][:1]) for each in self.points])
        if not (np.abs([start, momentum]) < np.finfo(np.float32).max).all():
            return None
        process, subprocess = (
            np.array([each[name][0] for each in self.points], np.int32) for name in ("Process", "Subprocess")
        )
        if (parent >= 0).any() and not process[
            parent >= 0
        ].any():  # as edep-sim wrote it before December 2017
            return None
        semantic = activities(self.pdg, parent, process, subprocess, np.linalg.norm(momentum, axis=1))
        table = ParticleTable(
            pdg=self.pdg,
            parent=parent.astype(np.int32),
            start=start.astype(np.float32),
            momentum=momentum.astype(np.float32),
            interaction=_interactions(parent, start, vertices),
        )
        return KnownParticles(self.track.astype(np.int64), table, semantic)


def _interactions(
    parent: NDArray[np.int64], start: NDArray[np.float64], vertices: EventVertices
) -> NDArray[np.int32]:
    """Return the vertex (p,) that each particle comes from, `NONE` for none."""
    found = np.full(len(parent), NONE, np.int32)
    positions = np.array([each.position for each in vertices.known]).reshape(-1, 3)
    for row in np.flatnonzero(parent < 0):
        near = np.flatnonzero(np.linalg.norm(positions - start[row], axis=1) < AT_VERTEX)
        of_its_own = [each for each in near if row in vertices.tracks[each]]
        if len(near):
            found[row] = of_its_own[0] if of_its_own else near[0]
    for row in np.flatnonzero(parent >= 0):
        found[row] = found[parent[row]]
    return found
