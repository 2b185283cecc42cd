"""Calibration: do probabilities mean what they say, and the temperature that mends them.

Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from nuzoo.evaluation.core.classification import check_classes, weights_of
from nuzoo.evaluation.core.errors import ShapeMismatchError

ECE_BINS = 15
"""Equal-width confidence bins, as in Guo et al."""

TEMPERATURE_LIMITS = (0.05, 20.0)
"""A fit that wants to leave this range (all events right, or no better than chance) ends on it."""


def probabilities(logits: ArrayLike, temperature: float = 1.0) -> NDArray[np.float64]:
    """Take the softmax of logits / temperature; (n, C) → (n, C)."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    weights = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def negative_log_likelihood(
    labels: ArrayLike, probability: ArrayLike, weights: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Average -ln p(true class), in nats: (...) for labels (n,), probability (n, C) and weights (..., n)."""
    probability = np.asarray(probability, dtype=np.float64)
    true = np.take_along_axis(probability, np.asarray(labels)[:, None], axis=1)[:, 0]
    surprise = -np.log(np.maximum(true, np.finfo(np.float64).tiny))
    weights = weights_of(weights, len(true))
    return weights @ surprise / weights.sum(axis=-1)


def brier_score(
    labels: ArrayLike, probability: ArrayLike, weights: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Average Σ (p - y)² over the classes, y = 1 of the true one (Brier, Mon. Weather Rev. 78 (1950) 1).

    It is 0 to 2: (...) for labels (n,), probability (n, C) and weights (..., n).
    """
    probability = np.asarray(probability, dtype=np.float64)
    truth = np.asarray(labels)[:, None] == np.arange(probability.shape[1])
    weights = weights_of(weights, len(probability))
    return weights @ ((probability - truth) ** 2).sum(axis=1) / weights.sum(axis=-1)


@dataclass(frozen=True)
class Reliability:
    """Events sorted into equal-width bins of confidence, the largest class probability.

    Attributes:
        edges: (bins + 1,), from 0 to 1.
        count: Weighted events, (..., bins).
        confidence: Mean confidence in the bin, (..., bins); NaN if empty.
        accuracy: Fraction that is right, (..., bins); NaN if empty.
    """

    edges: NDArray[np.float64]
    count: NDArray[np.float64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> NDArray[np.float64]:
        """The expected calibration error: |accuracy - confidence|, averaged over the events of the bins.

        It is positive even for perfect calibration, because every bin fluctuates: compare it with
        `expected_error_if_calibrated`.
        """
        gap = np.where(self.count > 0, np.abs(self.accuracy - self.confidence), 0)
        return (gap * self.count).sum(axis=-1) / self.count.sum(axis=-1)


def reliability(
    labels: ArrayLike, probability: ArrayLike, weights: ArrayLike | None = None, bins: int = ECE_BINS
) -> Reliability:
    """Compare confidence and accuracy bin by bin.

    Args:
        labels: int (n,).
        probability: (n, C).
        weights: (..., n), default ones.
        bins: Number of bins; bin b holds confidences in (b / bins, (b + 1) / bins].
    """
    probability = np.asarray(probability, dtype=np.float64)
    is_right = probability.argmax(axis=1) == np.asarray(labels)
    return _in_bins(probability.max(axis=1), is_right, weights, bins)


def _in_bins(
    confidence: NDArray[np.float64], is_right: NDArray, weights: ArrayLike | None, bins: int
) -> Reliability:
    weights, edges = weights_of(weights, len(confidence)), np.linspace(0, 1, bins + 1)
    index = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    member = (index[:, None] == np.arange(bins)).astype(np.float64)
    count = weights @ member
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, accuracy = (weights @ (member * of[:, None]) / count for of in (confidence, is_right))
    return Reliability(edges, count, mean, accuracy)


def expected_error_if_calibrated(
    probability: ArrayLike, trials: int = 200, seed: int = 0
) -> NDArray[np.float64]:
    """Draw calibration errors (trials,) that the same confidences would show if they were exactly right.

    Args:
        probability: (n, C).
        trials: Pseudo-experiments: each event is right with probability equal to its confidence.
        seed: Of the pseudo-experiments.
    """
    confidence = np.asarray(probability, dtype=np.float64).max(axis=1)
    rng = np.random.default_rng(seed)
    right = (rng.random(len(confidence)) < confidence for _ in range(trials))
    return np.array([_in_bins(confidence, is_right, None, ECE_BINS).error for is_right in right])


def fit_temperature(logits: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """Find the temperature whose softmax(logits / T) has the smallest negative log-likelihood.

    In 1/T the likelihood is concave, so its one maximum is where the mean logit of the true class
    equals the mean logit expected under the probabilities. Fit it on the validation split, never
    on the events whose calibration is reported.

    Args:
        logits: (n, C).
        labels: int (n,).

    Returns:
        The temperature, within `TEMPERATURE_LIMITS`, and its standard error (sandwich estimator,
        which does not assume that the model is right; NaN if the fit ends on a limit).

    Raises:
        ShapeMismatchError: `logits` is not (n, C) with n > 0.
        MissingTruthError: A label is not in [0, C).
    """
    logits, labels = np.asarray(logits, dtype=np.float64), np.asarray(labels)
    if logits.ndim != 2 or len(logits) != len(labels) or len(labels) == 0:
        raise ShapeMismatchError(
            f"logits must be (n, classes) for n > 0 labels, got {logits.shape} and {labels.shape}"
        )
    check_classes(labels, logits.shape[1], "label")
    centred = logits - logits.mean(axis=1, keepdims=True)
    true = np.take_along_axis(centred, labels[:, None], axis=1)[:, 0]

    def score(inverse: float) -> NDArray[np.float64]:
        return true - (probabilities(centred, 1 / inverse) * centred).sum(axis=1)

    lowest, highest = 1 / TEMPERATURE_LIMITS[1], 1 / TEMPERATURE_LIMITS[0]
    if score(lowest).mean() <= 0:
        return TEMPERATURE_LIMITS[1], float("nan")
    if score(highest).mean() >= 0:
        return TEMPERATURE_LIMITS[0], float("nan")
    inverse = float(brentq(lambda x: score(x).mean(), lowest, highest, xtol=1e-12))
    probability = probabilities(centred, 1 / inverse)
    variance = (probability * centred**2).sum(axis=1) - (probability * centred).sum(axis=1) ** 2
    inverse_error = np.sqrt(np.mean(score(inverse) ** 2) / len(labels)) / variance.mean()
    return 1 / inverse, float(inverse_error / inverse**2)
