"""The materials that particles are transported in.

Values: Particle Data Group, "Atomic and nuclear properties of materials"
(pdg.lbl.gov/AtomicNuclearProperties), with the density-effect parameters of Sternheimer, Berger and
Seltzer, At. Data Nucl. Data Tables 30 (1984) 261.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Material:
    """A homogeneous material.

    Attributes:
        name: Name used in `MATERIALS`.
        density: g/cm³.
        z_over_a: Mean Z/A, mol/g.
        atomic_number: Z of the element that dominates the radiation (the nucleus that hadrons meet).
        mass_number: A of the same element.
        mean_excitation: I, eV.
        sternheimer: Density-effect parameters (a, k, x0, x1, Cbar, delta0).
        radiation_length: X0, cm.
        critical_energy: Ec of electrons (Rossi), MeV.
        moliere_radius: cm.
        nucleon_interaction_length: cm, at a few GeV.
        pion_interaction_length: cm, at a few GeV.
        muon_capture_probability: Chance that a stopped mu- is captured rather than decays.
    """

    name: str
    density: float
    z_over_a: float
    atomic_number: float
    mass_number: float
    mean_excitation: float
    sternheimer: tuple[float, float, float, float, float, float]
    radiation_length: float
    critical_energy: float
    moliere_radius: float
    nucleon_interaction_length: float
    pion_interaction_length: float
    muon_capture_probability: float


LAR = Material(
    name="liquid_argon",
    density=1.396,
    z_over_a=0.45059,
    atomic_number=18.0,
    mass_number=39.948,
    mean_excitation=188.0,
    sternheimer=(0.19559, 3.0, 0.2, 3.0, 5.2146, 0.0),
    radiation_length=14.00,
    critical_energy=32.84,
    moliere_radius=9.04,
    nucleon_interaction_length=85.7,
    pion_interaction_length=106.7,
    muon_capture_probability=0.75,
)
POLYSTYRENE = Material(
    name="polystyrene",
    density=1.060,
    z_over_a=0.53768,
    atomic_number=6.0,
    mass_number=12.011,
    mean_excitation=68.7,
    sternheimer=(0.16454, 3.2224, 0.1647, 2.5031, 3.2999, 0.0),
    radiation_length=41.3,
    critical_energy=93.11,
    moliere_radius=9.4,
    nucleon_interaction_length=77.1,
    pion_interaction_length=108.0,
    muon_capture_probability=0.08,
)
TUNGSTEN = Material(
    name="tungsten",
    density=19.30,
    z_over_a=0.40252,
    atomic_number=74.0,
    mass_number=183.84,
    mean_excitation=727.0,
    sternheimer=(0.15509, 2.8447, 0.2167, 3.496, 5.4059, 0.14),
    radiation_length=0.3504,
    critical_energy=7.97,
    moliere_radius=0.93,
    nucleon_interaction_length=9.95,
    pion_interaction_length=11.33,
    muon_capture_probability=0.97,
)
IRON = Material(
    name="iron",
    density=7.874,
    z_over_a=0.46557,
    atomic_number=26.0,
    mass_number=55.845,
    mean_excitation=286.0,
    sternheimer=(0.14680, 2.9632, -0.0012, 3.1531, 4.2911, 0.12),
    radiation_length=1.757,
    critical_energy=21.68,
    moliere_radius=1.719,
    nucleon_interaction_length=16.77,
    pion_interaction_length=20.42,
    muon_capture_probability=0.91,
)
LEAD = Material(
    name="lead",
    density=11.35,
    z_over_a=0.39575,
    atomic_number=82.0,
    mass_number=207.2,
    mean_excitation=823.0,
    sternheimer=(0.09359, 3.1608, 0.3776, 3.8073, 6.2018, 0.14),
    radiation_length=0.5612,
    critical_energy=7.43,
    moliere_radius=1.602,
    nucleon_interaction_length=17.59,
    pion_interaction_length=19.93,
    muon_capture_probability=0.97,
)

MATERIALS: dict[str, Material] = {m.name: m for m in (LAR, POLYSTYRENE, TUNGSTEN, IRON, LEAD)}
