"""Predictive distributions over classes, of one network, of several samples, or of evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, xlogy

from nuzoo.evaluation.core.errors import ShapeMismatchError


@dataclass(frozen=True)
class Predictive:
    """What is told of the class of each row, an event or a hit.

    Attributes:
        probability: (n, C).
        information: Mutual information, nats (n,), between the class and the network that tells it: what of
            the entropy is for want of knowledge, and not in the events. None where one network tells all.
    """

    probability: NDArray[np.float64]
    information: NDArray[np.float64] | None = None

    @classmethod
    def of_samples(cls, samples: ArrayLike) -> Self:
        """Average samples, members of an ensemble or passes through a network.

        The mutual information is the entropy of the mean less the mean entropy (BALD, arXiv 1112.5745).

        Args:
            samples: Probabilities (S, n, C). One sample has no mutual information.
        """
        probabilities = np.asarray(samples, dtype=np.float64)
        if probabilities.ndim != 3 or not len(probabilities):
            raise ShapeMismatchError(f"samples must be (S, n, C) with S > 0, got {probabilities.shape}")
        mean = probabilities.mean(axis=0)
        if len(probabilities) == 1:
            return cls(mean)
        return cls(mean, _above_zero(entropy(mean) - entropy(probabilities).mean(axis=0)))

    @classmethod
    def of_evidence(cls, log_concentration: ArrayLike) -> Self:
        """Take the mean of Dirichlet distributions, and their mutual information.

        The expected entropy is Σ p (ψ(S + 1) - ψ(α + 1)) (arXiv 1802.10501, equation 17).

        Args:
            log_concentration: log α (n, C), the logits of an evidential network.
        """
        alpha = np.exp(np.asarray(log_concentration, dtype=np.float64))
        total = alpha.sum(axis=1, keepdims=True)
        mean = alpha / total
        expected = (mean * (digamma(total + 1) - digamma(alpha + 1))).sum(axis=1)
        return cls(mean, _above_zero(entropy(mean) - expected))

    @property
    def entropy(self) -> NDArray[np.float64]:
        """Predictive entropy, nats (n,)."""
        return entropy(self.probability)


def entropy(probability: ArrayLike) -> NDArray[np.float64]:
    """Give -Σ p log p over the last axis, nats."""
    values = np.asarray(probability, dtype=np.float64)
    return -xlogy(values, values).sum(axis=-1)


def _above_zero(information: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take away what rounding puts below zero."""
    return np.maximum(information, 0.0)
