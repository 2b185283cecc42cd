"""The neutrino, and the nucleus it strikes: a relativistic Fermi gas with a constant removal energy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from nuzoo.simulation.interactions.four_vectors import FourVector, isotropic_direction, set_momentum
from nuzoo.simulation.interactions.masses import NUCLEON, is_nucleon, mass_of


class Probe(NamedTuple):
    """A neutrino that comes along +z, and what it becomes.

    Attributes:
        energy: MeV.
        antineutrino: Whether it is an antineutrino.
        is_cc: Charged or neutral current.
        lepton_mass: Mass of the outgoing lepton, MeV.
    """

    energy: float
    antineutrino: bool
    is_cc: bool
    lepton_mass: float


class Nucleus(NamedTuple):
    """A target nucleus.

    Attributes:
        protons: Z.
        nucleons: A.
        fermi_momentum_proton: MeV/c.
        fermi_momentum_neutron: MeV/c.
        removal_energy: Energy that it takes to free one nucleon in the primary interaction, MeV.
        separation_energy: Energy that it takes to free one more nucleon, MeV.
    """

    protons: int
    nucleons: int
    fermi_momentum_proton: float
    fermi_momentum_neutron: float
    removal_energy: float
    separation_energy: float


# Fermi momenta and removal energies: GENIE defaults (GENIE-MC/Generator configuration @143b849).
# Separation energies: the binding energy per nucleon (AME2020, rounded).
ARGON = Nucleus(18, 40, 242.0, 259.0, 29.5, 8.6)
CARBON = Nucleus(6, 12, 221.0, 221.0, 25.0, 7.7)
OXYGEN = Nucleus(8, 16, 225.0, 225.0, 27.0, 8.0)


@njit(cache=True)
def fermi_momentum(nucleus: Nucleus, pdg: int) -> float:
    """Fermi momentum of a nucleon species, MeV/c."""
    return nucleus.fermi_momentum_proton if pdg == 2212 else nucleus.fermi_momentum_neutron


@njit(cache=True)
def draw_species(rng: np.random.Generator, nucleus: Nucleus) -> int:
    """PDG code of a nucleon drawn by number."""
    return 2212 if rng.random() * nucleus.nucleons < nucleus.protons else 2112


@njit(cache=True)
def draw_nucleon(rng: np.random.Generator, nucleus: Nucleus, pdg: int, removal_energy: float) -> FourVector:
    """Draw a bound nucleon: uniform in the Fermi sphere, off its mass shell.

    Its energy is the free mass less the removal energy and the recoil of the residual nucleus, so
    what the nucleus keeps is never negative.

    Args:
        rng: Source of randomness.
        nucleus: The nucleus.
        pdg: 2212 or 2112.
        removal_energy: MeV.

    Returns:
        Four-momentum (px, py, pz, E), MeV.
    """
    momentum = fermi_momentum(nucleus, pdg) * rng.random() ** (1.0 / 3.0)
    p = np.empty(4)
    set_momentum(p, momentum, isotropic_direction(rng), 0.0)
    recoil = momentum**2 / (2.0 * NUCLEON * max(nucleus.nucleons - 1, 1))
    p[3] = mass_of(pdg) - removal_energy - recoil
    return p


@njit(cache=True)
def is_pauli_blocked(nucleus: Nucleus, pdg: int, p: FourVector) -> bool:
    """Whether an outgoing nucleon would land in an occupied state."""
    return is_nucleon(pdg) and p[0] ** 2 + p[1] ** 2 + p[2] ** 2 < fermi_momentum(nucleus, pdg) ** 2
