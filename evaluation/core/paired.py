"""Is one classifier better than another on the same events? Differences event by event."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.tasks.event_classification.formulas import macro_auc, one_vs_rest_auc


def compare_pairs(
    labels: NDArray[np.int64],
    probability: dict[str, NDArray[np.float64]],
    replicas: int = 1000,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Compare every two classifiers.

    Both see each bootstrap replica, so that what is common to them cancels. The p-value is that of
    McNemar's test in its exact form (Q. McNemar, Psychometrika 12 (1947) 153): if both were right
    equally often, the events that only one has right would be split like tosses of a coin.

    Args:
        labels: True classes, int (n,).
        probability: Of each classifier, by its name, (n, C).
        replicas: Bootstrap replicas.
        seed: Seed of the bootstrap.

    Returns:
        For each pair: `first`, `second`; `accuracy_difference` and `macro_auc_difference`, first minus
        second, with errors; `only_first_right` and `only_second_right`, events; `p_value`.
    """
    pairs = list(combinations(probability, 2))
    right = {name: p.argmax(axis=1) == labels for name, p in probability.items()}

    def statistic(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        accuracy = {name: weights @ hit / weights.sum(axis=-1) for name, hit in right.items()}
        area = {name: macro_auc(one_vs_rest_auc(labels, p, weights)) for name, p in probability.items()}
        return {
            "accuracy": np.stack([accuracy[a] - accuracy[b] for a, b in pairs], axis=-1),
            "macro_auc": np.stack([area[a] - area[b] for a, b in pairs], axis=-1),
        }

    differences = bootstrap(statistic, len(labels), replicas, seed)
    return [
        {
            "first": first,
            "second": second,
            "accuracy_difference": differences["accuracy"][position],
            "macro_auc_difference": differences["macro_auc"][position],
            **mcnemar(right[first], right[second]),
        }
        for position, (first, second) in enumerate(pairs)
    ]


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> dict[str, Any]:
    """Exact two-sided test that two classifiers are right equally often.

    Args:
        first: Whether the first is right, (n,).
        second: Whether the second is right, (n,).

    Returns:
        `only_first_right`, `only_second_right` and `p_value`, 1 where they never differ.
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    differ = only_first + only_second
    p_value = float(binomtest(only_first, differ, 0.5).pvalue) if differ else 1.0
    return {"only_first_right": only_first, "only_second_right": only_second, "p_value": p_value}
