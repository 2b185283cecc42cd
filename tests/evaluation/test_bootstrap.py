import numpy as np
import pytest
from scipy.optimize import brentq

from nuzoo.evaluation.core import bootstrap as b
from nuzoo.evaluation.core.classification import one_vs_rest_auc
from nuzoo.evaluation.core.results import Number


def mean_of(x):
    return lambda w: {"mean": w @ x / w.sum(axis=-1)}


def test_error_of_a_mean_is_its_standard_error():
    x = np.random.default_rng(0).exponential(size=400)
    result = b.bootstrap(mean_of(x), 400, replicas=20_000, seed=3)["mean"]
    assert result.value == pytest.approx(x.mean())
    assert result.error == pytest.approx(x.std() / 20, rel=0.02)
    assert result.high - result.low == pytest.approx(2 * x.std() / 20, rel=0.03)


def test_auc_error_agrees_with_hanley_and_mcneil():
    """Exponential scores: variance in closed form (Radiology 143 (1982) 29, eq. 1 and 2)."""
    rng = np.random.default_rng(5)
    n = 500
    score = np.concatenate([rng.exponential(1, n), rng.exponential(3, n)])
    labels = np.repeat([0, 1], n)
    scores = np.stack([-score, score], axis=1)
    result = b.bootstrap(lambda w: {"auc": one_vs_rest_auc(labels, scores, w)}, 2 * n)["auc"][1]
    area = 0.75
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + (n - 1) * (q1 - area**2) + (n - 1) * (q2 - area**2)) / n**2
    assert result.error == pytest.approx(np.sqrt(variance), rel=0.1)
    assert abs(result.value - area) < 4 * np.sqrt(variance)


def test_replicas_depend_on_the_seed_alone(monkeypatch):
    x = np.arange(50.0)
    whole = b.bootstrap(mean_of(x), 50, replicas=30, seed=1)
    monkeypatch.setattr(b, "WEIGHTS_PER_BLOCK", 70)
    assert b.bootstrap(mean_of(x), 50, replicas=30, seed=1) == whole
    assert b.bootstrap(mean_of(x), 50, replicas=30, seed=2) != whole


def test_weights_are_draws_with_replacement():
    weights = np.concatenate(list(b.resample_weights(200, 500, np.random.default_rng(0))))
    assert weights.shape == (500, 200)
    assert (weights.sum(axis=1) == 200).all()
    assert weights.var() == pytest.approx(1 - 1 / 200, rel=0.03)  # multinomial


def test_undefined_numbers_have_no_error():
    number = b.estimate(np.array([np.nan, 1.0]), np.array([[np.nan, 1.0], [2.0, np.nan]]))
    undefined = {"error": None, "low": None, "high": None}
    assert number == [Number(value=None, **undefined), Number(value=1.0, **undefined)]


@pytest.mark.parametrize(("passed", "total"), [(0, 5), (3, 5), (5, 5), (37, 200)])
def test_wilson_limits_are_where_the_score_test_is_one_sigma(passed, total):
    def score(p):
        return (passed / total - p) ** 2 - p * (1 - p) / total

    low, high = b.wilson_interval(np.array(float(passed)), np.array(float(total)))
    fraction = passed / total
    expected_low = brentq(score, 1e-12, fraction - 1e-9) if passed else 0.0
    expected_high = brentq(score, fraction + 1e-9, 1 - 1e-12) if passed < total else 1.0
    assert (low, high) == pytest.approx((expected_low, expected_high), abs=1e-7)
