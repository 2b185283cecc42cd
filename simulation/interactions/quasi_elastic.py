"""Quasi-elastic and neutral-current elastic scattering off one bound nucleon.

Llewellyn Smith, Phys. Rep. 3 (1972) 261, with dipole form factors; the axial mass is GENIE's
default, 0.99 GeV.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nuzoo.simulation.interactions.four_vectors import (
    Codes,
    FourVector,
    invariant_mass_squared,
    q_squared_limits,
    scatter,
)
from nuzoo.simulation.interactions.masses import CHARGED_PION, NUCLEON, mass_of
from nuzoo.simulation.interactions.nucleus import Nucleus, Probe, draw_nucleon, draw_species, is_pauli_blocked

AXIAL_MASS = 990.0
VECTOR_MASS_SQUARED = 0.71e6
AXIAL_COUPLING = 1.27
MU_PROTON = 2.793
MU_NEUTRON = -1.913
SIN2_WEINBERG = 0.2312
DIPOLE_SCALE = 1.0e6
MAX_TRIES = 20000


@njit(cache=True)
def _dirac_pauli(electric: float, magnetic: float, tau: float) -> tuple[float, float]:
    return (electric + tau * magnetic) / (1.0 + tau), (magnetic - electric) / (1.0 + tau)


@njit(cache=True)
def llewellyn_smith(
    energy: float, q_squared: float, lepton_mass: float, antineutrino: bool, is_cc: bool, hit: int
) -> float:
    """dσ/dQ² of (anti)neutrino-nucleon elastic scattering, up to a constant.

    Args:
        energy: Neutrino energy in the nucleon's rest frame, MeV.
        q_squared: Q², MeV².
        lepton_mass: Mass of the outgoing lepton, MeV.
        antineutrino: Whether the beam particle is an antineutrino.
        is_cc: Charged or neutral current.
        hit: PDG code of the struck nucleon (matters for the neutral current alone).

    Returns:
        Cross-section in units of G_F² cos²θ_C M² / (8π), per MeV²; never negative.
    """
    m2 = NUCLEON**2
    tau = q_squared / (4.0 * m2)
    dipole = 1.0 / (1.0 + q_squared / VECTOR_MASS_SQUARED) ** 2
    proton1, proton2 = _dirac_pauli(dipole, MU_PROTON * dipole, tau)
    neutron1, neutron2 = _dirac_pauli(0.0, MU_NEUTRON * dipole, tau)
    axial = AXIAL_COUPLING / (1.0 + q_squared / AXIAL_MASS**2) ** 2
    f1, f2, fa = proton1 - neutron1, proton2 - neutron2, axial
    if not is_cc:
        sign = 1.0 if hit == 2212 else -1.0
        weak = 0.5 - SIN2_WEINBERG
        f1 = sign * weak * f1 - SIN2_WEINBERG * (proton1 + neutron1)
        f2 = sign * weak * f2 - SIN2_WEINBERG * (proton2 + neutron2)
        fa = 0.5 * sign * axial
    fp = 2.0 * m2 * fa / (CHARGED_PION**2 + q_squared) if is_cc else 0.0
    l2 = lepton_mass**2
    a = (1.0 + tau) * fa**2 - (1.0 - tau) * f1**2 + tau * (1.0 - tau) * f2**2 + 4.0 * tau * f1 * f2
    a -= l2 / (4.0 * m2) * ((f1 + f2) ** 2 + (fa + 2.0 * fp) ** 2 - 4.0 * (1.0 + tau) * fp**2)
    a *= (l2 + q_squared) / m2
    b = q_squared / m2 * fa * (f1 + f2)
    c = 0.25 * (fa**2 + f1**2 + tau * f2**2)
    s_minus_u = (4.0 * NUCLEON * energy - q_squared - l2) / m2
    interference = -b if antineutrino else b
    return max(0.0, (a + interference * s_minus_u + c * s_minus_u**2) / energy**2)


@njit(cache=True)
def screening(q_squared: float) -> float:
    """Return the collective suppression of charged-current QE at low Q² (RPA) against Q² in MeV².

    A two-parameter curve near that of Nieves, Amaro & Valverde, Phys. Rev. C 70 (2004) 055503:
    0.55 at Q² = 0, 1 above 0.6 GeV².
    """
    return float(1.0 - 0.45 * np.exp(-q_squared / 0.2e6))


@njit(cache=True)
def draw_dipole(rng: np.random.Generator, low: float, high: float, scale: float) -> float:
    """Draw Q² between two limits with density 1 / (scale + Q²)²."""
    first, last = 1.0 / (scale + low), 1.0 / (scale + high)
    return 1.0 / (first + (last - first) * rng.random()) - scale


@njit(cache=True)
def llewellyn_smith_bound(
    energy: float, lepton_mass: float, antineutrino: bool, is_cc: bool, hit: int
) -> float:
    """Return an upper bound of dσ/dQ² (DIPOLE_SCALE + Q²)² for accept-reject, from a scan."""
    largest = 0.0
    limit = 4.0 * NUCLEON * energy**2 / (NUCLEON + 2.0 * energy)
    for i in range(32):
        u = i / 32.0
        q_squared = DIPOLE_SCALE * u * limit / (DIPOLE_SCALE + limit * (1.0 - u))
        weight = llewellyn_smith(energy, q_squared, lepton_mass, antineutrino, is_cc, hit)
        largest = max(largest, weight * (DIPOLE_SCALE + q_squared) ** 2)
    return 1.5 * largest


@njit(cache=True)
def quasi_elastic(
    rng: np.random.Generator, probe: Probe, nucleus: Nucleus, pdg: Codes, p: FourVector
) -> tuple[int, int]:
    """Make one quasi-elastic event before final-state interactions.

    Args:
        rng: Source of randomness.
        probe: The neutrino.
        nucleus: The target.
        pdg: int32 (m,). Written from row 1: the hadrons.
        p: float64 (m, 4). Written from row 0: the lepton, then the hadrons.

    Returns:
        (rows in use, PDG code of the struck nucleon); 0 rows if the phase space is closed.
    """
    energy, antineutrino, is_cc, lepton_mass = probe
    for _ in range(MAX_TRIES):
        hit = draw_species(rng, nucleus)
        if is_cc:
            hit = 2212 if antineutrino else 2112
        out = hit
        if is_cc:
            out = 2112 if antineutrino else 2212
        target = draw_nucleon(rng, nucleus, hit, nucleus.removal_energy)
        rest_energy = energy * (target[3] - target[2]) / np.sqrt(invariant_mass_squared(target))
        mass = mass_of(out)
        low, high = q_squared_limits(energy, target, mass, lepton_mass)
        if low >= high:
            continue
        q_squared = draw_dipole(rng, low, high, DIPOLE_SCALE)
        weight = llewellyn_smith(rest_energy, q_squared, lepton_mass, antineutrino, is_cc, hit)
        weight *= (DIPOLE_SCALE + q_squared) ** 2
        weight *= screening(q_squared) if is_cc else 1.0
        bound = llewellyn_smith_bound(rest_energy, lepton_mass, antineutrino, is_cc, hit)
        if rng.random() * bound > weight:
            continue
        if not scatter(rng, energy, target, mass, q_squared, lepton_mass, p[0], p[1]):
            continue
        if is_pauli_blocked(nucleus, out, p[1]):
            continue
        pdg[1] = out
        return 2, hit
    return 0, 0
