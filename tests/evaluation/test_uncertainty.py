"""Numbers of uncertainty, against scikit-learn, closed forms and cases by hand."""

import numpy as np
import pytest
from scipy.stats import dirichlet
from sklearn.metrics import brier_score_loss, roc_auc_score

from nuzoo.evaluation.core.bootstrap import ONE_SIGMA
from nuzoo.evaluation.core.calibration import brier_score
from nuzoo.evaluation.core.errors import MissingTruthError, ShapeMismatchError
from nuzoo.evaluation.uncertainty.numbers import class_uncertainty, smallest_sets
from nuzoo.evaluation.uncertainty.predictive import Predictive, entropy
from nuzoo.evaluation.uncertainty.regression import interval, value_uncertainty
from nuzoo.evaluation.uncertainty.rejection import REJECTED, rejection_numbers


def events(n=500, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    probability = rng.dirichlet(np.full(classes, 0.7), size=n)
    labels = np.array([rng.choice(classes, p=row) for row in probability])
    return probability, labels


def test_entropy_auroc_and_brier_are_those_of_scikit_learn():
    probability, labels = events()
    found = class_uncertainty(Predictive(probability), labels, replicas=10)
    is_right = probability.argmax(1) == labels
    assert found.entropy_auroc.value == pytest.approx(roc_auc_score(is_right, -entropy(probability)))
    assert found.accuracy.value == pytest.approx(is_right.mean())
    one_hot = np.eye(4)[labels]
    assert found.brier.value == pytest.approx(((probability - one_hot) ** 2).sum(1).mean())
    two = probability[:, :2] / probability[:, :2].sum(1, keepdims=True)
    of_sklearn = brier_score_loss(labels > 0, two[:, 1])
    assert brier_score(labels > 0, two) == pytest.approx(2 * of_sklearn)


def test_calibration_error_by_hand():
    """Ten answers at 0.8 of which six are right, ten at 0.6 of which all are: (0.2 + 0.4) / 2."""
    probability = np.array([[0.8, 0.2]] * 10 + [[0.4, 0.6]] * 10)
    labels = np.array([0] * 6 + [1] * 4 + [1] * 10)
    assert class_uncertainty(Predictive(probability), labels, replicas=2).ece.value == pytest.approx(0.3)


def test_errors_are_binomial():
    probability, labels = events(2000)
    found = class_uncertainty(Predictive(probability), labels, replicas=400).accuracy
    assert found.error == pytest.approx((found.value * (1 - found.value) / 2000) ** 0.5, rel=0.15)


def test_hits_of_an_event_fluctuate_together():
    """A hundred copies of each event as its hits have the numbers and the errors of the events."""
    probability, labels = events(200)
    alone = class_uncertainty(Predictive(probability), labels, replicas=50)
    rows = np.repeat(np.arange(200), 100)
    many = class_uncertainty(Predictive(probability[rows]), labels[rows], rows, replicas=50)
    assert many.rows == 20_000
    for name in ("accuracy", "nll", "entropy_auroc", "rejection_area", "coverage"):
        one, other = getattr(alone, name), getattr(many, name)
        assert (one.value, one.error) == pytest.approx((other.value, other.error), rel=1e-9), name


def test_perfect_order_by_hand():
    """Three right answers, then one wrong: all is right up to 3/4, then (3/4) / x: 3/4 (1 + log 4/3)."""
    numbers = rejection_numbers([True, False, True, True], [0.1, 0.9, 0.2, 0.3])
    assert numbers["rejection_area"] == pytest.approx(0.75 * (1 + np.log(4 / 3)))
    by_rejected = dict(zip(REJECTED, numbers["rejection_curve"], strict=True))
    assert (by_rejected[0.0], by_rejected[0.25], by_rejected[0.5]) == pytest.approx((0.75, 1, 1))
    assert by_rejected[0.1] == pytest.approx(0.75 / 0.9)


def test_the_area_is_the_mean_of_the_accuracies_of_the_surest():
    """With many answers, the usual sum: 1 less the area under the risk-coverage curve."""
    rng = np.random.default_rng(2)
    uncertainty = rng.random(20_000)
    is_right = rng.random(20_000) > 0.4 * uncertainty
    sorted_right = is_right[np.argsort(uncertainty)]
    expected = (np.cumsum(sorted_right) / np.arange(1, 20_001)).mean()
    assert rejection_numbers(is_right, uncertainty)["rejection_area"] == pytest.approx(expected, abs=1e-4)


def test_equally_sure_answers_are_rejected_together():
    is_right, uncertainty = np.array([True, False, True, False]), np.zeros(4)
    for order in ([0, 1, 2, 3], [1, 3, 0, 2]):
        numbers = rejection_numbers(is_right[order], uncertainty)
        assert numbers["rejection_area"] == pytest.approx(0.5)
        assert numbers["rejection_curve"] == pytest.approx([0.5] * 20)


def test_weights_of_rejection_are_repeated_events():
    rng = np.random.default_rng(1)
    is_right, uncertainty, weights = rng.random(40) < 0.7, rng.random(40), rng.integers(0, 4, 40)
    rows = np.repeat(np.arange(40), weights)
    weighted = rejection_numbers(is_right, uncertainty, weights[None].astype(float))
    repeated = rejection_numbers(is_right[rows], uncertainty[rows])
    for name in repeated:
        np.testing.assert_allclose(weighted[name][0], repeated[name])


def test_smallest_sets_by_hand():
    sets = smallest_sets(np.array([[0.95, 0.03, 0.02], [0.5, 0.1, 0.4], [0.4, 0.35, 0.25]]))
    assert sets.tolist() == [[True, False, False], [True, False, True], [True, True, True]]


def test_members_that_agree_are_one_and_know_all():
    probability, labels = events()
    one = class_uncertainty(Predictive.of_samples(probability[None]), labels, replicas=5)
    many = class_uncertainty(Predictive.of_samples(np.stack([probability] * 4)), labels, replicas=5)
    assert one.information is None
    assert many.information.value == pytest.approx(0, abs=1e-12)
    for name in ("accuracy", "nll", "brier", "ece", "entropy_auroc", "rejection_area", "set_size"):
        assert getattr(one, name).value == pytest.approx(getattr(many, name).value, abs=1e-9), name


def test_mutual_information_by_hand():
    """Two members, each certain of another of two classes: all of the entropy, log 2."""
    found = Predictive.of_samples([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert found.information == pytest.approx([np.log(2)]) and found.entropy == pytest.approx([np.log(2)])


def test_evidence_is_the_limit_of_samples_of_its_distribution():
    alpha = np.array([[1.0, 1.0, 1.0], [30.0, 2.0, 1.5]])
    rng = np.random.default_rng(0)
    draws = np.stack([dirichlet.rvs(row, size=40_000, random_state=rng) for row in alpha], axis=1)
    of_draws, found = Predictive.of_samples(draws), Predictive.of_evidence(np.log(alpha))
    np.testing.assert_allclose(found.probability, of_draws.probability, atol=5e-3)
    np.testing.assert_allclose(found.information, of_draws.information, rtol=0.03)


@pytest.mark.parametrize("members", [2, 5, 50])
def test_interval_of_gaussian_samples_covers_what_it_says(members):
    rng = np.random.default_rng(members)
    samples, truth = rng.normal(size=(members, 20_000, 2)), rng.normal(size=(20_000, 2))
    found = value_uncertainty(samples, truth, replicas=20)
    for one in found.coverage:
        assert one.value == pytest.approx(ONE_SIGMA, abs=4 * one.error)
    low, high = interval(samples[:, 0])
    assert (low < high).all()


def test_values_by_hand():
    """Samples 1 and 3 of a truth 2, and 0 and 2 of 5: errors 0 and -4, spreads √2."""
    found = value_uncertainty([[1.0, 0.0], [3.0, 2.0]], [2.0, 5.0], replicas=5)
    assert found.rmse[0].value == pytest.approx(8**0.5)
    assert found.spread[0].value == pytest.approx(2**0.5)
    assert found.pull[0].value == pytest.approx((16 / 3 / 2) ** 0.5)
    assert found.coverage[0].value == 0.5


def test_bad_input_is_named():
    probability, labels = events(10)
    with pytest.raises(MissingTruthError, match="every label must be in"):
        class_uncertainty(Predictive(probability), np.full(10, 7))
    with pytest.raises(ShapeMismatchError, match="expected 10 > 0 labels, got 9"):
        class_uncertainty(Predictive(probability), labels[:9])
    with pytest.raises(ShapeMismatchError, match="S > 0"):
        Predictive.of_samples(probability)
    with pytest.raises(ShapeMismatchError, match="two samples or more"):
        value_uncertainty([[1.0]], [1.0])
    with pytest.raises(ShapeMismatchError, match="of truth"):
        value_uncertainty(np.ones((2, 3)), np.ones(4))
