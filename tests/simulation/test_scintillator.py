"""Cubes of scintillator: quenching and crosstalk by hand, ranges against those of the SuperFGD."""

import dataclasses

import numpy as np
import pytest

from nuzoo.datasets_scripts.common.simulated_particles import CODES, ParticlePlan
from nuzoo.simulation.detectors import SCINTILLATOR_CUBE
from nuzoo.simulation.event_types import Deposits
from nuzoo.simulation.images import Origin, simulate_image
from nuzoo.simulation.mixtures import momenta

READOUT = SCINTILLATOR_CUBE.readout


def one_deposit(length_cm: float, energy: float) -> Deposits:
    end = np.array([[0.5, 0.5, 0.5 + length_cm]], np.float32)
    numbers = np.zeros(1, np.int32)
    start = np.array([[0.5, 0.5, 0.5]], np.float32)
    return Deposits(
        start, end, np.array([energy], np.float32), numbers, numbers, numbers.astype(np.uint8), numbers
    )


@pytest.mark.parametrize(("dedx", "light"), [(2.0, 1.0), (50.0, (1 + 0.0126 * 2) / (1 + 0.0126 * 50))])
def test_light_is_quenched_by_birks_law(dedx, light):
    deposit = one_deposit(0.4, 0.4 * dedx)
    assert READOUT.visible(deposit)[0] / deposit.energy[0] == pytest.approx(light, rel=1e-5)


def test_light_leaks_to_the_six_next_cubes_and_none_is_lost():
    found = READOUT.contributions(one_deposit(0.2, 0.4))
    per_cube = {int(cube): found.energy[found.voxel == cube].sum() for cube in np.unique(found.voxel)}
    assert len(per_cube) == 7
    assert sorted(per_cube.values()) == pytest.approx([0.012] * 6 + [0.328], rel=1e-4)
    at_corner = READOUT.contributions(
        dataclasses.replace(one_deposit(0.0, 1.0), start=np.full((1, 3), -99.9), end=np.full((1, 3), -99.9))
    )
    assert len(np.unique(at_corner.voxel)) == 4


# Most frequent momentum at a range of Geant4 muons in the SuperFGD, read off histograms of both.
@pytest.mark.parametrize(("momentum", "range_mm"), [(145.0, 204.0), (175.0, 300.0), (225.0, 500.0)])
def test_muons_have_the_range_of_those_in_the_superfgd(momentum, range_mm):
    kinetic = np.hypot(momentum, 105.658) - 105.658

    def draw(rng, detector):
        along = momenta([-13], np.array([kinetic]), np.array([[0.0, 0.0, 1.0]]))
        return [Origin("particles", np.zeros(3), np.array([-13], np.int32), along)]

    def length(index: int) -> float:
        deposits = simulate_image(1, index, SCINTILLATOR_CUBE, draw).transported.deposits
        own = deposits.particle == 0
        return 10 * np.linalg.norm(deposits.end - deposits.start, axis=1)[own].sum()

    assert np.median([length(index) for index in range(40)]) == pytest.approx(range_mm, rel=0.1)


def test_each_event_is_one_particle_of_its_class():
    plan = ParticlePlan(40, 0, SCINTILLATOR_CUBE.name)
    rows = [plan.row(index) for index in range(40)]
    for row in rows:
        assert row["particle_pdg"][0] in CODES[READOUT.classes[row["label"]]]
        assert row["particle_primary"].sum() == 1
    assert {row["label"] for row in rows} == {0, 1, 2, 3}
