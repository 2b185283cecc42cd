"""Particle masses in MeV (Particle Data Group 2024), for the particles that interactions make."""

from __future__ import annotations

from numba import njit

ELECTRON = 0.51099895
MUON = 105.6583755
TAU = 1776.93
PROTON = 938.27208816
NEUTRON = 939.5654205
NUCLEON = 0.5 * (PROTON + NEUTRON)
CHARGED_PION = 139.57039
NEUTRAL_PION = 134.9768
CHARGED_KAON = 493.677
NEUTRAL_KAON = 497.611
LAMBDA = 1115.683
DELTA = 1232.0

MASSES: dict[int, float] = {
    11: ELECTRON,
    12: 0.0,
    13: MUON,
    14: 0.0,
    15: TAU,
    16: 0.0,
    22: 0.0,
    111: NEUTRAL_PION,
    130: NEUTRAL_KAON,
    211: CHARGED_PION,
    310: NEUTRAL_KAON,
    311: NEUTRAL_KAON,
    321: CHARGED_KAON,
    2112: NEUTRON,
    2212: PROTON,
    3122: LAMBDA,
}


@njit(cache=True)
def mass_of(pdg: int) -> float:
    """Mass of a particle for use inside compiled code.

    Args:
        pdg: PDG code of a particle in `MASSES`, or of its antiparticle.

    Returns:
        Mass in MeV; NaN for a particle that interactions do not make.
    """
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
