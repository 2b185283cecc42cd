"""Cross-sections of photons and of bremsstrahlung, per cm of a material, for the shower tables.

Pair production and bremsstrahlung are Bethe and Heitler's with the screening functions of Butcher and
Messel and, above 50 MeV, the Coulomb correction of Davies, Bethe and Maximon, scaled so that a
material's radiation length comes out as tabulated; Compton is Klein and Nishina's; the
photoelectric effect is Sauter's K-shell formula with Pratt's high-energy factor.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.materials import Material
from nuzoo.simulation.transport.energy_loss import BETHE_K, ELECTRON_MASS

FINE_STRUCTURE = 1 / 137.035999
COULOMB_FROM = 50.0
"""MeV; below, the Coulomb correction is left out (as in EGS)."""

Floats = NDArray[np.float64]


def screening_functions(delta: Floats) -> tuple[Floats, Floats]:
    """Butcher and Messel's Phi1 and Phi2 of the screening variable delta."""
    beyond = 21.12 - 4.184 * np.log(np.maximum(delta, 1.0) + 0.952)
    first = np.where(delta <= 1, 20.867 - 3.242 * delta + 0.625 * delta**2, beyond)
    second = np.where(delta <= 1, 20.209 - 1.930 * delta - 0.086 * delta**2, beyond)
    return first, second


def coulomb_correction(atomic_number: float) -> float:
    """f(Z) of Davies, Bethe and Maximon."""
    a2 = (FINE_STRUCTURE * atomic_number) ** 2
    return a2 * (1 / (1 + a2) + 0.20206 - 0.0369 * a2 + 0.0083 * a2**2 - 0.002 * a2**3)


def screening_offset(atomic_number: float, coulomb: bool) -> float:
    """Say what is subtracted from Phi1 and Phi2: 4/3 ln Z, plus 4 f(Z) with the Coulomb correction."""
    offset = 4 / 3 * math.log(atomic_number)
    return offset + 4 * coulomb_correction(atomic_number) * coulomb


def full_screening(atomic_number: float) -> float:
    """Phi1 - offset at complete screening, the value that belongs to the radiation length."""
    return 20.867 - screening_offset(atomic_number, True)


def _screened(material: Material, energy: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Screened Phi1 and Phi2, relative to complete screening, for E (n, 1) and shares (m,)."""
    z = material.atomic_number
    delta = 136 * z ** (-1 / 3) * share * ELECTRON_MASS / energy
    first, second = screening_functions(delta)
    offset = np.where(energy >= COULOMB_FROM, screening_offset(z, True), screening_offset(z, False))
    norm = full_screening(z)
    return np.maximum(first - offset, 0) / norm, np.maximum(second - offset, 0) / norm


def bremsstrahlung_spectrum(material: Material, total: Floats, share: Floats) -> Floats:
    """K dSigma/dk per cm, for electrons of total energy (n, 1) MeV and photon shares k/E (m,)."""
    first, second = _screened(material, total, share / np.maximum(1 - share, 1e-9))
    shape = (1 + (1 - share) ** 2) * first - 2 / 3 * (1 - share) * second
    return np.maximum(shape, 0) / material.radiation_length


def bremsstrahlung(material: Material, kinetic: Floats, cut: float) -> tuple[Floats, Floats]:
    """Emission of photons above a cut, and the loss to those below.

    Args:
        material: What the electron travels in.
        kinetic: MeV, (n,).
        cut: MeV.

    Returns:
        Photons above the cut per cm, and MeV per cm lost to photons below it; each (n,).
    """
    total = (kinetic + ELECTRON_MASS)[:, None]
    largest = kinetic[:, None]
    unit = (np.arange(400) + 0.5) / 400
    span = np.log(np.maximum(largest / cut, 1.0))
    hard = cut * np.exp(span * unit)
    rate = (bremsstrahlung_spectrum(material, total, hard / total) * span).mean(axis=1)
    soft = np.minimum(cut, largest) * unit
    width = np.minimum(cut, kinetic)
    loss = bremsstrahlung_spectrum(material, total, soft / total).mean(axis=1) * width
    return rate, loss


def pair_production(material: Material, energy: Floats) -> Floats:
    """Pairs per cm for photons of `energy` (n,) MeV."""
    share = (np.arange(400) + 0.5) / 400
    photon = energy[:, None]
    first, second = _screened(material, photon, 1 / (share * (1 - share)))
    shape = (share**2 + (1 - share) ** 2) * first + 2 / 3 * share * (1 - share) * second
    lowest = ELECTRON_MASS / photon
    allowed = (share > lowest) & (share < 1 - lowest)
    return (shape * allowed).mean(axis=1) / material.radiation_length


def compton(material: Material, energy: Floats) -> Floats:
    """Compton scatters per cm for photons of `energy` (n,) MeV (Klein and Nishina)."""
    a = energy / ELECTRON_MASS
    log = np.log1p(2 * a)
    bracket = (1 + a) / a**2 * (2 * (1 + a) / (1 + 2 * a) - log / a)
    bracket += log / (2 * a) - (1 + 3 * a) / (1 + 2 * a) ** 2
    return BETHE_K / (2 * ELECTRON_MASS) * material.z_over_a * material.density * bracket


def photoelectric(material: Material, energy: Floats) -> Floats:
    """Photoelectric absorptions per cm for photons of `energy` (n,) MeV."""
    z = material.atomic_number
    az = FINE_STRUCTURE * z
    gamma = 1 + energy / ELECTRON_MASS
    root = np.sqrt(gamma**2 - 1)
    angular = 4 / 3 + gamma * (gamma - 2) / (gamma + 1) * (1 - np.arccosh(gamma) / (gamma * root))
    thomson_per_electron = BETHE_K / ELECTRON_MASS * 2 / 3
    electrons = material.z_over_a * material.density
    pratt = math.exp(-math.pi * az + 2 * az**2 * (1 - math.log(az)))
    born = 1.5 * FINE_STRUCTURE**4 * z**4 * (ELECTRON_MASS / energy) ** 5 * root**3 * angular
    return thomson_per_electron * electrons * born * pratt
