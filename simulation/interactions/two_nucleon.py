"""Scattering off a correlated pair of nucleons (meson-exchange currents, "2p2h").

An empirical model in the manner of GENIE's (Katori, arXiv:1304.6014): a nucleon-nucleon cluster
takes the momentum transfer with the quasi-elastic Q² dependence, its mass lies between the
quasi-elastic and the Δ peaks, and it breaks up isotropically.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nuzoo.simulation.interactions.four_vectors import (
    Codes,
    FourVector,
    invariant_mass_squared,
    isotropic_direction,
    q_squared_limits,
    scatter,
    two_body_decay,
)
from nuzoo.simulation.interactions.masses import NUCLEON, mass_of
from nuzoo.simulation.interactions.nucleus import Nucleus, Probe, draw_nucleon, draw_species, is_pauli_blocked
from nuzoo.simulation.interactions.quasi_elastic import (
    DIPOLE_SCALE,
    MAX_TRIES,
    draw_dipole,
    llewellyn_smith,
    llewellyn_smith_bound,
)

MIXED_PAIR_SHARE = 0.8
"""Share of proton-neutron pairs among the struck ones (GENIE's empirical model)."""

PAIR_SCALE = 1.0e6
"""Scale of the pair's form factor 1 / (1 + Q²/scale)², MeV²."""

EXCITATION_MEAN = 240.0
EXCITATION_WIDTH = 90.0
"""Mass of the cluster above that of a quasi-elastically hit one, MeV."""


@njit(cache=True)
def two_nucleon(
    rng: np.random.Generator, probe: Probe, nucleus: Nucleus, pdg: Codes, p: FourVector
) -> tuple[int, int]:
    """Make one two-nucleon event before final-state interactions; see `quasi_elastic`."""
    energy, antineutrino, is_cc, lepton_mass = probe
    for _ in range(MAX_TRIES):
        hit = draw_species(rng, nucleus)
        if is_cc:
            hit = 2212 if antineutrino else 2112
        other = 4324 - hit if rng.random() < MIXED_PAIR_SHARE else hit
        out = 4324 - hit if is_cc else hit
        cluster = draw_nucleon(rng, nucleus, hit, nucleus.removal_energy)
        cluster += draw_nucleon(rng, nucleus, other, nucleus.removal_energy)
        rest_energy = energy * (cluster[3] - cluster[2]) / np.sqrt(invariant_mass_squared(cluster))
        low, high = q_squared_limits(energy, cluster, 2.0 * NUCLEON, lepton_mass)
        if low >= high:
            continue
        q_squared = draw_dipole(rng, low, high, DIPOLE_SCALE)
        weight = llewellyn_smith(rest_energy, q_squared, lepton_mass, antineutrino, is_cc, hit)
        weight *= (DIPOLE_SCALE + q_squared) ** 2 / (1.0 + q_squared / PAIR_SCALE) ** 2
        bound = llewellyn_smith_bound(rest_energy, lepton_mass, antineutrino, is_cc, hit)
        if rng.random() * bound > weight:
            continue
        mass = 2.0 * NUCLEON + q_squared / (4.0 * NUCLEON)
        mass += EXCITATION_MEAN + EXCITATION_WIDTH * rng.standard_normal()
        if mass < mass_of(out) + mass_of(other):
            continue
        pair = np.empty(4)
        if not scatter(rng, energy, cluster, mass, q_squared, lepton_mass, p[0], pair):
            continue
        direction = isotropic_direction(rng)
        two_body_decay(pair, mass_of(out), mass_of(other), direction, p[1], p[2])
        if is_pauli_blocked(nucleus, out, p[1]) or is_pauli_blocked(nucleus, other, p[2]):
            continue
        pdg[1], pdg[2] = out, other
        return 3, hit
    return 0, 0
