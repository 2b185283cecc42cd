"""Kinematics against closed forms."""

import numpy as np
import pytest

from nuzoo.simulation.interactions.four_vectors import (
    boost_from_rest,
    boost_to_rest,
    breakup_momentum,
    direction_about,
    invariant_mass_squared,
    q_squared_limits,
    scatter,
    three_body_decay,
    two_body_decay,
)
from nuzoo.simulation.interactions.masses import CHARGED_PION, DELTA, MUON, NUCLEON, PROTON


def four_vector(mass, *momentum):
    return np.array([*momentum, np.sqrt(mass**2 + np.square(momentum).sum())])


def test_boost_along_z_is_the_textbook_one():
    frame = four_vector(1000.0, 0.0, 0.0, 750.0)  # gamma = 1.25, beta gamma = 0.75
    p = np.array([10.0, -20.0, 300.0, 500.0])
    boost_from_rest(p, frame)
    expected = [10.0, -20.0, 1.25 * 300 + 0.75 * 500, 1.25 * 500 + 0.75 * 300]
    np.testing.assert_allclose(p, expected, rtol=1e-12)
    boost_to_rest(p, frame)
    np.testing.assert_allclose(p, [10.0, -20.0, 300.0, 500.0], rtol=1e-10)


def test_breakup_momentum_of_the_delta():
    # Particle Data Group: 229 MeV/c for Δ(1232) → N π (1210 pole: 227 to 229)
    assert breakup_momentum(DELTA, NUCLEON, CHARGED_PION) == pytest.approx(228.0, abs=2.0)
    assert breakup_momentum(1000.0, NUCLEON, CHARGED_PION) == 0.0


def test_decays_conserve_four_momentum_and_masses():
    rng = np.random.default_rng(0)
    parent = four_vector(1600.0, 200.0, -100.0, 900.0)
    a, b, c = np.empty(4), np.empty(4), np.empty(4)
    for _ in range(50):
        masses = np.array([PROTON, CHARGED_PION, CHARGED_PION])
        three_body_decay(rng, parent, masses, a, b, c)
        np.testing.assert_allclose(a + b + c, parent, rtol=1e-9)
        got = [np.sqrt(invariant_mass_squared(p)) for p in (a, b, c)]
        np.testing.assert_allclose(got, masses, rtol=1e-6)
        direction = direction_about(rng, parent, 0.3)
        two_body_decay(parent, PROTON, CHARGED_PION, direction, a, b)
        np.testing.assert_allclose(a + b, parent, rtol=1e-9)


def test_direction_about_keeps_its_angle():
    rng = np.random.default_rng(1)
    axis = np.array([0.3, -2.0, 0.7])
    directions = np.array([direction_about(rng, axis, 0.4) for _ in range(4000)])
    np.testing.assert_allclose(directions @ axis / np.linalg.norm(axis), 0.4, atol=1e-12)
    np.testing.assert_allclose(directions.mean(0), 0.4 * axis / np.linalg.norm(axis), atol=0.05)


def test_scatter_reaches_the_wanted_w_and_q_squared():
    rng = np.random.default_rng(2)
    target = np.array([120.0, -60.0, 90.0, PROTON - 29.5])
    energy, w = 2000.0, DELTA
    low, high = q_squared_limits(energy, target, w, MUON)
    lepton, hadrons = np.empty(4), np.empty(4)
    for q_squared in np.linspace(low + 1.0, high - 1.0, 7):
        assert scatter(rng, energy, target, w, q_squared, MUON, lepton, hadrons)
        neutrino = np.array([0.0, 0.0, energy, energy])
        np.testing.assert_allclose(lepton + hadrons, neutrino + target, rtol=1e-9, atol=1e-6)
        assert -invariant_mass_squared(neutrino - lepton) == pytest.approx(q_squared, rel=1e-6)
        assert np.sqrt(invariant_mass_squared(hadrons)) == pytest.approx(w, rel=1e-9)
    assert not scatter(rng, energy, target, w, high + 10.0, MUON, lepton, hadrons)
    assert not scatter(rng, energy, target, 5000.0, 1e5, MUON, lepton, hadrons)
