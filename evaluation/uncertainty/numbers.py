"""Every number of the uncertainty of a classifier, with its error, from what it tells and truth alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nuzoo.evaluation.core.bootstrap import WEIGHTS_PER_BLOCK, Statistic, bootstrap
from nuzoo.evaluation.core.calibration import brier_score, negative_log_likelihood, reliability
from nuzoo.evaluation.core.classification import check_classes, roc_area
from nuzoo.evaluation.core.errors import ShapeMismatchError
from nuzoo.evaluation.core.results import Number
from nuzoo.evaluation.core.text import with_error
from nuzoo.evaluation.uncertainty.predictive import Predictive
from nuzoo.evaluation.uncertainty.rejection import rejection_numbers

SET_LEVEL = 0.9
"""What the probabilities of the smallest set of classes that is told sum to at least."""

TITLES = {
    "accuracy": "accuracy",
    "nll": "NLL (nats)",
    "brier": "Brier",
    "ece": "ECE",
    "entropy_auroc": "entropy AUROC",
    "rejection_area": "accuracy, mean over rejection",
    "coverage": "coverage of 90 % sets",
    "set_size": "classes in them",
    "information": "mutual information (nats)",
    "information_auroc": "its AUROC",
}
"""Of the numbers of `ClassUncertainty`, in the order of tables."""


@dataclass(frozen=True, kw_only=True)
class ClassUncertainty:
    """How good the uncertainty of classes is, over events; errors are of the bootstrap of events.

    Attributes:
        rows: That have a class: events, or hits of them.
        accuracy: Of the most probable class.
        nll: Negative log-likelihood, nats.
        brier: Σ over classes of (probability - truth)², averaged over rows.
        ece: Expected calibration error, 15 bins.
        entropy_auroc: Area under the ROC curve that tells right answers from wrong ones by less predictive
            entropy.
        rejection_area: Accuracy averaged over how many of the most uncertain are rejected.
        rejection_curve: Accuracy where the parts `REJECTED` are rejected.
        coverage: Part of the rows whose class is in the smallest set of probability `SET_LEVEL`.
        set_size: Classes in that set.
        information: Mutual information, nats; None of one network.
        information_auroc: As `entropy_auroc`, by the mutual information.
    """

    rows: int
    accuracy: Number
    nll: Number
    brier: Number
    ece: Number
    entropy_auroc: Number
    rejection_area: Number
    rejection_curve: list[Number]
    coverage: Number
    set_size: Number
    information: Number | None = None
    information_auroc: Number | None = None

    def by_title(self) -> dict[str, Number | None]:
        """Give the numbers of a table by title."""
        return {title: getattr(self, name) for name, title in TITLES.items()}

    @property
    def told(self) -> str:
        """The numbers that matter most, in words."""
        return f"accuracy {with_error(self.accuracy)}, entropy AUROC {with_error(self.entropy_auroc)}"


def class_uncertainty(
    predictive: Predictive,
    labels: ArrayLike,
    event: ArrayLike | None = None,
    *,
    replicas: int = 1000,
    seed: int = 0,
) -> ClassUncertainty:
    """Measure a predictive distribution.

    Args:
        predictive: Of n rows.
        labels: True classes, int (n,).
        event: int (n,), whose event each row is of, from 0; by default each is one of its own.
        replicas: Of the bootstrap over events.
        seed: Of the bootstrap.

    Raises:
        ShapeMismatchError: Arrays do not fit together.
        MissingTruthError: A label is not in [0, C).
    """
    labels, probability = np.asarray(labels, dtype=np.int64), predictive.probability
    if not len(labels) or len(labels) != len(probability):
        raise ShapeMismatchError(f"expected {len(probability)} > 0 labels, got {len(labels)}")
    check_classes(labels, probability.shape[1], "label")
    is_right = probability.argmax(axis=1) == labels
    sets = smallest_sets(probability)
    means = {
        "accuracy": is_right,
        "coverage": np.take_along_axis(sets, labels[:, None], axis=1)[:, 0],
        "set_size": sets.sum(axis=1),
    }
    if predictive.information is not None:
        means["information"] = predictive.information

    def statistic(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        total = weights.sum(axis=-1)
        numbers = {name: weights @ values.astype(np.float64) / total for name, values in means.items()}
        numbers["nll"] = negative_log_likelihood(labels, probability, weights)
        numbers["brier"] = brier_score(labels, probability, weights)
        numbers["ece"] = reliability(labels, probability, weights).error
        numbers["entropy_auroc"] = roc_area(is_right, -predictive.entropy, weights)
        if predictive.information is not None:
            numbers["information_auroc"] = roc_area(is_right, -predictive.information, weights)
        return numbers | rejection_numbers(is_right, predictive.entropy, weights)

    of_event = np.arange(len(labels)) if event is None else np.asarray(event, dtype=np.int64)
    found = bootstrap(of_rows(statistic, of_event), int(of_event.max()) + 1, replicas, seed)
    found["ece"] = replace(found["ece"], low=None, high=None)
    return ClassUncertainty(rows=len(labels), **found)


def of_rows(statistic: Statistic, event: NDArray[np.int64]) -> Statistic:
    """Make a statistic of weights of events of one of weights of their rows, with bounded memory.

    Args:
        statistic: Takes weights (r, rows).
        event: (rows,) the event of each.
    """
    block = max(1, WEIGHTS_PER_BLOCK // len(event))

    def of_events(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        parts = [
            statistic(weights[first : first + block][:, event]) for first in range(0, len(weights), block)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return of_events


def smallest_sets(probability: NDArray[np.float64], level: float = SET_LEVEL) -> NDArray[np.bool_]:
    """Tell of each class whether it is in the smallest set whose probability reaches a level; (n, C)."""
    order = np.argsort(-probability, axis=1, kind="stable")
    sorted_probability = np.take_along_axis(probability, order, axis=1)
    before = np.cumsum(sorted_probability, axis=1) - sorted_probability
    sets = np.zeros(probability.shape, dtype=np.bool_)
    np.put_along_axis(sets, order, before < level, axis=1)
    return sets
