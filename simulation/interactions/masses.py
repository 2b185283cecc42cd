"""Masses in MeV of the particles that interactions make, for compiled code."""

from __future__ import annotations

from numba import njit

from nuzoo.simulation.particles import MASS, SPECIES_OF

_CODES = (11, 12, 13, 14, 15, 16, 22, 111, 130, 211, 310, 311, 321, 2112, 2212, 3122)
MASSES: dict[int, float] = {code: float(MASS[SPECIES_OF[code]]) for code in _CODES}

ELECTRON, MUON, TAU = MASSES[11], MASSES[13], MASSES[15]
PROTON, NEUTRON, LAMBDA = MASSES[2212], MASSES[2112], MASSES[3122]
NUCLEON = 0.5 * (PROTON + NEUTRON)
CHARGED_PION, NEUTRAL_PION = MASSES[211], MASSES[111]
CHARGED_KAON, NEUTRAL_KAON = MASSES[321], MASSES[311]
DELTA = 1232.0


@njit(cache=True)
def mass_of(pdg: int) -> float:
    """Return the mass (MeV) of a particle in `MASSES`, or of its antiparticle; NaN for any other."""
    code = abs(pdg)
    if code == 2212:
        return PROTON
    if code == 2112:
        return NEUTRON
    if code == 211:
        return CHARGED_PION
    if code == 111:
        return NEUTRAL_PION
    if code == 11:
        return ELECTRON
    if code == 13:
        return MUON
    if code == 15:
        return TAU
    if code == 321:
        return CHARGED_KAON
    if code == 130 or code == 310 or code == 311:
        return NEUTRAL_KAON
    if code == 3122:
        return LAMBDA
    if code == 12 or code == 14 or code == 16 or code == 22:
        return 0.0
    return float("nan")


@njit(cache=True)
def is_nucleon(pdg: int) -> bool:
    """Whether a PDG code is a proton or a neutron."""
    return pdg == 2212 or pdg == 2112
