"""Coherent pion production: the nucleus stays in its ground state and takes almost no energy.

The variables and the exponential fall with |t| are those of Rein & Sehgal, Nucl. Phys. B 223 (1983)
29; the spectrum of the pion is a simple power law.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nuzoo.simulation.interactions.four_vectors import Codes, FourVector, direction_about, set_momentum
from nuzoo.simulation.interactions.masses import mass_of
from nuzoo.simulation.interactions.nucleus import Nucleus, Probe
from nuzoo.simulation.interactions.quasi_elastic import MAX_TRIES, draw_dipole

AXIAL_MASS_SQUARED = 1.0e6
HBAR_C = 197.3269804


@njit(cache=True)
def coherent(
    rng: np.random.Generator, probe: Probe, nucleus: Nucleus, pdg: Codes, p: FourVector
) -> tuple[int, int]:
    """Make one coherent event; see `quasi_elastic`. The struck nucleon is 0."""
    energy, antineutrino, is_cc, lepton_mass = probe
    pion = 111
    if is_cc:
        pion = -211 if antineutrino else 211
    mass = mass_of(pion)
    slope = (nucleus.nucleons ** (1.0 / 3.0) / HBAR_C) ** 2 / 3.0
    for _ in range(MAX_TRIES):
        y = 1.0 - np.sqrt(rng.random())
        transfer = y * energy
        lepton_energy = energy - transfer
        if transfer < mass + 10.0 or lepton_energy <= lepton_mass:
            continue
        lepton_momentum = np.sqrt(lepton_energy**2 - lepton_mass**2)
        low = 2.0 * energy * (lepton_energy - lepton_momentum) - lepton_mass**2
        high = 2.0 * energy * (lepton_energy + lepton_momentum) - lepton_mass**2
        q_squared = draw_dipole(rng, max(low, 0.0), high, AXIAL_MASS_SQUARED)
        momentum_transfer = np.sqrt(transfer**2 + q_squared)
        pion_momentum = np.sqrt(transfer**2 - mass**2)
        least_t = (momentum_transfer - pion_momentum) ** 2
        if rng.random() > np.exp(-slope * least_t):
            continue
        t = least_t + rng.exponential() / slope
        cosine = (2.0 * transfer**2 + q_squared - mass**2 - t) / (2.0 * momentum_transfer * pion_momentum)
        if cosine < -1.0:
            continue
        lepton_cosine = (2.0 * energy * lepton_energy - q_squared - lepton_mass**2) / (
            2.0 * energy * lepton_momentum
        )
        beam = np.array([0.0, 0.0, 1.0])
        direction = direction_about(rng, beam, lepton_cosine)
        set_momentum(p[0], lepton_momentum, direction, lepton_mass)
        boson = np.array([-p[0, 0], -p[0, 1], energy - p[0, 2]])
        set_momentum(p[1], pion_momentum, direction_about(rng, boson, min(cosine, 1.0)), mass)
        pdg[1] = pion
        return 2, 0
    return 0, 0
