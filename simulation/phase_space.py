"""N-body phase space (Raubold and Lynch, CERN 68-15) and Lorentz boosts, for the transport kernel."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuzoo.simulation.vectors import isotropic

MAX_TRIES = 1000


@njit(cache=True)
def two_body_momentum(mass: float, first: float, second: float) -> float:
    """Momentum in MeV/c of the products of a two-body decay in the rest frame."""
    product = (mass**2 - (first + second) ** 2) * (mass**2 - (first - second) ** 2)
    return math.sqrt(max(product, 0.0)) / (2 * mass)


@njit(cache=True)
def boost(four: NDArray[np.float64], bx: float, by: float, bz: float) -> None:
    """Boost a four-momentum (E, px, py, pz) in place by a velocity in units of c."""
    b2 = bx * bx + by * by + bz * bz
    if b2 <= 0:
        return
    gamma = 1 / math.sqrt(max(1 - b2, 1e-15))
    along = bx * four[1] + by * four[2] + bz * four[3]
    factor = (gamma - 1) / b2 * along + gamma * four[0]
    four[0] = gamma * (four[0] + along)
    four[1] += factor * bx
    four[2] += factor * by
    four[3] += factor * bz


@njit(cache=True)
def share_out(
    rng: np.random.Generator, mass: float, masses: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Decay a mass at rest into particles uniformly in phase space.

    Args:
        rng: Generator.
        mass: MeV.
        masses: (n,) MeV, n >= 2; their sum must be below `mass`.
        out: (n, 4), filled with E, px, py, pz in MeV.
    """
    n = len(masses)
    free = mass - masses.sum()
    clusters = np.empty(n)
    clusters[n - 1] = mass
    highest = 1.0
    lower, upper = masses[0], free + masses[0]
    for i in range(1, n):
        upper += masses[i]
        highest *= max(two_body_momentum(upper, lower, masses[i]), 1e-12)
        lower += masses[i]
    for _ in range(MAX_TRIES):
        cuts = np.sort(rng.random(n - 2))
        weight, below = 1.0, masses[0]
        clusters[0] = masses[0]
        for i in range(1, n):
            below += masses[i]
            if i < n - 1:
                clusters[i] = below + cuts[i - 1] * free
            weight *= two_body_momentum(clusters[i], clusters[i - 1], masses[i])
        if weight >= rng.random() * highest:
            break
    _decay_chain(rng, clusters, masses, out)


@njit(cache=True)
def _decay_chain(rng, clusters, masses, out):  # type: ignore[no-untyped-def]
    n = len(masses)
    for i in range(1, n):
        p = two_body_momentum(clusters[i], clusters[i - 1], masses[i])
        ux, uy, uz = isotropic(rng)
        energy = math.sqrt(p * p + clusters[i - 1] ** 2)
        if i == 1:
            out[0, 0] = energy
            out[0, 1], out[0, 2], out[0, 3] = p * ux, p * uy, p * uz
        for j in range(i if i > 1 else 0):
            boost(out[j], p * ux / energy, p * uy / energy, p * uz / energy)
        out[i, 0] = math.sqrt(p * p + masses[i] ** 2)
        out[i, 1], out[i, 2], out[i, 3] = -p * ux, -p * uy, -p * uz
