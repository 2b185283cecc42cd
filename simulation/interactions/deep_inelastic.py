"""Deep- (and shallow-) inelastic scattering at leading order.

Valence and sea densities are simple fixed shapes (x u_v ~ √x (1-x)³, x d_v ~ √x (1-x)⁴,
x sea ~ (1-x)⁷), the y dependence is 1 for quarks and (1-y)² for antiquarks (mirrored for
antineutrinos), and Q² / (Q² + 0.35 GeV²) takes the photo-production limit into account in the way of
Bodek & Yang (hep-ex/0308007). Below W = 1.7 GeV, where resonances take over, a part remains as the
non-resonant background.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nuzoo.simulation.interactions.channels import DIS_MINIMUM_W
from nuzoo.simulation.interactions.four_vectors import Codes, FourVector, invariant_mass_squared, scatter
from nuzoo.simulation.interactions.hadronisation import draw_multiplicity, hadronise
from nuzoo.simulation.interactions.masses import NUCLEON
from nuzoo.simulation.interactions.nucleus import Nucleus, Probe, draw_nucleon, draw_species
from nuzoo.simulation.interactions.quasi_elastic import MAX_TRIES, SIN2_WEINBERG

SEA = 0.17
LOW_Q_SQUARED = 0.35e6
BACKGROUND_SHARE = 0.40
"""Non-resonant background below W = 1.7 GeV, relative to the continued DIS cross-section."""
RESONANCE_LIMIT = 1700.0

# 1 / B(1/2, 4) and 1 / B(1/2, 5): two u and one d valence quark in the proton.
_UP_NORM = 2.0 * 1.09375
_DOWN_NORM = 1.23046875
_LEFT_UP, _LEFT_DOWN = 0.5 - 2.0 / 3.0 * SIN2_WEINBERG, -0.5 + 1.0 / 3.0 * SIN2_WEINBERG
_RIGHT_UP, _RIGHT_DOWN = -2.0 / 3.0 * SIN2_WEINBERG, 1.0 / 3.0 * SIN2_WEINBERG


@njit(cache=True)
def quark_weight(x: float, y: float, antineutrino: bool, is_cc: bool, hit: int) -> float:
    """d²σ/dx dy up to a constant, without the low-Q² and low-W factors.

    Args:
        x: Bjorken x.
        y: Inelasticity in the nucleon's rest frame.
        antineutrino: Whether the beam particle is an antineutrino.
        is_cc: Charged or neutral current.
        hit: PDG code of the struck nucleon.
    """
    up = _UP_NORM * np.sqrt(x) * (1.0 - x) ** 3
    down = _DOWN_NORM * np.sqrt(x) * (1.0 - x) ** 4
    sea = SEA * (1.0 - x) ** 7
    if hit == 2112:
        up, down = down, up
    flipped = (1.0 - y) ** 2
    if is_cc:
        return (up + sea) * flipped + sea if antineutrino else down + sea + sea * flipped
    left = _LEFT_UP**2 * (up + sea) + _LEFT_DOWN**2 * (down + sea)
    left += (_RIGHT_UP**2 + _RIGHT_DOWN**2) * sea
    right = _RIGHT_UP**2 * (up + sea) + _RIGHT_DOWN**2 * (down + sea)
    right += (_LEFT_UP**2 + _LEFT_DOWN**2) * sea
    return left * flipped + right if antineutrino else left + right * flipped


@njit(cache=True)
def _bound(antineutrino: bool, is_cc: bool) -> float:
    largest = 0.0
    for i in range(20):
        for hit in (2212, 2112):
            largest = max(largest, quark_weight(0.02 + 0.03 * i, 0.0, antineutrino, is_cc, hit))
    return 1.05 * largest


@njit(cache=True)
def deep_inelastic(
    rng: np.random.Generator, probe: Probe, nucleus: Nucleus, pdg: Codes, p: FourVector
) -> tuple[int, int]:
    """Make one inelastic event before final-state interactions; see `quasi_elastic`."""
    energy, antineutrino, is_cc, lepton_mass = probe
    bound = _bound(antineutrino, is_cc)
    step = (-1 if antineutrino else 1) if is_cc else 0
    for _ in range(MAX_TRIES):
        x, y = rng.random(), rng.random()
        hit = draw_species(rng, nucleus)
        target = draw_nucleon(rng, nucleus, hit, nucleus.removal_energy)
        rest_energy = energy * (target[3] - target[2]) / np.sqrt(invariant_mass_squared(target))
        q_squared = 2.0 * NUCLEON * rest_energy * x * y
        w_squared = NUCLEON**2 + 2.0 * NUCLEON * rest_energy * y * (1.0 - x)
        if w_squared < DIS_MINIMUM_W**2:
            continue
        weight = quark_weight(x, y, antineutrino, is_cc, hit)
        weight *= q_squared / (q_squared + LOW_Q_SQUARED)
        if w_squared < RESONANCE_LIMIT**2:
            weight *= BACKGROUND_SHARE
        if rng.random() * bound > weight:
            continue
        w = np.sqrt(w_squared)
        system = np.empty(4)
        if not scatter(rng, energy, target, w, q_squared, lepton_mass, p[0], system):
            continue
        charge = (1 if hit == 2212 else 0) + step
        number = draw_multiplicity(rng, w, charge)
        rows = hadronise(rng, system, system - target, charge, number, pdg[1:], p[1:])
        if rows > 0:
            return rows + 1, hit
    return 0, 0
