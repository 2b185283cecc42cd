import os
from pathlib import Path

import numpy as np
import pytest

from nuzoo.simulation.materials import LAR, POLYSTYRENE, TUNGSTEN, Material
from nuzoo.simulation.transport import electromagnetic
from nuzoo.simulation.transport.energy_loss import density_effect, landau_width_per_cm

from .closed_formulas import (
    csda_range,
    electron_stopping_power,
    highland_angle,
    landau_most_probable_loss,
    max_transfer,
    stopping_power,
)

DATA = Path(os.environ.get("NUZOO_DATA", Path(__file__).parents[3] / "shared" / "data"))
MUON, PION, PROTON = 105.6583755, 139.57039, 938.27208816

# CSDA ranges in cm of liquid argon, 1.396 g/cm³. Muons: PDG (Groom, Mokhov, Striganov 2001);
# protons: NIST PSTAR; pions: Bethe's formula as tabulated by DeepLearnPhysics/lartpc_mlreco3d.
RANGES = [
    (MUON, 100.0, 30.44),
    (MUON, 500.0, 217.4),
    (MUON, 1000.0, 441.5),
    (PION, 100.0, 26.91),
    (PION, 500.0, 212.3),
    (PION, 1000.0, 441.8),
    (PROTON, 100.0, 7.822),
    (PROTON, 500.0, 115.6),
    (PROTON, 1000.0, 319.1),
]
# Mean ionisation loss of muons in argon, MeV cm²/g (PDG muon tables)
MUON_LOSS = [(10.0, 5.687), (100.0, 1.669), (300.0, 1.509), (1000.0, 1.644), (10_000.0, 2.003)]


@pytest.mark.parametrize(("mass", "kinetic", "expected"), RANGES)
def test_csda_ranges_are_the_published_ones(mass: float, kinetic: float, expected: float) -> None:
    assert csda_range(LAR, mass, kinetic) == pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize(
    ("name", "mass"),
    [
        ("muE_liquid_argon", MUON),
        ("pE_liquid_argon", PROTON),
        ("pE_liquid_argon_bethe", PROTON),
        ("piE_liquid_argon_bethe", PION),
        ("kaE_liquid_argon_bethe", 493.677),
    ],
)
def test_csda_ranges_follow_the_whole_tables(name: str, mass: float) -> None:
    path = DATA / "reference" / f"{name}.txt"
    if not path.exists():
        pytest.skip(f"{path} is not there (set NUZOO_DATA)")
    header, *lines = path.read_text().strip().splitlines()
    columns = [header.split().index(c) for c in ("T", "CSDARange")]
    rows = [line.split() for line in lines if len(line.split()) >= len(header.split())]
    kinetic, grams = np.array([[float(r[c]) for c in columns] for r in rows]).T
    used = (kinetic >= 100) & (kinetic <= 1000)
    assert used.sum() > 5
    ratio = csda_range(LAR, mass, kinetic[used]) * LAR.density / grams[used]
    np.testing.assert_allclose(ratio, 1, atol=0.005)


@pytest.mark.parametrize(("kinetic", "expected"), MUON_LOSS)
def test_muon_loss_is_the_published_one(kinetic: float, expected: float) -> None:
    assert stopping_power(LAR, MUON, kinetic) / LAR.density == pytest.approx(expected, rel=0.012)


def test_restricted_loss_is_the_mean_less_the_delta_rays() -> None:
    kinetic, cut = 2000.0, 0.6
    largest = float(max_transfer(MUON, kinetic))
    gamma = 1 + kinetic / MUON
    beta2 = 1 - 1 / gamma**2
    transfer = np.geomspace(cut, largest, 20_001)
    spectrum = landau_width_per_cm(LAR) / beta2 / transfer**2 * (1 - beta2 * transfer / largest)
    lost = np.trapezoid(spectrum * transfer, transfer)
    both = stopping_power(LAR, MUON, kinetic, cut=cut) + lost
    assert both == pytest.approx(stopping_power(LAR, MUON, kinetic), rel=1e-5)


def test_density_effect_joins_smoothly_and_ends_as_a_plasma() -> None:
    x0, x1 = LAR.sternheimer[2:4]
    steps = density_effect(LAR, 10 ** np.array([x0 - 1e-9, x0 + 1e-9, x1 - 1e-9, x1 + 1e-9]))
    assert steps[0] == pytest.approx(steps[1], abs=0.02)
    assert steps[2] == pytest.approx(steps[3], abs=1e-6)
    plasma = 28.816e-6 * np.sqrt(LAR.density * LAR.z_over_a)
    beta_gamma = 1e5
    limit = 2 * np.log(plasma * beta_gamma / (LAR.mean_excitation * 1e-6)) - 1
    assert density_effect(LAR, beta_gamma) == pytest.approx(limit, rel=0.01)


@pytest.mark.parametrize(("thickness", "expected"), [(0.3, 1.61), (0.5, 1.66), (1.0, 1.73)])
def test_most_probable_loss_in_argon(thickness: float, expected: float) -> None:
    loss = landau_most_probable_loss(LAR, MUON, 270.0, thickness)
    assert loss / thickness == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    ("momentum", "thickness", "milliradians"),
    [(300.0, 1.0, 10.9), (1000.0, 1.0, 3.3), (300.0, 14.0, 45.3), (1000.0, 14.0, 13.6)],
)
def test_highland_angle_of_a_fast_particle(momentum: float, thickness: float, milliradians: float) -> None:
    assert highland_angle(LAR, 0.511, momentum - 0.511, thickness) * 1e3 == pytest.approx(
        milliradians, rel=0.01
    )


@pytest.mark.parametrize("material", [LAR, POLYSTYRENE, TUNGSTEN], ids=lambda m: m.name)
def test_critical_energy_is_where_a_radiation_length_of_collisions_costs_the_energy(
    material: Material,
) -> None:
    """Rossi's definition, which ties the electron's collision loss to the tabulated X0 and Ec."""
    loss = electron_stopping_power(material, material.critical_energy) * material.radiation_length
    assert loss == pytest.approx(material.critical_energy, rel=0.03)


@pytest.mark.parametrize(
    ("energy", "expected"), [(1.0, 0.0573), (2.0, 0.0397), (5.0, 0.0225), (10.0, 0.0138), (100.0, 0.0022)]
)
def test_compton_coefficient_of_argon(energy: float, expected: float) -> None:
    grams = electromagnetic.compton(LAR, np.array([energy]))[0] / LAR.density
    assert grams == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize(
    ("energy", "expected"),
    [(1.0, 12.5), (2.0, 17.6), (5.0, 26.0), (10.0, 29.0), (20.0, 28.0), (100.0, 21.6), (1000.0, 18.6)],
)
def test_photon_mean_free_path_in_argon(energy: float, expected: float) -> None:
    """Total from XCOM, known to us to about 5 %."""
    photon = np.array([energy])
    processes = (electromagnetic.pair_production, electromagnetic.compton, electromagnetic.photoelectric)
    total = sum(process(LAR, photon)[0] for process in processes)
    assert 1 / total == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize("material", [LAR, TUNGSTEN], ids=lambda m: m.name)
def test_radiation_reaches_its_asymptotes(material: Material) -> None:
    high = np.array([1e6])
    _, loss = electromagnetic.bremsstrahlung(material, high, 1e9)
    assert loss[0] * material.radiation_length / high[0] == pytest.approx(1.0, rel=0.03)
    pairs = electromagnetic.pair_production(material, high)[0]
    assert pairs * material.radiation_length == pytest.approx(7 / 9, rel=0.02)
