"""A material as the transport kernel reads it: plain numbers and tables on logarithmic energy grids."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.materials import LAR, Material
from nuzoo.simulation.transport import electromagnetic
from nuzoo.simulation.transport.energy_loss import ELECTRON_MASS, density_effect, landau_width_per_cm
from nuzoo.simulation.transport.kernel import inner

PHOTON_CUT = 0.5
"""MeV; softer bremsstrahlung is a continuous loss of the electron."""

GRID_LOW = 0.01
GRID_PER_DECADE = 40
GRID_SIZE = 10 * GRID_PER_DECADE + 1
"""Energy grid from 10 keV to 100 TeV."""

_PION_LENGTHS = (
    (1.0, 20.0, 50.0, 80.0, 120.0, 160.0, 200.0, 240.0, 300.0, 480.0, 870.0, 2900.0, 9900.0),
    (300.0, 300.0, 160.0, 105.0, 75.0, 60.0, 53.0, 51.0, 57.0, 87.0, 91.0, 97.0, 110.0),
)
"""Kinetic energy in MeV and mean free path in cm in liquid argon: 240 MeV and above from PythiaCascade
(8.317); below, the fall of the Delta resonance as in Ashery et al., Phys. Rev. C 23 (1981) 2173."""

_NUCLEON_LENGTHS = (
    (1.0, 5.0, 10.0, 20.0, 40.0, 100.0, 600.0, 1300.0, 4000.0, 10000.0),
    (5000.0, 250.0, 90.0, 62.0, 72.0, 85.0, 88.0, 91.0, 88.0, 85.7),
)
"""The same for nucleons: total reaction cross-section of Ca-40 (Carlson, At. Data Nucl. Data Tables 63
(1996) 93: about 0.9 b at 20 MeV, 0.55 to 0.6 b from 100 MeV up)."""

_NEUTRON_ELASTIC_LENGTHS = (
    (0.01, 1.0, 3.0, 10.0, 20.0, 50.0, 100.0),
    (50.0, 22.0, 14.0, 22.0, 35.0, 60.0, 120.0),
)
"""Elastic scattering of neutrons on argon, smoothed over resonances (about 2 to 3 b at a few MeV)."""


class Medium(NamedTuple):
    """What the kernel needs to know of a material.

    Attributes:
        xi_per_cm: K/2 <Z/A> rho, MeV/cm.
        excitation: I, MeV.
        sternheimer: (6,) density-effect parameters.
        radiation_length: cm.
        critical_energy: MeV.
        moliere_radius: cm.
        atomic_number: Z.
        mass_number: A.
        muon_capture: Chance of capture of a stopped mu-.
        screening: (4,) Z^(-1/3), the two offsets of Phi, and Phi1 - offset at complete screening.
        electron_log: What does not depend on the cut in Berger and Seltzer's bracket for electrons.
        brems_rate: Photons above `PHOTON_CUT` per cm against kinetic energy.
        brems_loss: MeV/cm to softer photons.
        photon_rate: Interactions of photons per cm.
        pair_share: Fraction of these that are pairs.
        compton_share: Fraction that are pairs or Compton scatters.
        pion_rate: Hadronic interactions of pions per cm.
        nucleon_rate: Of nucleons (and, scaled, of all else), per cm.
        elastic_rate: Elastic scatters of neutrons per cm.
    """

    xi_per_cm: float
    excitation: float
    sternheimer: NDArray[np.float64]
    radiation_length: float
    critical_energy: float
    moliere_radius: float
    atomic_number: float
    mass_number: float
    muon_capture: float
    screening: NDArray[np.float64]
    electron_log: NDArray[np.float64]
    brems_rate: NDArray[np.float64]
    brems_loss: NDArray[np.float64]
    photon_rate: NDArray[np.float64]
    pair_share: NDArray[np.float64]
    compton_share: NDArray[np.float64]
    pion_rate: NDArray[np.float64]
    nucleon_rate: NDArray[np.float64]
    elastic_rate: NDArray[np.float64]


def energy_grid() -> NDArray[np.float64]:
    """Return the energies in MeV that the tables are made at."""
    return GRID_LOW * 10 ** (np.arange(GRID_SIZE) / GRID_PER_DECADE)


@inner
def find_place(energy):
    """Where an energy in MeV lies on the grid: the point below it, and the part of the way to the next."""
    place = math.log10(max(energy, GRID_LOW) / GRID_LOW) * GRID_PER_DECADE
    low = min(int(place), GRID_SIZE - 2)
    return low, min(place - low, 1.0)


@inner
def read(table, low, part):
    """Interpolate a table between a grid point and the next (linear in the logarithm of the energy)."""
    return table[low] + part * (table[low + 1] - table[low])


@inner
def look_up(table, energy):
    """Interpolate a table at an energy in MeV."""
    low, part = find_place(energy)
    return read(table, low, part)


def _hadronic_rate(points: tuple[tuple[float, ...], tuple[float, ...]], scale: float) -> NDArray[np.float64]:
    energies, lengths = points
    logs = np.interp(np.log(energy_grid()), np.log(energies), np.log(lengths))
    rate = 1 / (np.exp(logs) * scale)
    return np.where(energy_grid() < energies[0], 0.0, rate)


def _electron_log(material: Material) -> NDArray[np.float64]:
    gamma = 1 + energy_grid() / ELECTRON_MASS
    excitation = material.mean_excitation * 1e-6 / ELECTRON_MASS
    delta = density_effect(material, np.sqrt(gamma**2 - 1))
    return np.log(2 * (gamma + 1) / excitation**2) - delta - (2 - 1 / gamma**2)


@functools.lru_cache(maxsize=32)
def tabulate(material: Material) -> Medium:
    """Make (once for each material) the tables that the transport kernel reads."""
    grid = energy_grid()
    rate, loss = electromagnetic.bremsstrahlung(material, grid, PHOTON_CUT)
    pair = electromagnetic.pair_production(material, grid)
    compton = electromagnetic.compton(material, grid)
    total = pair + compton + electromagnetic.photoelectric(material, grid)
    z = material.atomic_number
    pion_scale = material.pion_interaction_length / LAR.pion_interaction_length
    nucleon_scale = material.nucleon_interaction_length / LAR.nucleon_interaction_length
    return Medium(
        xi_per_cm=landau_width_per_cm(material),
        excitation=material.mean_excitation * 1e-6,
        sternheimer=np.array(material.sternheimer),
        radiation_length=material.radiation_length,
        critical_energy=material.critical_energy,
        moliere_radius=material.moliere_radius,
        atomic_number=z,
        mass_number=material.mass_number,
        muon_capture=material.muon_capture_probability,
        screening=np.array(
            [
                z ** (-1 / 3),
                electromagnetic.screening_offset(z, False),
                electromagnetic.screening_offset(z, True),
                electromagnetic.full_screening(z),
            ]
        ),
        electron_log=_electron_log(material),
        brems_rate=rate,
        brems_loss=loss,
        photon_rate=total,
        pair_share=pair / total,
        compton_share=(pair + compton) / total,
        pion_rate=_hadronic_rate(_PION_LENGTHS, pion_scale),
        nucleon_rate=_hadronic_rate(_NUCLEON_LENGTHS, nucleon_scale),
        elastic_rate=_hadronic_rate(_NEUTRON_ELASTIC_LENGTHS, nucleon_scale),
    )
