import math

import numpy as np
import pytest

from nuzoo.simulation.materials import IRON, LAR, LEAD, MATERIALS, POLYSTYRENE, TUNGSTEN, Material

from .closed_formulas import stopping_power

# PDG, Atomic and nuclear properties of materials: minimum ionisation, MeV cm²/g
MINIMUM_IONISATION = {LAR: 1.508, POLYSTYRENE: 1.936, TUNGSTEN: 1.145, IRON: 1.451, LEAD: 1.122}


@pytest.mark.parametrize("material", MATERIALS.values(), ids=lambda m: m.name)
def test_minimum_ionisation_is_the_published_one(material: Material) -> None:
    kinetic = np.geomspace(50, 3000, 400)
    least = stopping_power(material, 105.6583755, kinetic).min() / material.density
    assert least == pytest.approx(MINIMUM_IONISATION[material], rel=0.01)


@pytest.mark.parametrize("material", [LAR, TUNGSTEN, IRON, LEAD], ids=lambda m: m.name)
def test_radiation_length_of_elements_follows_dahls_fit(material: Material) -> None:
    z, a = material.atomic_number, material.mass_number
    grams = 716.4 * a / (z * (z + 1) * math.log(287 / math.sqrt(z)))
    assert material.radiation_length == pytest.approx(grams / material.density, rel=0.03)


@pytest.mark.parametrize("material", [LAR, TUNGSTEN, IRON, LEAD], ids=lambda m: m.name)
def test_moliere_radius_is_that_of_the_critical_energy(material: Material) -> None:
    expected = 21.2052 * material.radiation_length / material.critical_energy
    assert material.moliere_radius == pytest.approx(expected, rel=0.02)
