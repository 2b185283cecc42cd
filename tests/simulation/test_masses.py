"""Masses against the `particle` package."""

import math

import pytest
from particle import Particle

from nuzoo.simulation.interactions.masses import DELTA, MASSES, mass_of
from nuzoo.simulation.particles import MASS, SPECIES_OF


@pytest.mark.parametrize("pdg", [code for code in MASSES if code not in (12, 14, 16, 22)])
def test_masses_are_those_of_the_particle_package(pdg):
    assert MASSES[pdg] == pytest.approx(Particle.from_pdgid(pdg).mass, rel=1e-4)
    assert mass_of(pdg) == MASSES[pdg] == mass_of(-pdg)


@pytest.mark.parametrize("pdg", MASSES)
def test_particles_weigh_the_same_when_they_are_made_and_transported(pdg):
    assert MASS[SPECIES_OF[pdg]] == MASSES[pdg]


def test_delta_and_unknown_particles():
    assert pytest.approx(Particle.from_pdgid(2214).mass, abs=1.5) == DELTA
    assert math.isnan(mass_of(421))
