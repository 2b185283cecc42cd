"""Errors of momenta and starts beside cases computed by hand, and quantiles beside NumPy's."""

import numpy as np
import pytest

from nuzoo.evaluation.core.bootstrap import ONE_SIGMA
from nuzoo.evaluation.core.event_quantiles import EventValues
from nuzoo.evaluation.tasks.particle_segmentation.overlaps import overlap_of
from nuzoo.evaluation.tasks.particle_segmentation.regression import (
    ToldNumbers,
    momentum_errors,
    regression_scores,
    start_errors,
)

MUON, NONE = 2, 5


def event():
    """Of the true 1, 4 and 6 the last is void; found 1 is true 4, found 2 matches none, found 3 is true 1."""
    true = np.repeat([-1, 1, 4, 6], [2, 4, 4, 2])
    found = np.array([2, 2, 3, 3, 3, -1, 1, 1, 1, 1, 2, -1])
    classes = np.where(true == 6, NONE, MUON)
    return overlap_of(true, classes, found, np.array([MUON, MUON, MUON]), [NONE])


def test_momenta_of_matched_pairs_by_hand():
    known = np.full(7, np.nan)
    known[[1, 4]] = 200.0, 1000.0
    told = ToldNumbers([np.array([900.0, 7.0, 230.0])] * 2, [known, known * [1, 0, 1, 1, 1, 1, 1]])
    errors = momentum_errors(told, [event(), event()])
    assert errors.value == pytest.approx([-0.1, -0.1, 0.15])
    assert errors.event.tolist() == [0, 1, 0], "a true momentum of 0 is not known"


def test_starts_of_matched_pairs_by_hand():
    known = np.full((7, 3), np.nan)
    known[1] = 1, 2, 3
    known[4] = 0, 0, np.nan
    told = ToldNumbers([np.array([[9, 9, 9], [8, 8, 8], [4, 6, 3.0]])], [known])
    errors = start_errors(told, [event()])
    assert errors.value == pytest.approx([5.0]) and errors.event.tolist() == [0]


def test_scores_by_hand():
    """Ten errors, one an event: the third, the fifth, the seventh and the ninth are where the parts end."""
    errors = EventValues.of(np.array([5.0, 1, 4, 2, 3, 10, 9, 8, 7, 6]), np.arange(10))
    found = regression_scores({"momentum": errors, "start": errors}, np.ones((1, 10)))
    assert {name: value.tolist() for name, value in found.items()} == {
        "momentum_bias": [5],
        "momentum_resolution": [(9 - 2) / 2],
        "start_median": [5],
        "start_containment": [7],
    }
    assert regression_scores({}, np.ones((1, 10))) == {}


def test_quantiles_are_those_of_numpy_whatever_the_weights():
    rng = np.random.default_rng(0)
    value, of = rng.normal(size=200), rng.integers(0, 30, 200)
    weights = rng.integers(0, 4, (50, 30)).astype(float)
    parts = ((1 - ONE_SIGMA) / 2, 0.5, ONE_SIGMA)
    found = EventValues.of(value, of).quantiles(weights, parts)
    for weight, *told in zip(weights, *found, strict=True):
        expected = np.quantile(value, parts, method="inverted_cdf", weights=weight[of])
        assert told == pytest.approx(expected.tolist())


def test_nothing_to_compare_has_no_score():
    nothing = EventValues.of(np.zeros(0), np.zeros(0, dtype=int))
    assert np.isnan(
        regression_scores({"momentum": nothing, "start": nothing}, np.ones((2, 3)))["start_median"]
    ).all()
    one = EventValues.of(np.array([1.0]), np.array([2]))
    assert np.isnan(one.quantiles(np.array([[1.0, 1, 0]]), [0.5])[0]).all()
