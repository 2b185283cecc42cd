"""What a cascade through a detector of layers writes down, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nuzoo.simulation.event_types import Deposits, EnergyBudget, ParticleTable, SemanticClass, Transported
from nuzoo.simulation.particles import MASS, PDG
from nuzoo.simulation.sandwich import Sandwich
from nuzoo.simulation.transport.sandwich_tracks import Array, Points, Rows, contained, recorded


@dataclass(frozen=True)
class LayeredBudget(EnergyBudget):
    """Where the energy went, in MeV; `deposited` is in what records it.

    Attributes:
        absorbed: In what does not.
    """

    absorbed: float = 0.0


@dataclass(frozen=True)
class Exits:
    """Particles that leave through the back.

    Attributes:
        row: int64 (n,), in the particle table.
        position: float64 (n, 3), cm.
        momentum: float64 (n, 3), MeV/c.
    """

    row: Rows
    position: Array
    momentum: Array


@dataclass(frozen=True)
class LayeredTransported(Transported):
    """The result, with what a spectrometer behind the detector would see.

    Attributes:
        exits: Muons at the back.
    """

    exits: Exits


class Books:
    """What a run writes down.

    Args:
        sandwich: Where it runs.
    """

    def __init__(self, sandwich: Sandwich) -> None:
        self.sandwich = sandwich
        self.points = [(Points(np.zeros((0, 3)), np.zeros(0), np.zeros(0, np.int64)), 0)]
        self.table: list[tuple[Rows, Rows, Array, Array]] = []
        self.rows = 0
        self.exits: list[tuple[Rows, Array, Array]] = []
        self.absorbed = self.escaped = self.invisible = self.rest = 0.0

    def enter(self, species: Rows, parent: Rows, x: Array, u: Array, t: Array) -> Rows:
        """Write particles into the table; returns their rows."""
        p = np.sqrt(np.maximum(t * (t + 2 * MASS[species]), 0.0))
        self.table.append((species, parent, x, p[:, None] * u))
        self.rows += len(species)
        return np.arange(self.rows - len(species), self.rows)

    def deposit(self, points: Points, semantic: SemanticClass) -> None:
        """Write energy in places, where it is recorded; the rest is absorbed or has escaped."""
        inside = contained(self.sandwich, points)
        lit = inside & recorded(self.sandwich, points)
        self.escaped += float(points.energy[~inside].sum())
        self.absorbed += float(points.energy[inside & ~lit].sum())
        self.points.append((points.those(lit), int(semantic)))

    def result(self, available: float) -> LayeredTransported:
        """Give what was written, of particles that began with `available` MeV."""
        species, parent, start, momentum = (np.concatenate(each) for each in zip(*self.table, strict=True))
        x = np.concatenate([points.x for points, _ in self.points])
        energy = np.concatenate([points.energy for points, _ in self.points])
        row = np.concatenate([points.row for points, _ in self.points])
        semantic = np.concatenate([np.full(len(points.row), kind) for points, kind in self.points])
        pdg = PDG[species]
        place = x.astype(np.float32)
        deposits = Deposits(
            start=place,
            end=place,
            energy=energy.astype(np.float32),
            particle=row.astype(np.int32),
            pdg=pdg[row],
            semantic=semantic.astype(np.uint8),
            interaction=np.zeros(len(row), np.int32),
        )
        table = ParticleTable(
            pdg=pdg,
            parent=parent.astype(np.int32),
            start=start.astype(np.float32),
            momentum=momentum.astype(np.float32),
            interaction=np.zeros(len(pdg), np.int32),
        )
        budget = LayeredBudget(
            available=available,
            deposited=float(energy.sum()),
            escaped=self.escaped,
            invisible=self.invisible,
            rest_mass=self.rest,
            absorbed=self.absorbed,
        )
        exits = (
            Exits(*(np.concatenate(each) for each in zip(*self.exits, strict=True)))
            if self.exits
            else Exits(np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros((0, 3)))
        )
        return LayeredTransported(deposits, table, budget, exits)
