"""N-body phase space (Raubold and Lynch, CERN 68-15) and Lorentz boosts, for the transport.

Particles are rows of two arrays: `kinds` (n,) species and `four` (n, 4) E, px, py, pz in MeV.
"""

from __future__ import annotations

import math

import numpy as np

from nuzoo.simulation.particles import MASS
from nuzoo.simulation.transport.kernel import inner
from nuzoo.simulation.transport.vectors import isotropic

MAX_TRIES = 1000


@inner
def two_body_momentum(mass, first, second):
    """Momentum in MeV/c of the products of a two-body decay in the rest frame."""
    product = (mass**2 - (first + second) ** 2) * (mass**2 - (first - second) ** 2)
    return math.sqrt(max(product, 0.0)) / (2 * mass)


@inner
def set_row(four, row, energy, px, py, pz):
    """Write one four-momentum."""
    four[row, 0], four[row, 1], four[row, 2], four[row, 3] = energy, px, py, pz


@inner
def boost(four, first, last, bx, by, bz):
    """Boost the rows first <= row < last in place by a velocity in units of c."""
    b2 = bx * bx + by * by + bz * bz
    if b2 <= 0:
        return
    gamma = 1 / math.sqrt(max(1 - b2, 1e-15))
    for row in range(first, last):
        along = bx * four[row, 1] + by * four[row, 2] + bz * four[row, 3]
        factor = (gamma - 1) / b2 * along + gamma * four[row, 0]
        four[row, 0] = gamma * (four[row, 0] + along)
        four[row, 1] += factor * bx
        four[row, 2] += factor * by
        four[row, 3] += factor * bz


@inner
def share_out(rng, mass, px, py, pz, kinds, four, first, last):
    """Decay a cluster uniformly in phase space into the rows first <= row < last.

    Args:
        rng: Generator.
        mass: MeV of the cluster, above the sum of the masses.
        px: Momentum of the cluster, MeV/c.
        py: The same.
        pz: The same.
        kinds: Species.
        four: Four-momenta, filled.
        first: First row.
        last: One past the last row.
    """
    n = last - first
    energy = math.sqrt(mass * mass + px * px + py * py + pz * pz)
    if n == 1:
        set_row(four, first, energy, px, py, pz)
        return
    clusters = np.empty(n)
    _draw_clusters(rng, mass, kinds, first, clusters)
    for i in range(1, n):
        p = two_body_momentum(clusters[i], clusters[i - 1], MASS[kinds[first + i]])
        ux, uy, uz = isotropic(rng)
        recoil = math.sqrt(p * p + clusters[i - 1] ** 2)
        if i == 1:
            set_row(four, first, recoil, p * ux, p * uy, p * uz)
        else:
            boost(four, first, first + i, p * ux / recoil, p * uy / recoil, p * uz / recoil)
        other = math.sqrt(p * p + MASS[kinds[first + i]] ** 2)
        set_row(four, first + i, other, -p * ux, -p * uy, -p * uz)
    boost(four, first, last, px / energy, py / energy, pz / energy)


@inner
def _draw_clusters(rng, mass, kinds, first, clusters):
    """Masses of the first 1, 2, ... n particles together, accepted by the phase-space weight."""
    n = len(clusters)
    free = mass
    for i in range(n):
        free -= MASS[kinds[first + i]]
    highest, lower, upper = 1.0, MASS[kinds[first]], free + MASS[kinds[first]]
    for i in range(1, n):
        upper += MASS[kinds[first + i]]
        highest *= two_body_momentum(upper, lower, MASS[kinds[first + i]])
        lower += MASS[kinds[first + i]]
    for _ in range(MAX_TRIES):
        _sorted_uniform(rng, clusters)
        weight, below = 1.0, 0.0
        for i in range(n):
            below += MASS[kinds[first + i]]
            clusters[i] = below + clusters[i] * free
            if i > 0:
                weight *= two_body_momentum(clusters[i], clusters[i - 1], MASS[kinds[first + i]])
        if weight >= rng.random() * highest:
            return


@inner
def _sorted_uniform(rng, out):
    """Fill with 0, uniform numbers in rising order, 1."""
    n = len(out)
    out[0], out[n - 1] = 0.0, 1.0
    for i in range(1, n - 1):
        u, j = rng.random(), i
        while out[j - 1] > u:
            out[j] = out[j - 1]
            j -= 1
        out[j] = u
