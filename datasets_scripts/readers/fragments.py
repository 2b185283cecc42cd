"""Fragments, as PILArNet-M stores its truth, become columns of hits, particles and interactions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.files.events.point_cloud_events import NOWHERE, hit_roles

Integers = NDArray[np.int64]
Numbers = NDArray[np.float64]

MISSING = -1
"""What stands in the files for what is not known."""


@dataclass(frozen=True)
class Fragments:
    """The fragments of one event: pieces of particles, whose hits follow each other.

    Attributes:
        hits: (m,) number of the hits of each.
        number: (m,) its own number.
        particle: (m,) number of its particle, which is that of the fragment that it begins with.
        interaction: (m,) number of its interaction.
        motif: (m,) kind of activity.
        pid: (m,) type of particle; None where it is not known.
        momentum: (m,) of the particle, MeV/c; None where it is not known.
        direction: (m, 3) momentum as a vector, MeV/c; None where it is not known.
        primary: (m,) 1 where it leaves the vertex; None where it is not known.
        vertices: (m, 3) vertex of its interaction in the unit of positions; None where it is not known.
    """

    hits: Integers
    number: Integers
    particle: Integers
    interaction: Integers
    motif: Integers
    pid: Integers | None = None
    momentum: Numbers | None = None
    direction: Numbers | None = None
    primary: Numbers | None = None
    vertices: Numbers | None = None

    def columns(self, kept: NDArray[np.bool_], energy: NDArray[np.floating]) -> Row:
        """Return the columns of truth of the hits that are kept, and of what made them.

        Particles and interactions with a hit that is kept are numbered in the order of their numbers
        here. What is told of a particle is told by the fragment of its own number, else by its largest.

        Args:
            kept: (n,) which hits are.
            energy: (k,) energies of those, MeV.
        """
        fragment = np.repeat(np.arange(len(self.hits)), self.hits)[kept]
        particles, particle = numbered(self.particle[fragment])
        interactions, interaction = numbered(self.interaction[fragment])
        told = self._tell_of(particles)
        own = particle != NOWHERE
        row: Row = {
            "motif": self.motif[fragment],
            "particle": particle,
            "interaction": interaction,
            "particle_interaction": places(interactions, self.interaction[told]),
            "particle_energy": np.bincount(particle[own], energy[own], len(particles)),
            "particle_hits": np.bincount(particle[own], minlength=len(particles)),
        }
        if self.pid is not None:
            row |= {"pid": self.pid[fragment], "particle_pid": self.pid[told]}
        if self.momentum is not None:
            row["particle_momentum"] = np.maximum(self.momentum[told], 0)
        if self.direction is not None:
            row |= {f"particle_p{axis}": self.direction[told, i] for i, axis in enumerate("xyz")}
        if self.primary is not None:
            row["particle_primary"] = (self.primary[told] == 1).astype(np.int64)
            row["role"] = hit_roles(row["motif"], particle, row["particle_primary"])
        if self.vertices is not None:
            row |= self._vertices_of(interactions, self.vertices)
        return row

    def _tell_of(self, particles: Integers) -> Integers:
        """Return the fragment that tells of each particle."""
        order = np.lexsort((-self.hits, self.number != self.particle, self.particle))
        return order[np.searchsorted(self.particle[order], particles)]

    def _vertices_of(self, interactions: Integers, vertices: Numbers) -> Row:
        """Return the vertices of interactions, nothing if one is not known."""
        unknown = (vertices == MISSING).all(axis=1)
        order = np.lexsort((-self.hits, unknown, self.interaction))
        told = order[np.searchsorted(self.interaction[order], interactions)]
        if unknown[told].any():
            return {}
        return {f"interaction_{axis}": vertices[told, i] for i, axis in enumerate("xyz")}


def numbered(ids: Integers) -> tuple[Integers, Integers]:
    """Count things from 0 in the order of their ids.

    Args:
        ids: (n,) below 0 for none.

    Returns:
        (k,) the ids of the things; (n,) number of each entry, `NOWHERE` for none.
    """
    things = np.unique(ids[ids >= 0])
    return things, places(things, ids)


def places(things: Integers, ids: Integers) -> Integers:
    """Return where ids stand among things that are sorted, `NOWHERE` where they do not."""
    if not len(things):
        return np.full(len(ids), NOWHERE, np.int64)
    found = np.minimum(np.searchsorted(things, ids), len(things) - 1)
    return np.where(things[found] == ids, found, NOWHERE)
