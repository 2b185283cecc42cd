"""Residuals against SciPy, closed forms and hand-computed cases."""

import numpy as np
import pytest
from scipy.stats import median_abs_deviation

from nuzoo.evaluation.core.event_quantiles import EventValues
from nuzoo.evaluation.tasks.event_reconstruction.residuals import (
    compare,
    distances,
    members,
    spread,
    truth_edges,
)

from .reconstructed_events import drawn_predictions


def test_the_spread_is_that_of_scipy():
    """Of an odd number of values both medians are one of them; a weight of 3 is three events."""
    values = np.random.default_rng(0).normal(0.3, 2, 501)
    found = spread(EventValues.of(values, np.arange(501)), np.ones(501))
    assert found["median"] == np.median(values)
    assert found["sigma_mad"] == pytest.approx(median_abs_deviation(values, scale="normal"))
    weights = np.random.default_rng(1).integers(0, 4, (7, 501)).astype(float)
    weights[:, 0] += 1 - weights.sum(axis=1) % 2
    again = spread(EventValues.of(values, np.arange(501)), weights)
    for row, deviation in zip(weights, again["sigma_mad"], strict=True):
        repeated = np.repeat(values, row.astype(int))
        assert deviation == pytest.approx(median_abs_deviation(repeated, scale="normal"))


def test_a_gaussian_has_its_width():
    values = np.random.default_rng(0).normal(0.1, 0.25, 100_001)
    found = spread(EventValues.of(values, np.arange(len(values))), np.ones(len(values)))
    assert found["sigma_mad"] == pytest.approx(0.25, rel=0.01)


def test_nothing_has_no_spread():
    nothing = EventValues.of(np.zeros(0), np.zeros(0, np.int64))
    assert np.isnan(spread(nothing, np.ones((3, 5)))["sigma_mad"]).all()


def test_quantities_of_one_event():
    """p_vis = (3, 4, 12): 13 GeV, pT 5 GeV; reconstructed (3, 4, 0): 5 GeV, pT 5 GeV."""
    one = drawn_predictions(
        1,
        is_cc=np.array([True]),
        true_vis_momentum=np.array([[3.0, 4.0, 12.0]]),
        vis_momentum=np.array([[3.0, 4.0, 0.0]]),
        true_jet_momentum=np.array([[3.0, 4.0, 0.0]]),
        jet_momentum=np.array([[6.0, 8.0, 0.0]]),
        true_vertex=np.array([[1.0, 2.0, 3.0]]),
        vertex=np.array([[2.0, 4.0, 5.0]]),
    )
    errors = {name: values.error.tolist() for name, values in compare(one).items()}
    assert errors["e_vis"] == pytest.approx([1 - 5 / 13])
    assert errors["pt_miss"] == pytest.approx([0])
    assert errors["p_lepton"] == pytest.approx([1 - 5 / 12])
    assert errors["p_jet"] == pytest.approx([-1])
    assert distances(one).value == pytest.approx([3])


def test_neutral_currents_have_no_lepton_and_a_truth_of_zero_no_fraction():
    few = drawn_predictions(4, is_cc=np.array([True, False, True, False]))
    few.true_jet_momentum[0] = 0
    found = compare(few)
    assert (found["p_lepton"].event.tolist(), found["p_lepton"].undefined) == ([0, 2], 2)
    assert (found["p_jet"].event.tolist(), found["p_jet"].undefined) == ([1, 2, 3], 1)


def test_every_value_is_in_one_bin():
    true = np.random.default_rng(0).lognormal(5, 1, 333)
    edges = truth_edges(true)
    inside = np.array(members(true, edges))
    assert (inside.sum(axis=0) == 1).all() and len(edges) == 9
    assert inside.sum(axis=1).min() > 30
    assert truth_edges([2.0, 2.0]) == truth_edges([]) == []
