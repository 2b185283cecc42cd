"""Hadrons of GeV to TeV that meet nuclei in layers: a leading particle, some others, and slow nucleons.

A model of the shape of hadronic showers that keeps the energy, not one of cross-sections: multiplicities grow
as the logarithm of the energy, a third of the pions are neutral, each collision leaves a part in the nucleus.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.particles import MASS, PI_MINUS, PI_PLUS, PI_ZERO, REST_CONTENT, SPECIES_OF
from nuzoo.simulation.transport.sandwich_tracks import Array, Moving, Rows, upright

NUCLEAR_LOSS, NUCLEAR_SHARE = 350.0, 0.3
"""Mean energy that a collision leaves in the nucleus, MeV, and the largest share of what there is."""
NUCLEAR_VISIBLE = 0.35
"""Share of it that slow protons bring to light."""
SLOW = 190.0
"""MeV: hadrons with less are counted with what is left in the nucleus."""
SLOW_VISIBLE = 0.7
TRANSVERSE = 330.0
ISOTROPIC_BELOW = 600.0

_KINDS = (PI_ZERO, PI_PLUS, PI_MINUS, *(SPECIES_OF[code] for code in (321, -321, 130, 2212, 2112)))
_SHARES = np.array([0.30, 0.27, 0.27, 0.025, 0.025, 0.03, 0.04, 0.04])


class Collided(NamedTuple):
    """What comes out.

    Attributes:
        moving: of the hadrons that go on; `row` is the position of what collided.
        local: (n,) MeV that stays visible where each collided.
        invisible: MeV that is bound in nuclei.
    """

    moving: Moving
    local: Array
    invisible: float


def mean_number(energy_gev: Array) -> Array:
    """Return the mean number of hadrons of a collision: 4 at 1 GeV, 8 at 10, 24 at 1000."""
    log = np.log1p(energy_gev)
    mean: Array = 2.5 + 1.8 * log + 0.2 * log**2
    return mean


def collide(rng: np.random.Generator, moving: Moving) -> Collided:
    """Let hadrons collide with nuclei where they are."""
    available = moving.t + REST_CONTENT[moving.species]
    nuclear = np.minimum(NUCLEAR_LOSS * rng.standard_exponential(len(available)), NUCLEAR_SHARE * available)
    left = available - nuclear
    number = 2 + rng.poisson(np.maximum(mean_number(available / 1000) - 2, 0.2))
    leading = left * rng.beta(2.0, 2.5, len(left))
    parent = np.repeat(np.arange(len(left)), number)
    first = np.cumsum(number) - number
    share = rng.standard_exponential(len(parent)) ** 1.3
    share[first] = 0.0
    sums = np.bincount(parent, share, len(left))
    energy = share * ((left - leading) / np.maximum(sums, 1e-12))[parent]
    energy[first] = leading
    species = np.array(_KINDS)[rng.choice(len(_KINDS), len(parent), p=_SHARES)]
    species[first] = _leading_species(rng, moving.species)
    too_heavy = energy < REST_CONTENT[species] + 50.0
    species[too_heavy] = np.where(rng.random(too_heavy.sum()) < 1 / 3, PI_ZERO, PI_PLUS)
    slow = energy < SLOW
    local = NUCLEAR_VISIBLE * nuclear + SLOW_VISIBLE * np.bincount(parent, energy * slow, len(left))
    invisible = (1 - NUCLEAR_VISIBLE) * nuclear.sum() + (1 - SLOW_VISIBLE) * energy[slow].sum()
    fast = ~slow
    species, energy, parent = species[fast], energy[fast], parent[fast]
    t = energy - REST_CONTENT[species]
    u = _directions(rng, moving.u[parent], t, MASS[species])
    return Collided(Moving(parent, species, moving.x[parent], u, t), local, float(invisible))


def _leading_species(rng: np.random.Generator, species: Rows) -> Rows:
    """Choose what leads: pions lose their charge in a quarter of the collisions, nucleons swap it."""
    pion = np.isin(species, (PI_PLUS, PI_MINUS))
    light = np.where(pion, species, PI_PLUS)
    nucleon = np.isin(species, [SPECIES_OF[code] for code in (2212, 2112)])
    swapped = rng.random(len(species)) < np.where(pion, 0.25, 0.3)
    turned = np.where(
        pion, PI_ZERO, np.where(rng.random(len(species)) < 0.5, SPECIES_OF[2212], SPECIES_OF[2112])
    )
    kaon = np.isin(species, [SPECIES_OF[code] for code in (321, -321, 130, 310)])
    kept = np.where(nucleon | kaon, species, light)
    chosen: Rows = np.where(swapped & (pion | nucleon), turned, kept)
    return chosen


def _directions(rng: np.random.Generator, axis: Array, t: Array, mass: Array) -> Array:
    """Turn hadrons off the direction of what collided by their transverse momenta; slow ones anywhere."""
    p = np.sqrt(t * (t + 2 * mass))
    across = TRANSVERSE * rng.standard_normal((len(t), 3))
    across -= (across * axis).sum(axis=1, keepdims=True) * axis
    size = np.linalg.norm(across, axis=1)
    across *= np.minimum(1.0, 0.8 * p / np.maximum(size, 1e-9))[:, None]
    along = np.sqrt(np.maximum(p**2 - (across**2).sum(axis=1), 0.0))
    u = (across + along[:, None] * axis) / np.maximum(p, 1e-9)[:, None]
    anywhere: NDArray[np.bool_] = (p < ISOTROPIC_BELOW) & (rng.random(len(t)) < 0.3)
    free = rng.standard_normal((len(t), 3))
    free /= np.linalg.norm(free, axis=1, keepdims=True)
    return upright(np.where(anywhere[:, None], free, u))
