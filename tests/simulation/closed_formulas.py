"""How charged particles lose energy and scatter: closed formulas, vectorised over kinetic energy.

Source of the formulas: Particle Data Group, "Passage of particles through matter" (2024), and for
electrons Berger and Seltzer (1964) as given in the Geant4 physics reference manual, "Ionisation".
"""

import numpy as np
from numpy.typing import ArrayLike

from nuzoo.simulation.materials import Material
from nuzoo.simulation.transport.energy_loss import ELECTRON_MASS, Floats, density_effect, landau_width_per_cm


def max_transfer(mass: float, kinetic: ArrayLike) -> Floats:
    """Largest energy in MeV that a heavy particle can give to a free electron."""
    gamma = 1 + np.asarray(kinetic, dtype=float) / mass
    ratio = ELECTRON_MASS / mass
    return 2 * ELECTRON_MASS * (gamma**2 - 1) / (1 + 2 * gamma * ratio + ratio**2)


def stopping_power(
    material: Material, mass: float, kinetic: ArrayLike, charge: float = 1.0, cut: float = np.inf
) -> Floats:
    """Mean ionisation loss (Bethe) of a heavy particle.

    Args:
        material: What it travels in.
        mass: MeV.
        kinetic: MeV, any shape.
        charge: In units of e.
        cut: MeV; losses above it (delta rays) are left out (restricted loss).

    Returns:
        dE/dx in MeV/cm, the shape of `kinetic`.
    """
    gamma = 1 + np.asarray(kinetic, dtype=float) / mass
    bg2 = gamma**2 - 1
    beta2 = bg2 / gamma**2
    largest = max_transfer(mass, kinetic)
    upper = np.minimum(cut, largest)
    excitation = material.mean_excitation * 1e-6
    bracket = (
        np.log(2 * ELECTRON_MASS * bg2 * upper / excitation**2)
        - beta2 * (1 + upper / largest)
        - density_effect(material, np.sqrt(bg2))
    )
    return landau_width_per_cm(material) * charge**2 / beta2 * bracket


def electron_stopping_power(material: Material, kinetic: ArrayLike) -> Floats:
    """Mean collision loss of electrons in MeV/cm (Berger and Seltzer, Moller scattering)."""
    tau = np.asarray(kinetic, dtype=float) / ELECTRON_MASS
    gamma = 1 + tau
    beta2 = 1 - 1 / gamma**2
    excitation = material.mean_excitation * 1e-6 / ELECTRON_MASS
    exchange = 1 - beta2 + (tau**2 / 8 - (2 * tau + 1) * np.log(2)) / gamma**2
    bracket = (
        np.log(tau**2 * (tau + 2) / 2 / excitation**2)
        + exchange
        - density_effect(material, np.sqrt(gamma**2 - 1))
    )
    return landau_width_per_cm(material) / beta2 * bracket


def csda_range(material: Material, mass: float, kinetic: ArrayLike, charge: float = 1.0) -> Floats:
    """Range in cm in the continuous-slowing-down approximation.

    The Bethe formula is integrated from 1 MeV per 938 MeV of mass; below, where it fails, the loss is
    taken as proportional to the square root of the kinetic energy, which adds tens of micrometres.

    Args:
        material: What it travels in.
        mass: MeV.
        kinetic: MeV, any shape.
        charge: In units of e.
    """
    lowest = mass / 938.272
    grid = np.geomspace(lowest, max(float(np.max(kinetic)), 2 * lowest), 2000)
    inverse = 1 / stopping_power(material, mass, grid, charge)
    widths = np.diff(np.log(grid))
    steps = 0.5 * (inverse[1:] * grid[1:] + inverse[:-1] * grid[:-1]) * widths
    total = 2 * lowest * inverse[0] + np.concatenate([[0.0], np.cumsum(steps)])
    return np.interp(np.asarray(kinetic, dtype=float), grid, total)


def landau_most_probable_loss(
    material: Material, mass: float, kinetic: ArrayLike, thickness: ArrayLike, charge: float = 1.0
) -> Floats:
    """Most probable energy loss in MeV in a thin layer (Landau, Vavilov, Bichsel).

    Args:
        material: What it travels in.
        mass: MeV.
        kinetic: MeV.
        thickness: cm.
        charge: In units of e.
    """
    gamma = 1 + np.asarray(kinetic, dtype=float) / mass
    bg2 = gamma**2 - 1
    beta2 = bg2 / gamma**2
    xi = landau_width_per_cm(material) * charge**2 * np.asarray(thickness, dtype=float) / beta2
    excitation = material.mean_excitation * 1e-6
    return xi * (
        np.log(2 * ELECTRON_MASS * bg2 / excitation)
        + np.log(xi / excitation)
        + 0.200
        - beta2
        - density_effect(material, np.sqrt(bg2))
    )


def highland_angle(
    material: Material, mass: float, kinetic: ArrayLike, thickness: ArrayLike, charge: float = 1.0
) -> Floats:
    """RMS of the plane projected multiple scattering angle in rad (Highland; Lynch and Dahl).

    Args:
        material: What it travels in.
        mass: MeV.
        kinetic: MeV.
        thickness: cm.
        charge: In units of e.
    """
    energy = np.asarray(kinetic, dtype=float)
    beta_p = energy * (energy + 2 * mass) / (energy + mass)
    lengths = np.asarray(thickness, dtype=float) / material.radiation_length
    return 13.6 / beta_p * abs(charge) * np.sqrt(lengths) * (1 + 0.038 * np.log(lengths))
