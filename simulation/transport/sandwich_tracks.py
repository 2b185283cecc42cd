"""Particles that go straight through layers: how far they get, and what they leave where.

The loss of a particle is its least loss times β^(-5/3), and does not rise again at high energies: ranges in
plastic are 2 to 12 % below the tables. Nothing scatters.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.layer_stack import PASSIVE
from nuzoo.simulation.particles import CHARGE, MASS
from nuzoo.simulation.sandwich import Sandwich

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

STEP = 0.5
"""cm between the points that a track is stored as."""
LEAST_SLOPE = 0.05
"""Directions are turned so far that they have at least this part along z."""
FLUCTUATION = 10.0
"""Shape of the gamma distribution of what a step leaves: 30 % around the mean."""

_TAU = np.geomspace(1e-5, 1e7, 3000)
_BETA = np.sqrt(_TAU * (_TAU + 2)) / (_TAU + 1)
_RHO = np.concatenate(
    [[0.0], np.cumsum(0.5 * (_BETA[1:] ** (5 / 3) + _BETA[:-1] ** (5 / 3)) * np.diff(_TAU))]
)


class Moving(NamedTuple):
    """Particles on their way.

    Attributes:
        row: (n,) in the table of particles.
        species: (n,), see `particles.SPECIES_OF`.
        x: (n, 3) cm.
        u: (n, 3) direction.
        t: (n,) kinetic energy, MeV.
    """

    row: Rows
    species: Rows
    x: Array
    u: Array
    t: Array

    def those(self, chosen: NDArray[np.bool_] | Rows) -> Moving:
        """Return some of them."""
        return Moving(self.row[chosen], self.species[chosen], self.x[chosen], self.u[chosen], self.t[chosen])

    @staticmethod
    def together(parts: list[Moving]) -> Moving:
        """Return all in one."""
        if not parts:
            return Moving(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0))
        return Moving(*(np.concatenate(each) for each in zip(*parts, strict=True)))


class Points(NamedTuple):
    """Energy in places.

    Attributes:
        x: (n, 3) cm.
        energy: (n,) MeV.
        row: (n,) particle that left it.
    """

    x: Array
    energy: Array
    row: Rows

    def those(self, chosen: NDArray[np.bool_]) -> Points:
        """Return some of them."""
        return Points(self.x[chosen], self.energy[chosen], self.row[chosen])


def range_of(t: Array, mass: Array) -> Array:
    """Return how much a particle loses at its least loss before it stops, MeV: its range in those units."""
    return mass * np.interp(t / mass, _TAU, _RHO)


def energy_at(left: Array, mass: Array) -> Array:
    """Return the kinetic energy (MeV) of a particle with some range left; see `range_of`."""
    return mass * np.interp(left / mass, _RHO, _TAU)


def upright(u: Array) -> Array:
    """Return directions (n, 3) with at least `LEAST_SLOPE` along z."""
    z = np.where(u[:, 2] < 0, -1.0, 1.0) * np.maximum(np.abs(u[:, 2]), LEAST_SLOPE)
    across = u[:, :2]
    size = np.sqrt((across**2).sum(axis=1))
    scale = np.sqrt(np.maximum(1 - z**2, 0.0)) / np.maximum(size, 1e-12)
    return np.column_stack([across * np.minimum(scale, 1.0)[:, None], z])


def way_out(sandwich: Sandwich, x: Array, u: Array) -> Array:
    """Return the path (cm) to where particles leave the detector: a side, the front or the back."""
    edges = sandwich.stack.edges
    ends = np.where(u[:, 2] > 0, edges[-1], edges[0])
    to_end = (ends - x[:, 2]) / u[:, 2]
    middle = np.array(sandwich.centre_cm)

    def to_side(half: Array) -> Array:
        wall = middle + np.sign(u[:, :2]) * half[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            ways = (wall - x[:, :2]) / u[:, :2]
        return np.where(np.abs(u[:, :2]) > 1e-12, ways, np.inf).min(axis=1)

    side = to_side(sandwich.half_width(x[:, 2]))
    widens = (u[:, 2] > 0) & (x[:, 2] + u[:, 2] * side > sandwich.ahcal_z_mm / 10)
    side = np.where(widens, to_side(sandwich.half_width(edges[-1:])), side)
    return np.maximum(np.minimum(to_end, side), 0.0)


def ionise(
    rng: np.random.Generator, sandwich: Sandwich, moving: Moving, way: Array
) -> tuple[Points, float, Array]:
    """Take charged particles along straight ways.

    Args:
        rng: Source of randomness.
        sandwich: What they go through.
        moving: They.
        way: (n,) cm.

    Returns:
        (points with energy in what records it, MeV left in what does not, (n,) kinetic energies at the ends).
    """
    stack = sandwich.stack
    mass = MASS[moving.species]
    steps = np.maximum(1, np.ceil(way / STEP)).astype(np.int64)
    track = np.repeat(np.arange(len(way)), steps)
    number = np.arange(len(track)) - np.repeat(np.cumsum(steps) - steps, steps)
    size = (way / steps)[track]
    z0, slope = moving.x[track, 2], moving.u[track, 2]
    first, last = z0 + number * size * slope, z0 + (number + 1) * size * slope
    start = stack.at(stack.loss, moving.x[:, 2])
    steep = np.abs(moving.u[:, 2])
    full = range_of(moving.t, mass)

    def energy(z: Array) -> Array:
        passed = np.abs(stack.at(stack.loss, z) - start[track]) / steep[track]
        return energy_at(np.maximum(full[track] - passed, 0.0), mass[track])

    # The end of a step is the beginning of the next
    after = energy(last)
    before = np.empty_like(after)
    before[1:] = after[:-1]
    before[number == 0] = moving.t
    lost = np.maximum(before - after, 0.0) * (CHARGE[moving.species] != 0)[track]
    passed = np.abs(stack.at(stack.loss, last) - stack.at(stack.loss, first))
    recorded = np.abs(stack.at(stack.active_loss, last) - stack.at(stack.active_loss, first))
    share = np.divide(recorded, passed, out=np.zeros_like(lost), where=passed > 0)
    active = lost * share
    wobble = active * rng.gamma(FLUCTUATION, 1 / FLUCTUATION, len(active))
    sums = _of_each(track, wobble, len(way))
    scale = np.divide(_of_each(track, active, len(way)), sums, out=np.zeros_like(sums), where=sums > 0)
    wobble *= scale[track]
    middle = moving.x[track] + ((number + 0.5) * size)[:, None] * moving.u[track]
    kept = wobble > 0
    passive = float(lost.sum() - wobble.sum())
    ends = energy_at(
        np.maximum(
            full - np.abs(stack.at(stack.loss, moving.x[:, 2] + way * moving.u[:, 2]) - start) / steep, 0.0
        ),
        mass,
    )
    ends = np.where(CHARGE[moving.species] != 0, ends, moving.t)
    return Points(middle[kept], wobble[kept], moving.row[track][kept]), passive, ends


def _of_each(group: Rows, values: Array, groups: int) -> Array:
    """Add up values by their group; of nothing too, where NumPy's sums would be whole numbers."""
    return np.bincount(group, values, groups).astype(np.float64)


def recorded(sandwich: Sandwich, points: Points) -> NDArray[np.bool_]:
    """Say which points lie in what records energy, inside of the detector."""
    stack = sandwich.stack
    z = points.x[:, 2]
    part = stack.part[stack.layer_of(z)]
    return (part != PASSIVE) & contained(sandwich, points)


def contained(sandwich: Sandwich, points: Points) -> NDArray[np.bool_]:
    """Say which points lie inside of the detector."""
    z, edges = points.x[:, 2], sandwich.stack.edges
    across = np.abs(points.x[:, :2] - np.array(sandwich.centre_cm)).max(axis=1)
    found: NDArray[np.bool_] = (z >= edges[0]) & (z < edges[-1]) & (across < sandwich.half_width(z))
    return found
