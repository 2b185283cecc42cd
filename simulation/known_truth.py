"""What is known of events whose deposits another transport made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nuzoo.simulation.event_types import Interaction, ParticleTable

NONE, LEFT_OUT = -1, -2
"""In place of the number of an interaction, or the row of a particle."""


@dataclass(frozen=True)
class KnownVertex:
    """Where particles began.

    Attributes:
        position: float64 (3,), cm.
        pdg: int32 (n,), PDG codes of what left it.
        momentum: float64 (n, 3), MeV/c.
        interaction: The neutrino's; None of particles that were given, and of what is not known.
        is_gun: Whether particles were given there, by no interaction.
    """

    position: NDArray[np.float64]
    pdg: NDArray[np.int32]
    momentum: NDArray[np.float64]
    interaction: Interaction | None = None
    is_gun: bool = False

    @property
    def kind(self) -> str | None:
        """A name in `INTERACTION_KINDS`; None where it is not known."""
        return "neutrino" if self.interaction else "particles" if self.is_gun else None


@dataclass(frozen=True)
class KnownParticles:
    """What was transported; a particle stands after its parent.

    Attributes:
        track: int64 (p,), the numbers by which deposits name them.
        table: What they are, in the same order.
        semantic: uint8 (p,), the `SemanticClass` of what they deposit.
    """

    track: NDArray[np.int64]
    table: ParticleTable
    semantic: NDArray[np.uint8]

    def rows(self, track: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of particles by their numbers, all of which are here."""
        return rows_of(track, self.track)

    def of_interactions(self, kept: Sequence[int], *, total: int) -> KnownParticles:
        """Keep the particles of some of all interactions, number these anew, and keep those of none."""
        number = np.full(total + 1, LEFT_OUT, np.int32)
        number[list(kept)] = np.arange(len(kept))
        number[NONE] = NONE
        interaction = number[self.table.interaction]
        is_kept = interaction != LEFT_OUT
        row = np.append(np.cumsum(is_kept) - 1, NONE).astype(np.int32)
        table = ParticleTable(
            pdg=self.table.pdg[is_kept],
            parent=row[self.table.parent[is_kept]],
            start=self.table.start[is_kept],
            momentum=self.table.momentum[is_kept],
            interaction=interaction[is_kept],
        )
        return KnownParticles(self.track[is_kept], table, self.semantic[is_kept])


@dataclass(frozen=True)
class KnownTruth:
    """What is known of an event.

    Attributes:
        vertices: Its interactions, in the order of their numbers.
        particles: None where only the particles of deposits are known.
    """

    vertices: tuple[KnownVertex, ...] = ()
    particles: KnownParticles | None = None

    def alone(self, low: ArrayLike, high: ArrayLike) -> KnownVertex | None:
        """Return the only vertex, if it lies in a box with the corners (3,) and (3,), cm."""
        if len(self.vertices) != 1 or not _is_between(low, self.vertices[0].position, high):
            return None
        return self.vertices[0]

    def moved(self, shift: NDArray[np.float64]) -> KnownTruth:
        """Return it elsewhere, cm away (3,)."""
        vertices = tuple(replace(each, position=each.position + shift) for each in self.vertices)
        if self.particles is None:
            return replace(self, vertices=vertices)
        table = self.particles.table
        table = replace(table, start=(table.start + shift).astype(np.float32))
        return KnownTruth(vertices, replace(self.particles, table=table))

    def seen(
        self, low: NDArray[np.float64], high: NDArray[np.float64], track: NDArray[np.int64]
    ) -> KnownTruth:
        """Keep the interactions that a detector can know of.

        Args:
            low: (3,), lower corner of its volume, cm.
            high: (3,), upper corner.
            track: Numbers of the particles that left deposits in it.

        Returns:
            Those that happened in it, or left some of its deposits.
        """
        places = (each.position for each in self.vertices)
        kept = {number for number, place in enumerate(places) if _is_between(low, place, high)}
        if self.particles is None:  # whose deposits they are is not known
            return self if len(kept) == len(self.vertices) else KnownTruth()
        left = self.particles.table.interaction[self.particles.rows(np.unique(track))]
        numbers = sorted(kept | set(left.tolist()) - {NONE})
        vertices = tuple(self.vertices[number] for number in numbers)
        return KnownTruth(vertices, self.particles.of_interactions(numbers, total=len(self.vertices)))


def rows_of(wanted: NDArray[np.integer[Any]], numbers: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return where each wanted number stands among numbers (n,), `NONE` for those that are not there."""
    if not len(numbers):
        return np.full(len(wanted), NONE)
    order = np.argsort(numbers, kind="stable")
    row = order[np.searchsorted(numbers, wanted, sorter=order).clip(max=len(order) - 1)]
    return np.where(numbers[row] == wanted, row, NONE)


def _is_between(low: ArrayLike, place: NDArray[np.float64], high: ArrayLike) -> bool:
    return bool(((np.asarray(low) <= place) & (place <= np.asarray(high))).all())
