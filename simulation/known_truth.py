"""What is known of events whose deposits another transport made."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.event_types import Interaction, ParticleTable


@dataclass(frozen=True)
class KnownVertex:
    """Where particles began.

    Attributes:
        position: float64 (3,), cm.
        pdg: int32 (n,), PDG codes of what left it.
        momentum: float64 (n, 3), MeV/c.
        interaction: The neutrino's; None of particles that were given, and of what is not known.
        target: PDG code of the nucleus; 0 where it is not known.
    """

    position: NDArray[np.float64]
    pdg: NDArray[np.int32]
    momentum: NDArray[np.float64]
    interaction: Interaction | None = None
    target: int = 0


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


@dataclass(frozen=True)
class KnownTruth:
    """What is known of an event.

    Attributes:
        vertices: Its interactions, in the order of their numbers.
        particles: None where only the particles of deposits are known.
    """

    vertices: tuple[KnownVertex, ...] = ()
    particles: KnownParticles | None = None

    def moved(self, shift: NDArray[np.float64]) -> KnownTruth:
        """Return it elsewhere, cm away (3,)."""
        vertices = tuple(replace(each, position=each.position + shift) for each in self.vertices)
        if self.particles is None:
            return replace(self, vertices=vertices)
        table = self.particles.table
        table = replace(table, start=(table.start + shift).astype(np.float32))
        return KnownTruth(vertices, replace(self.particles, table=table))
