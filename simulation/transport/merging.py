"""Several transported vertices as one event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.event_types import Deposits, EnergyBudget, ParticleTable, Transported


def merged(parts: Sequence[Transported]) -> Transported:
    """Join what was transported from several vertices; particles are numbered through.

    Args:
        parts: At least one.
    """
    sizes = [len(part.particles.pdg) for part in parts]
    first = np.cumsum([0, *sizes[:-1]]).astype(np.int32)
    deposits = _joined([part.deposits for part in parts])
    particles = _joined([part.particles for part in parts])
    deposits["particle"] = deposits["particle"] + np.repeat(
        first, [len(part.deposits.energy) for part in parts]
    )
    parent = particles["parent"]
    particles["parent"] = np.where(parent < 0, parent, parent + np.repeat(first, sizes))
    totals = {
        each.name: sum(getattr(part.budget, each.name) for part in parts) for each in fields(EnergyBudget)
    }
    return Transported(Deposits(**deposits), ParticleTable(**particles), EnergyBudget(**totals))


def _joined(tables: Sequence[Any]) -> dict[str, NDArray[Any]]:
    return {
        each.name: np.concatenate([getattr(table, each.name) for table in tables])
        for each in fields(tables[0])
    }
