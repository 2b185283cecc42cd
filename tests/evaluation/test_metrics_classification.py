import numpy as np
import pytest
from scipy.stats import norm
from sklearn import metrics as sk

from nuzoo.evaluation.core import classification as m
from nuzoo.evaluation.core.errors import MissingTruthError, ShapeMismatchError

# Rows are truth: 4 + 1 + 0, 2 + 3 + 0, 0 + 1 + 0 events.
HAND = np.array([[4, 1, 0], [2, 3, 0], [0, 1, 0]], dtype=float)


@pytest.fixture
def sample():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 700)
    scores = np.round(rng.normal(size=(700, 3)), 1)  # rounding makes ties
    scores[np.arange(700), labels] += 1
    return labels, scores, rng.integers(0, 4, (5, 700))


def test_hand_computed_confusion():
    labels = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2]
    predictions = [0, 0, 0, 0, 1, 0, 0, 1, 1, 1, 1]
    confusion = m.confusion_counts(labels, predictions, 3)
    np.testing.assert_array_equal(confusion, HAND)
    assert m.accuracy(confusion) == pytest.approx(7 / 11)
    np.testing.assert_allclose(m.recall_per_class(confusion), [4 / 5, 3 / 5, 0])
    np.testing.assert_allclose(m.precision_per_class(confusion), [4 / 6, 3 / 5, np.nan])
    assert m.macro_recall(confusion) == pytest.approx((4 / 5 + 3 / 5 + 0) / 3)
    assert m.macro_precision(confusion) == pytest.approx((4 / 6 + 3 / 5 + 0) / 3)
    np.testing.assert_allclose(m.recall_normalised(confusion).sum(axis=1), 1)
    np.testing.assert_allclose(m.precision_normalised(confusion)[:, :2].sum(axis=0), 1)


def test_class_without_events_is_left_out():
    confusion = m.confusion_counts([0, 0, 1], [0, 1, 1], 3)
    assert m.macro_recall(confusion) == pytest.approx(sk.balanced_accuracy_score([0, 0, 1], [0, 1, 1]))


@pytest.mark.parametrize("replica", range(5))
def test_weighted_metrics_match_scikit_learn(sample, replica):
    labels, scores, weights = sample
    predictions, w = scores.argmax(1), weights[replica]
    confusion = m.confusion_counts(labels, predictions, 3, weights)[replica]
    np.testing.assert_array_equal(confusion, sk.confusion_matrix(labels, predictions, sample_weight=w))
    assert m.accuracy(confusion) == pytest.approx(sk.accuracy_score(labels, predictions, sample_weight=w))
    options = {"average": "macro", "sample_weight": w, "zero_division": 0}
    assert m.macro_precision(confusion) == pytest.approx(sk.precision_score(labels, predictions, **options))
    assert m.macro_recall(confusion) == pytest.approx(sk.recall_score(labels, predictions, **options))
    areas = m.one_vs_rest_auc(labels, scores, weights)[replica]
    expected = [sk.roc_auc_score(labels == c, scores[:, c], sample_weight=w) for c in range(3)]
    np.testing.assert_allclose(areas, expected)


def test_auc_of_two_gaussians_has_its_closed_form():
    """Scores N(0, 1) and N(d', 1): AUC = Phi(d' / sqrt 2)."""
    separation, n = 1.3, 40_000
    quantiles = norm.ppf((np.arange(n) + 0.5) / n)
    score = np.concatenate([quantiles, quantiles + separation])
    labels = np.repeat([0, 1], n)
    area = m.one_vs_rest_auc(labels, np.stack([-score, score], axis=1))
    np.testing.assert_allclose(area, norm.cdf(separation / np.sqrt(2)), atol=2e-5)


def test_auc_counts_ties_one_half_and_is_undefined_without_rivals():
    area = m.one_vs_rest_auc([0, 0, 1, 1], np.ones((4, 2)))
    np.testing.assert_array_equal(area, [0.5, 0.5])
    assert np.isnan(m.one_vs_rest_auc([0, 0], np.ones((2, 2)))).all()


def test_efficiency_and_purity_per_energy_bin():
    labels = np.array([0, 0, 0, 1, 1, 0])
    predictions = np.array([0, 1, 0, 1, 0, 0])
    bins = m.energy_bin([0.5, 0.6, 2.0, 1.0, 1.5, np.nan], [0, 1, 2])
    np.testing.assert_array_equal(bins, [0, 0, 1, 1, 1, -1])
    counts = m.confusion_counts(labels, predictions, 2, groups=bins, group_count=2)
    np.testing.assert_array_equal(counts, [[[1, 1], [0, 0]], [[1, 0], [1, 1]]])
    np.testing.assert_allclose(m.recall_per_class(counts), [[0.5, np.nan], [1, 0.5]])
    np.testing.assert_allclose(m.precision_per_class(counts), [[1, 0], [0.5, 1]])
    weighted = m.confusion_counts(labels, predictions, 2, np.full((3, 6), 2.0), bins, 2)
    np.testing.assert_array_equal(weighted, np.broadcast_to(2 * counts, (3, 2, 2, 2)))


def test_bad_input_is_named():
    with pytest.raises(MissingTruthError, match="event 1 has -1"):
        m.confusion_counts([0, -1], [0, 0], 2)
    with pytest.raises(ShapeMismatchError, match=r"\(2,\) and \(3,\)"):
        m.confusion_counts([0, 1], [0, 0, 1], 2)
    with pytest.raises(ShapeMismatchError, match="classes"):
        m.one_vs_rest_auc([0, 1], [0.2, 0.4])
