"""Classification metrics as weighted, vectorised functions: the one implementation of each.

Arrays are: labels int (n,), predictions int (n,), scores float (n, classes). `weights` has shape (..., n)
with any leading axes, and the result has the same leading axes; weights of (replicas, n) are what
`nuzoo.evaluation.core.bootstrap` passes. Without weights every event counts once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nuzoo.evaluation.core.errors import MissingTruthError, ShapeMismatchError


def weights_of(weights: ArrayLike | None, events: int) -> NDArray[np.float64]:
    """Give weights (..., n), by default ones."""
    return np.ones(events) if weights is None else np.asarray(weights, dtype=np.float64)


def confusion_counts(
    labels: ArrayLike,
    predictions: ArrayLike,
    classes: int,
    weights: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    group_count: int = 1,
) -> NDArray[np.float64]:
    """Count events by true and predicted class, and by group if there are any.

    Args:
        labels: True classes.
        predictions: Predicted classes.
        classes: Number of classes C.
        weights: (..., n).
        groups: int (n,), e.g. the energy bin of each event; events outside [0, group_count) are left out.
        group_count: Number of groups G.

    Returns:
        float64 (..., C, C), or (..., G, C, C) with groups: rows are truth, columns prediction.

    Raises:
        ShapeMismatchError: The arrays do not have one length.
        MissingTruthError: A label or prediction is not in [0, C).
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape != predictions.shape or labels.ndim != 1:
        raise ShapeMismatchError(
            f"labels and predictions must both be (n,), got {labels.shape} and {predictions.shape}"
        )
    check_classes(labels, classes, "label")
    check_classes(predictions, classes, "prediction")
    cell = labels * classes + predictions
    shape: tuple[int, ...] = (classes, classes)
    if groups is not None:
        groups, shape = np.asarray(groups), (group_count, classes, classes)
        cell = np.where((groups >= 0) & (groups < group_count), groups * classes**2 + cell, -1)
    weights = weights_of(weights, len(labels))
    counts = weights @ (cell[:, None] == np.arange(np.prod(shape)))
    return counts.reshape(*weights.shape[:-1], *shape)


def check_classes(values: NDArray[np.int64], classes: int, what: str) -> None:
    """Refuse class numbers outside [0, classes), such as the -1 of an unlabelled event.

    Raises:
        MissingTruthError: With the first offending event.
    """
    bad = np.flatnonzero((values < 0) | (values >= classes))
    if len(bad):
        raise MissingTruthError(
            f"every {what} must be in 0..{classes - 1}, but event {bad[0]} has {values[bad[0]]} "
            f"({len(bad)} such events); drop them before evaluating"
        )


def _ratio(numerator: NDArray, denominator: NDArray) -> NDArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return numerator / denominator


def accuracy(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the fraction of events whose predicted class is the true one; (..., C, C) → (...)."""
    return _ratio(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1)))


def recall_per_class(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the efficiency: of the events of a class, the fraction found; NaN for a class without events."""
    return _ratio(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1))


def precision_per_class(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the purity: of the events assigned to a class, the fraction that belongs; NaN if there is none.

    Purity depends on how many events of each class the sample holds.
    """
    return _ratio(np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-2))


def f1_per_class(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the harmonic mean of precision and recall; NaN for a class in neither truth nor prediction."""
    found = np.diagonal(confusion, axis1=-2, axis2=-1)
    return _ratio(2 * found, confusion.sum(axis=-1) + confusion.sum(axis=-2))


def iou_per_class(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the intersection over the union of a class's truth and prediction; NaN where both are empty."""
    found = np.diagonal(confusion, axis1=-2, axis2=-1)
    return _ratio(found, confusion.sum(axis=-1) + confusion.sum(axis=-2) - found)


def macro_recall(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average the recalls of the classes that have events, unweighted; (..., C, C) → (...).

    The same as scikit-learn's `balanced_accuracy_score`.
    """
    return mean_defined(recall_per_class(confusion))


def macro_precision(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average the precisions of the classes seen in truth or prediction, unweighted.

    A class that has events but is never predicted counts as 0, as in scikit-learn's
    `precision_score(average="macro", zero_division=0)`.
    """
    never_predicted = (confusion.sum(axis=-2) == 0) & (confusion.sum(axis=-1) > 0)
    return mean_defined(np.where(never_predicted, 0.0, precision_per_class(confusion)))


def mean_defined(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average over classes, unweighted, those that are not NaN; (..., C) → (...)."""
    defined = np.isfinite(values)
    return _ratio(np.where(defined, values, 0).sum(axis=-1), defined.sum(axis=-1))


def recall_normalised(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale a confusion matrix so that its rows (true classes) sum to one; (..., C, C)."""
    return _ratio(confusion, confusion.sum(axis=-1, keepdims=True))


def precision_normalised(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale a confusion matrix so that its columns (predicted classes) sum to one; (..., C, C)."""
    return _ratio(confusion, confusion.sum(axis=-2, keepdims=True))


def one_vs_rest_auc(
    labels: ArrayLike, scores: ArrayLike, weights: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Compute the area under the ROC curve of each class against all the others.

    The Mann–Whitney form: the probability that an event of the class has a higher score for it than an event
    of another class, ties counting one half (Hanley & McNeil, Radiology 143 (1982) 29).

    Returns:
        float64 (..., C); NaN for a class that has no events or no rivals.

    Raises:
        ShapeMismatchError: `scores` is not (n, C).
        MissingTruthError: A label is not in [0, C).
    """
    labels, scores = np.asarray(labels), np.asarray(scores)
    if scores.ndim != 2 or len(scores) != len(labels):
        raise ShapeMismatchError(f"scores must be ({len(labels)}, classes), got {scores.shape}")
    check_classes(labels, scores.shape[1], "label")
    weights = weights_of(weights, len(labels))
    return np.stack([roc_area(labels == c, scores[:, c], weights) for c in range(scores.shape[1])], axis=-1)


def roc_area(
    positive: NDArray[np.bool_], score: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compute the area under the ROC curve of one score; see `one_vs_rest_auc`.

    Args:
        positive: (n,) whether an event is of the kind that should have high scores.
        score: (n,).
        weights: (..., n).

    Returns:
        (...); NaN without events of the kind or without others.
    """
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf) > 0)
    if len(starts) == 0:
        return np.full(weights.shape[:-1], np.nan)
    sorted_weights = weights[..., order]
    signal = np.add.reduceat(sorted_weights * positive[order], starts, axis=-1)
    rest = np.add.reduceat(sorted_weights * ~positive[order], starts, axis=-1)
    below = np.cumsum(rest, axis=-1) - rest / 2
    return _ratio((signal * below).sum(axis=-1), signal.sum(axis=-1) * rest.sum(axis=-1))


def energy_bin(energy: ArrayLike, edges: ArrayLike) -> NDArray[np.int64]:
    """Find the bin of each neutrino energy, for the `groups` of `confusion_counts`.

    Args:
        energy: GeV (n,).
        edges: Increasing, GeV (bins + 1,). A bin includes its lower edge; the last also its upper.

    Returns:
        int64 (n,), -1 for events outside the edges or without an energy (NaN).
    """
    energy, edges = np.asarray(energy, dtype=np.float64), np.asarray(edges, dtype=np.float64)
    bins = np.searchsorted(edges, energy, side="right") - 1
    bins[energy == edges[-1]] = len(edges) - 2
    return np.where((energy >= edges[0]) & (energy <= edges[-1]), bins, -1)
