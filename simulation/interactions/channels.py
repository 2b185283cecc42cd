"""Which channel a neutrino of a given energy takes.

The fractions of neutrino charged-current events up to 4 GeV are those of 1,000 GENIE events on
carbon; above, of GiBUU on oxygen and of the DUNE far-detector sample on argon. GiBUU books fewer
events as quasi-elastic than a constant cross-section of 1e-38 cm² per neutron gives, DUNE's mixture
of energies more; the values between 5 and 50 GeV here are the constant cross-section over the
measured total one (PDG review of neutrino cross-sections).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuzoo.simulation.interactions.masses import CHARGED_PION, NUCLEON

# Energy in MeV; columns QE, MEC, RES, DIS, COH of charged-current neutrino events.
_ENERGY = np.array([1e2, 2.5e2, 7.5e2, 1.25e3, 1.75e3, 2.5e3, 4e3, 6e3, 1.15e4, 2.25e4, 4e4, 6e4])
_FRACTIONS = np.array(
    [
        [0.97, 0.03, 0.00, 0.00, 0.000],
        [0.90, 0.06, 0.03, 0.00, 0.010],
        [0.63, 0.12, 0.24, 0.01, 0.005],
        [0.44, 0.09, 0.39, 0.07, 0.010],
        [0.29, 0.12, 0.44, 0.14, 0.008],
        [0.22, 0.06, 0.44, 0.27, 0.008],
        [0.15, 0.03, 0.36, 0.45, 0.010],
        [0.100, 0.020, 0.280, 0.590, 0.010],
        [0.050, 0.010, 0.150, 0.780, 0.010],
        [0.027, 0.005, 0.075, 0.885, 0.008],
        [0.013, 0.003, 0.034, 0.944, 0.006],
        [0.009, 0.002, 0.020, 0.964, 0.005],
    ]
)

# Cross-section of antineutrinos over that of neutrinos, by channel (low-energy value, value far
# above, energy of half-way in MeV): vector-axial interference cancels at low energy, and quarks
# outnumber antiquarks. Rounded from Formaggio & Zeller, Rev. Mod. Phys. 84 (2012) 1307.
_ANTI_LOW = np.array([0.20, 0.20, 0.20, 0.30, 1.0])
_ANTI_HIGH = np.array([1.00, 1.00, 0.90, 0.50, 1.0])
_ANTI_HALF = np.array([1500.0, 1500.0, 3000.0, 3000.0, 1.0])

DIS_MINIMUM_W = 1150.0
"""Smallest hadronic mass of the DIS channel, MeV."""

_MARGIN = 60.0


@njit(cache=True)
def fractions(energy: float, antineutrino: bool, lepton_mass: float) -> NDArray[np.float64]:
    """Return the share of each channel at one energy.

    Neutral currents are given the mixture of the charged ones: their ratio hardly depends on the channel
    (0.2 to 0.35).

    Args:
        energy: Neutrino energy, MeV.
        antineutrino: Whether the beam particle is an antineutrino.
        lepton_mass: Mass of the outgoing lepton, MeV; channels that it closes get 0.

    Returns:
        float64 (5,), in the order of `InteractionMode`, summing to 1.
    """
    share = np.empty(5)
    row = 1
    while row < _ENERGY.size - 1 and _ENERGY[row] < energy:
        row += 1
    part = (energy - _ENERGY[row - 1]) / (_ENERGY[row] - _ENERGY[row - 1])
    part = min(max(part, 0.0), 1.0)
    for mode in range(5):
        share[mode] = (1.0 - part) * _FRACTIONS[row - 1, mode] + part * _FRACTIONS[row, mode]
        if antineutrino:
            rise = energy / (energy + _ANTI_HALF[mode])
            share[mode] *= _ANTI_LOW[mode] + (_ANTI_HIGH[mode] - _ANTI_LOW[mode]) * rise
    lightest = np.array(
        [NUCLEON, NUCLEON + 100.0, NUCLEON + CHARGED_PION, DIS_MINIMUM_W, NUCLEON + CHARGED_PION]
    )
    for mode in range(1, 5):
        heaviest = lightest[mode] + lepton_mass
        if energy < (heaviest**2 - NUCLEON**2) / (2.0 * NUCLEON) + _MARGIN:
            share[mode] = 0.0
    return share / share.sum()
