"""Masses against the `particle` package."""

import math

import pytest
from particle import Particle

from nuzoo.simulation.interactions.masses import DELTA, MASSES, mass_of


@pytest.mark.parametrize("pdg", [code for code in MASSES if code not in (12, 14, 16, 22)])
def test_masses_are_those_of_the_particle_package(pdg):
    assert MASSES[pdg] == pytest.approx(Particle.from_pdgid(pdg).mass, rel=1e-4)
    assert mass_of(pdg) == MASSES[pdg] == mass_of(-pdg)


def test_delta_and_unknown_particles():
    assert pytest.approx(Particle.from_pdgid(2214).mass, abs=1.5) == DELTA
    assert math.isnan(mass_of(421))
