import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from nuzoo.evaluation.core import calibration as c
from nuzoo.evaluation.core.errors import MissingTruthError, ShapeMismatchError


def draw(logits, seed=0):
    """Labels drawn from softmax(logits): such logits are calibrated."""
    p = softmax(logits, axis=1)
    u = np.random.default_rng(seed).random(len(p))[:, None]
    return (u > p.cumsum(axis=1)[:, :-1]).sum(axis=1)


def test_temperature_has_its_closed_form():
    """Logits (a, 0), a fraction q right: sigmoid(a / T) = q, so T = a / ln(q / (1 - q))."""
    a, right, n = 3.0, 160, 200
    labels = np.array([0] * right + [1] * (n - right))
    temperature, _ = c.fit_temperature(np.tile([a, 0.0], (n, 1)), labels)
    assert temperature == pytest.approx(a / np.log(right / (n - right)), rel=1e-9)


def test_temperature_error_has_its_closed_form():
    """By error propagation of the binomial q: dT = T^2 / a * sqrt(1 / (n q (1 - q)))."""
    a, right, n = 3.0, 160, 200
    labels = np.array([0] * right + [1] * (n - right))
    temperature, error = c.fit_temperature(np.tile([a, 0.0], (n, 1)), labels)
    q = right / n
    assert error == pytest.approx(temperature**2 / a / np.sqrt(n * q * (1 - q)), rel=1e-9)


def test_temperature_undoes_an_exaggeration():
    logits = np.random.default_rng(2).normal(scale=2, size=(20_000, 3))
    labels = draw(logits)
    temperature, error = c.fit_temperature(2.5 * logits, labels)
    assert abs(temperature - 2.5) < 4 * error
    assert error < 0.05
    before = c.reliability(labels, c.probabilities(2.5 * logits)).error
    after = c.reliability(labels, c.probabilities(2.5 * logits, temperature)).error
    assert before > 0.1 > 0.02 > after


def test_temperature_is_the_minimum_of_the_likelihood():
    logits = np.random.default_rng(3).normal(size=(500, 4))
    labels = draw(1.7 * logits)
    best, _ = c.fit_temperature(logits, labels)
    loss = [log_loss(labels, c.probabilities(logits, t)) for t in (best * 0.99, best, best * 1.01)]
    assert loss[1] < min(loss[0], loss[2])


def test_temperature_of_a_perfect_classifier_ends_on_the_limit():
    temperature, error = c.fit_temperature(np.eye(3) * 2, np.arange(3))
    assert temperature == c.TEMPERATURE_LIMITS[0]
    assert np.isnan(error)
    temperature, _ = c.fit_temperature(-np.eye(3) * 2, np.arange(3))
    assert temperature == c.TEMPERATURE_LIMITS[1]


def test_calibration_error_by_hand():
    """Two bins hold (2 events, confidence 0.9, half right) and (2, 0.6, all right)."""
    probability = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    labels = np.array([0, 1, 1, 1])
    error = c.reliability(labels, probability, bins=10).error
    assert error == pytest.approx((2 * 0.4 + 2 * 0.4) / 4)
    weighted = c.reliability(labels, probability, [[1, 0, 1, 0], [0, 3, 0, 1]], 10).error
    np.testing.assert_allclose(weighted, [(0.1 + 0.4) / 2, (3 * 0.9 + 0.4) / 4])


def test_a_calibrated_model_is_within_what_its_fluctuations_allow():
    logits = np.random.default_rng(7).normal(scale=2, size=(3000, 3))
    probability = c.probabilities(logits)
    perfect = c.expected_error_if_calibrated(probability, trials=300)
    assert perfect.min() < c.reliability(draw(logits), probability).error < perfect.max()


def test_likelihood_and_softmax_match_the_libraries():
    logits = np.random.default_rng(4).normal(size=(50, 3)) * 30
    labels = draw(logits)
    np.testing.assert_allclose(c.probabilities(logits, 1.5), softmax(logits / 1.5, axis=1))
    loss = c.negative_log_likelihood(labels, c.probabilities(logits, 9))
    assert loss == pytest.approx(log_loss(labels, softmax(logits / 9, axis=1), labels=[0, 1, 2]))


def test_bad_input_is_named():
    with pytest.raises(ShapeMismatchError, match="n > 0"):
        c.fit_temperature(np.empty((0, 3)), np.empty(0, dtype=int))
    with pytest.raises(MissingTruthError, match="has 3"):
        c.fit_temperature(np.ones((1, 3)), np.array([3]))
