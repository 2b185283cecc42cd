"""From a hadronic system of mass W to hadrons.

The multiplicities are those of the AGKY model (Yang et al., Eur. Phys. J. C 63 (2009) 1,
arXiv:0904.4043, with the numbers of GENIE's configuration): <n_ch> = a + b ln W², KNO scaling with
a Levy function, pions and kaons in neutral pairs. The momenta are longitudinal phase space: limited
transverse momenta and uniform rapidities, scaled to conserve energy and momentum exactly (Jadach,
Comput. Phys. Commun. 9 (1975) 297).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuzoo.simulation.interactions.four_vectors import (
    Codes,
    FourVector,
    boost_from_rest,
    boost_to_rest,
    invariant_mass_squared,
    isotropic_direction,
    rotate_to,
    two_body_decay,
)
from nuzoo.simulation.interactions.masses import CHARGED_PION, LAMBDA, NUCLEON, mass_of

TOTAL_OVER_CHARGED = 1.2
TOTAL_OFFSET = 1.0
"""Hadrons = 1.2 charged ones + 1 on average; AGKY has 1.5 and 0, short of pions at low W."""
NEUTRAL_PAIR_SHARE = 0.31
KAON_PAIR_SHARE = 0.06
MEAN_TRANSVERSE_MOMENTUM = 330.0
MOST_HADRONS = 24
LAMBDA_SHARE = 0.06
BACKWARD_BARYON_SHARE = 0.85


@njit(cache=True)
def mean_charged(w: float, charge: int) -> tuple[float, float]:
    """Mean charged multiplicity, and the Levy parameter of its distribution.

    Args:
        w: Hadronic invariant mass, MeV.
        charge: Charge of the hadronic system: 2, 1 (neutrino on p, n), 0, -1 (antineutrino on p, n).

    Returns:
        (<n_ch>, c). Neutral currents (charge 1 for a proton, 0 for a neutron) take the values of
        the charged currents of the same charge.
    """
    log = np.log((w * 1e-3) ** 2)
    if charge == 2:
        return 0.40 + 1.42 * log, 7.93
    if charge == 1:
        return -0.20 + 1.42 * log, 5.22
    if charge == 0:
        return 0.02 + 1.28 * log, 5.22
    return 0.80 + 0.95 * log, 7.93


@njit(cache=True)
def draw_multiplicity(rng: np.random.Generator, w: float, charge: int) -> int:
    """Return the number of hadrons, baryon included, from KNO scaling; at least 2."""
    mean, levy = mean_charged(w, charge)
    scaled = (rng.poisson(levy) + rng.random() - 0.5) / levy
    number = int(TOTAL_OVER_CHARGED * mean * scaled + TOTAL_OFFSET + 0.5)
    room = 1 + int((w - NUCLEON) / (CHARGED_PION + 30.0))
    return min(max(number, 2), max(room, 2), MOST_HADRONS)


@njit(cache=True)
def _draw_rapidities(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Uniform numbers stretched to reach from 0 to 1; the first is mostly the lowest."""
    rapidity = np.empty(n)
    lowest, highest = 0, 0
    for i in range(n):
        rapidity[i] = rng.random()
        lowest = i if rapidity[i] < rapidity[lowest] else lowest
        highest = i if rapidity[i] > rapidity[highest] else highest
    least, width = rapidity[lowest], max(rapidity[highest] - rapidity[lowest], 1e-9)
    if rng.random() < BACKWARD_BARYON_SHARE:
        rapidity[lowest], rapidity[0] = rapidity[0], rapidity[lowest]
    for i in range(n):
        rapidity[i] = (rapidity[i] - least) / width
    return rapidity


@njit(cache=True)
def longitudinal_phase_space(
    rng: np.random.Generator, w: float, masses: NDArray[np.float64], p: FourVector
) -> None:
    """Momenta of the hadrons in their rest frame, along +z; row 0 tends to go backwards.

    Args:
        rng: Source of randomness.
        w: Invariant mass, MeV; above the sum of the masses.
        masses: (n,) MeV, n >= 2.
        p: float64 (n, 4). Written; momentum sums to zero and energy to `w` within rounding.
    """
    n = masses.shape[0]
    sum_x, sum_y, rest = 0.0, 0.0, 0.0
    for i in range(n):
        size = 0.5 * MEAN_TRANSVERSE_MOMENTUM * rng.standard_gamma(2.0)
        phi = 2.0 * np.pi * rng.random()
        p[i, 0], p[i, 1] = size * np.cos(phi), size * np.sin(phi)
        sum_x += p[i, 0] / n
        sum_y += p[i, 1] / n
        rest += masses[i]
    for i in range(n):
        p[i, 0] -= sum_x
        p[i, 1] -= sum_y
    transverse_mass = np.empty(n)
    total, shrink = w, 1.0
    while total > rest + 0.85 * (w - rest):
        total = 0.0
        for i in range(n):
            size_squared = shrink**2 * (p[i, 0] ** 2 + p[i, 1] ** 2)
            transverse_mass[i] = np.sqrt(masses[i] ** 2 + size_squared)
            total += transverse_mass[i]
        shrink *= 0.85
    shrink /= 0.85
    rapidity = _draw_rapidities(rng, n)
    low, high = 0.0, 2.0 * np.log(w / CHARGED_PION) + 2.0
    for _ in range(50):
        spread = 0.5 * (low + high)
        forward, backward = 0.0, 0.0
        for i in range(n):
            factor = np.exp(spread * rapidity[i])
            forward += transverse_mass[i] * factor
            backward += transverse_mass[i] / factor
        if forward * backward < w * w:
            low = spread
        else:
            high = spread
    offset = np.log(w / forward)
    for i in range(n):
        y = spread * rapidity[i] + offset
        p[i, 0] *= shrink
        p[i, 1] *= shrink
        p[i, 2] = transverse_mass[i] * np.sinh(y)
        p[i, 3] = transverse_mass[i] * np.cosh(y)


@njit(cache=True)
def _neutral_kaon(rng: np.random.Generator) -> int:
    return 130 if rng.random() < 0.5 else 310


@njit(cache=True)
def draw_species(rng: np.random.Generator, w: float, charge: int, number: int, pdg: Codes) -> int:
    """Choose the hadrons: a baryon first, then mesons that carry the remaining charge.

    Args:
        rng: Source of randomness.
        w: Hadronic invariant mass, MeV.
        charge: Charge of the system.
        number: Wanted number of hadrons.
        pdg: int32 (m,). Written from row 0.

    Returns:
        Number of hadrons (more than wanted where the charge needs it).
    """
    left = charge
    if charge >= 0 and w > LAMBDA + 700.0 and rng.random() < LAMBDA_SHARE:
        pdg[0] = 3122
        charged_kaon = charge > 0 and rng.random() < 0.6
        pdg[1] = 321 if charged_kaon else _neutral_kaon(rng)
        left -= 1 if charged_kaon else 0
        rows = 2
    else:
        proton = 2.0 / 3.0 if charge == 2 else (1.0 / 3.0 if charge < 0 else 0.5)
        pdg[0] = 2212 if rng.random() < proton else 2112
        left -= 1 if pdg[0] == 2212 else 0
        rows = 1
    while left != 0:
        pdg[rows] = 211 if left > 0 else -211
        left -= 1 if left > 0 else -1
        rows += 1
    if (number - rows) % 2 == 1:
        pdg[rows] = 111
        rows += 1
    budget = w
    for i in range(rows):
        budget -= mass_of(pdg[i])
    while rows < number:
        choice = rng.random()
        first, second = 211, -211
        if choice < NEUTRAL_PAIR_SHARE:
            first, second = 111, 111
        elif choice < NEUTRAL_PAIR_SHARE + KAON_PAIR_SHARE and budget > 1200.0:
            if choice < NEUTRAL_PAIR_SHARE + 0.5 * KAON_PAIR_SHARE:
                first, second = 321, -321
            else:
                first, second = _neutral_kaon(rng), _neutral_kaon(rng)
        pdg[rows], pdg[rows + 1] = first, second
        budget -= mass_of(first) + mass_of(second)
        rows += 2
    return rows


@njit(cache=True)
def _decay_lambda(rng, pdg, p, rows):
    if pdg[0] != 3122:
        return rows
    parent = p[0].copy()
    pdg[0], pdg[rows] = (2212, -211) if rng.random() < 0.641 else (2112, 111)
    direction = isotropic_direction(rng)
    two_body_decay(parent, mass_of(pdg[0]), mass_of(pdg[rows]), direction, p[0], p[rows])
    return rows + 1


@njit(cache=True)
def hadronise(
    rng: np.random.Generator,
    system: FourVector,
    boson: FourVector,
    charge: int,
    number: int,
    pdg: Codes,
    p: FourVector,
) -> int:
    """Turn a hadronic system into hadrons; a Λ decays on the spot.

    Args:
        rng: Source of randomness.
        system: Four-momentum of the system.
        boson: Four-momentum of the exchanged boson: the direction of the current.
        charge: Charge of the system.
        number: Wanted number of hadrons, at least 2.
        pdg: int32 (m,). Written from row 0.
        p: float64 (m, 4). Written from row 0.

    Returns:
        Number of hadrons, 0 if the mass does not suffice.
    """
    w = np.sqrt(invariant_mass_squared(system))
    for _ in range(20):
        rows = draw_species(rng, w, charge, number, pdg)
        masses = np.empty(rows)
        rest = 0.0
        for i in range(rows):
            masses[i] = mass_of(pdg[i])
            rest += masses[i]
        if rest + 5.0 < w:
            break
        number = max(number - 1, 2)
    else:
        return 0
    longitudinal_phase_space(rng, w, masses, p)
    axis = boson.copy()
    boost_to_rest(axis, system)
    for i in range(rows):
        rotate_to(p[i], axis)
        boost_from_rest(p[i], system)
    return _decay_lambda(rng, pdg, p, rows)
