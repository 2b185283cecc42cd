"""From classes of hits, true and given, to numbers with errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.core.classification import (
    accuracy,
    check_classes,
    f1_per_class,
    iou_per_class,
    macro_precision,
    macro_recall,
    mean_defined,
    precision_per_class,
    recall_normalised,
    recall_per_class,
)
from nuzoo.evaluation.core.errors import ShapeMismatchError
from nuzoo.evaluation.core.results import Bootstrap
from nuzoo.evaluation.tasks.hit_segmentation.results import PER_CLASS, HitMetrics

NOT_GIVEN = -1
"""In place of a class, of a hit that the network was not given."""


def event_confusion(truth: ArrayLike, given: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Count the hits of an event by true class (down) and given class; those that are not given do not count.

    Args:
        truth: (hits,).
        given: (hits,).
        classes: How many there are.

    Raises:
        ShapeMismatchError: There is not one answer for each hit.
        MissingTruthError: A class is none of these.
    """
    true_class, given_class = np.asarray(truth, dtype=np.int64), np.asarray(given, dtype=np.int64)
    if true_class.shape != given_class.shape:
        raise ShapeMismatchError(
            f"expected an answer for each of {len(true_class)} hits, got {len(given_class)}"
        )
    is_given = given_class != NOT_GIVEN
    true_class, given_class = true_class[is_given], given_class[is_given]
    check_classes(true_class, classes, "label")
    check_classes(given_class, classes, "prediction")
    counts = np.bincount(true_class * classes + given_class, minlength=classes**2)
    return counts.reshape(classes, classes)


def confusions(truth: Iterable[ArrayLike], given: Iterable[ArrayLike], classes: int) -> NDArray[np.float64]:
    """Count the hits of each event: float64 (events, C, C), see `event_confusion`."""
    counts = [event_confusion(*pair, classes) for pair in zip(truth, given, strict=True)]
    return np.array(counts, dtype=np.float64).reshape(-1, classes, classes)


def scores(confusion: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Compute every metric of the hits of all events together.

    Averages are over the classes that are in truth or prediction, unweighted.

    Args:
        confusion: (..., C, C).

    Returns:
        By name of `HitMetrics`: (...), (..., C), or the confusion (..., C, C) whose rows sum to 1.
    """
    f1, iou = f1_per_class(confusion), iou_per_class(confusion)
    return {
        "macro_f1": mean_defined(f1),
        "mean_iou": mean_defined(iou),
        "macro_precision": macro_precision(confusion),
        "macro_recall": macro_recall(confusion),
        "accuracy": accuracy(confusion),
        "f1": f1,
        "precision": precision_per_class(confusion),
        "recall": recall_per_class(confusion),
        "iou": iou,
        "confusion": recall_normalised(confusion),
    }


def hit_metrics(
    of_events: NDArray[np.float64], class_names: Sequence[str], replicas: int = 1000, seed: int = 0
) -> tuple[HitMetrics, Bootstrap]:
    """Compute every metric with its error by bootstrap over events.

    Hits of one event are not independent: events are what is drawn again.

    Args:
        of_events: See `confusions`.
        class_names: In the order of the numbers.
        replicas: Of the bootstrap.
        seed: Of the bootstrap.
    """

    def statistic(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return scores(np.tensordot(weights, of_events, axes=1))

    found: dict[str, Any] = bootstrap(statistic, len(of_events), replicas, seed)
    for key in PER_CLASS:
        found[key] = dict(zip(class_names, found[key], strict=True))
    return HitMetrics(**found), Bootstrap(replicas=replicas, seed=seed)
