"""Whole events: reproducible, labelled, and with sensible maps."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from nuzoo.files.events.event_classes import EVENT_CLASSES
from nuzoo.files.events.event_schema import Ragged
from nuzoo.files.events.pixel_map_events import pixel_map_schema
from nuzoo.simulation.detectors import DETECTORS, MODULAR_LARTPC
from nuzoo.simulation.event_types import InteractionMode
from nuzoo.simulation.interactions import Spectrum
from nuzoo.simulation.simulate import SimulatedEvent, simulate_event

SEED = 11


def event(index: int, name: str = MODULAR_LARTPC.name, seed: int = SEED) -> SimulatedEvent:
    return simulate_event(seed, index, DETECTORS[name], Spectrum())


def fingerprint(made: SimulatedEvent) -> bytes:
    arrays = made.detector.readout.respond(made).values()
    return b"".join(array.tobytes() for array in (made.vertex, made.interaction.momentum, *arrays))


def energies(made: SimulatedEvent) -> list[np.ndarray]:
    recorded = made.detector.readout.respond(made)
    return [recorded[f"{view.name}_energy"] for view in made.detector.readout.views]


@pytest.fixture(scope="module")
def sample() -> list[SimulatedEvent]:
    return [event(index) for index in range(60)]


def test_an_event_does_not_depend_on_those_before_it():
    forwards = [fingerprint(event(index)) for index in range(6)]
    backwards = [fingerprint(event(index)) for index in reversed(range(6))]
    assert forwards == backwards[::-1]
    assert len(set(forwards)) == 6


def test_an_event_does_not_depend_on_its_process():
    simulate = partial(simulate_event, SEED, detector=MODULAR_LARTPC, spectrum=Spectrum())
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        elsewhere = list(pool.map(simulate, range(4)))
    assert [fingerprint(made) for made in elsewhere] == [fingerprint(event(index)) for index in range(4)]


def test_seeds_name_different_samples():
    assert not np.array_equal(event(0, seed=1).vertex, event(0, seed=2).vertex)


def test_the_label_is_the_current_and_the_flavour(sample):
    for made in sample:
        interaction = made.interaction
        expected = "nc"
        if interaction.is_cc:
            expected = {12: "nue_cc", 14: "numu_cc"}[abs(interaction.neutrino_pdg)]
        assert EVENT_CLASSES[made.label] == expected
    assert {made.label for made in sample} == {0, 1, 2}


def test_tau_neutrinos_have_no_label_of_this_task(sample):
    charged = next(made for made in sample if made.interaction.is_cc)
    tau = replace(charged.interaction, neutrino_pdg=16, mode=InteractionMode.DIS)
    assert replace(charged, interaction=tau).label is None


def test_vertices_fill_the_stated_box(sample):
    vertices = np.array([made.vertex for made in sample])
    low, high = np.array(MODULAR_LARTPC.vertex_low), np.array(MODULAR_LARTPC.vertex_high)
    assert np.all((vertices >= low) & (vertices <= high))
    standard_error = (high - low) / np.sqrt(12 * len(sample))
    assert np.all(np.abs(vertices.mean(axis=0) - (low + high) / 2) < 4 * standard_error)


def test_maps_hold_no_more_energy_than_was_deposited(sample):
    for made in sample:
        deposited = made.transported.deposits.energy.sum()
        for energy in energies(made):
            assert energy.sum() < 1.03 * deposited + 5.0


def test_both_views_of_contained_events_agree(sample):
    ratios = []
    for made in sample:
        sums = [energy.sum() for energy in energies(made)]
        if min(sums) > 200:
            ratios.append(sums[0] / sums[1])
    assert len(ratios) > 20
    assert np.median(ratios) == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize("name", ["modular-2x2x7", "dune-like-3view"])
def test_recorded_events_are_as_their_geometry_says(name):
    detector = DETECTORS[name]
    schema = pixel_map_schema(detector.geometry())
    for index in range(8):
        recorded = detector.readout.respond(event(index, name))
        assert list(recorded) == [column.name for column in schema.hits]
        lists = {column: Ragged(values, np.array([len(values)])) for column, values in recorded.items()}
        schema.check(lists, stored=True)


def test_an_event_is_recorded_alike_each_time():
    made = event(3)
    assert fingerprint(made) == fingerprint(made)


def test_energy_closes_from_the_neutrino_to_the_deposits(sample):
    """Neutrino energy = what stays in the nucleus + what becomes of the particles that leave it.

    The transport counts nucleons by kinetic and other particles by total energy, as the interaction does;
    the outgoing neutrino of a neutral current is invisible to it.
    """
    for made in sample:
        budget, interaction = made.transported.budget, made.interaction
        spent = budget.deposited + budget.escaped + budget.invisible + budget.rest_mass
        assert spent + interaction.invisible_energy == pytest.approx(interaction.neutrino_energy, rel=0.01)
