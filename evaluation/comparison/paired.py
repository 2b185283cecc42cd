"""Is one classifier better than another on the same events? Differences event by event."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.core.classification import mean_defined, one_vs_rest_auc
from nuzoo.evaluation.core.results import Number


@dataclass(frozen=True)
class Pair:
    """What two classifiers differ in; differences are first minus second, numbers of events exact."""

    first: str
    second: str
    accuracy_difference: Number
    macro_auc_difference: Number
    only_first_right: int
    only_second_right: int
    p_value: float


def compare_pairs(
    labels: NDArray[np.int64],
    probability: dict[str, NDArray[np.float64]],
    replicas: int = 1000,
    seed: int = 0,
) -> list[Pair]:
    """Compare every two classifiers.

    Both see each bootstrap replica, so that what is common to them cancels. The p-value is that of
    McNemar's test in its exact form (Q. McNemar, Psychometrika 12 (1947) 153): if both were right
    equally often, the events that only one has right would be split like tosses of a coin.

    Args:
        labels: True classes, int (n,).
        probability: Of each classifier, by its name, (n, C).
        replicas: Of the bootstrap.
        seed: Of the bootstrap.
    """
    pairs = list(combinations(probability, 2))
    right = {name: p.argmax(axis=1) == labels for name, p in probability.items()}

    def statistic(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        accuracy = {name: weights @ hit / weights.sum(axis=-1) for name, hit in right.items()}
        area = {name: mean_defined(one_vs_rest_auc(labels, p, weights)) for name, p in probability.items()}
        return {
            "accuracy": np.stack([accuracy[a] - accuracy[b] for a, b in pairs], axis=-1),
            "macro_auc": np.stack([area[a] - area[b] for a, b in pairs], axis=-1),
        }

    differences = bootstrap(statistic, len(labels), replicas, seed)
    compared = zip(pairs, differences["accuracy"], differences["macro_auc"], strict=True)
    return [Pair(a, b, accuracy, area, *mcnemar(right[a], right[b])) for (a, b), accuracy, area in compared]


def accuracy_ratio(
    first: NDArray[np.bool_], second: NDArray[np.bool_], replicas: int = 1000, seed: int = 0
) -> Number:
    """Divide the accuracy of one classifier by that of another on the same events, with its bootstrap error.

    Args:
        first: Where the first is right, (n,).
        second: Where the second is right, (n,).
        replicas: Of the bootstrap.
        seed: Of the bootstrap.
    """

    def statistic(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return {"ratio": (weights @ first) / (weights @ second)}

    ratio: Number = bootstrap(statistic, len(first), replicas, seed)["ratio"]
    return ratio


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> tuple[int, int, float]:
    """Test exactly, on two sides, that two classifiers are right equally often, given where they are (n,).

    Returns:
        How often only the first is right, how often only the second, and the p-value, 1 where they never
        differ.
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    differ = only_first + only_second
    p_value = float(binomtest(only_first, differ, 0.5).pvalue) if differ else 1.0
    return only_first, only_second, p_value
