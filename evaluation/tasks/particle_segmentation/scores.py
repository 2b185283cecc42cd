"""Panoptic quality, efficiency, purity and classes of instances: counts of each event, pooled over events.

The counts of events are summed with weights before anything is divided (arXiv 1801.00868 does so over
images), so an event without instances counts what is found in it, and nothing else. `weights` has the shape
(..., events), and results have the leading axes; those of (replicas, events) are what
`nuzoo.evaluation.core.bootstrap` passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.tasks.particle_segmentation.overlaps import EventOverlap, Floats, Ints
from nuzoo.evaluation.tasks.particle_segmentation.rand_index import rand_indices

INDICES = ("ari", "ari_apart", "ari_claimed")

SIZE_EDGES = (1, 3, 6, 11, 21, 51, 101, 201, 501, 1001)
"""Bins of the hits of true instances; the last is open."""


@dataclass(frozen=True)
class EventCounts:
    """What is counted in each of n events of C classes.

    Attributes:
        iou: (n, C + 1), sums over pairs of equal class by class, and last over all pairs of any class.
        matched: (n, C + 1), such pairs.
        true: (n, C + 1), true instances, of each class and of all.
        found: (n, C + 1), found ones that are judged.
        confusion: (n, C, C), pairs by true class (down) and found class.
        efficiency: (n,), summed over true instances.
        purity: (n,), summed over found ones that are judged.
        by_size: (n, bins, 2), true instances of a size, and those of them that are matched.
        indices: (n, 3), `INDICES`, NaN where they are not defined.
    """

    iou: Floats
    matched: Floats
    true: Floats
    found: Floats
    confusion: Floats
    efficiency: Floats
    purity: Floats
    by_size: Floats
    indices: Floats


def count_events(events: Sequence[EventOverlap], classes: int) -> EventCounts:
    """Count in each event what the scores are made of.

    Args:
        events: one at least.
        classes: C.
    """
    counted = [_count_event(event, classes) for event in events]
    return EventCounts(**{name: np.stack([each[name] for each in counted]) for name in counted[0]})


def _count_event(event: EventOverlap, classes: int) -> dict[str, NDArray[np.float64]]:
    true, found = event.pairs
    iou = event.iou[true, found]
    true_class, found_class = event.true_labels[true], event.found_labels[found]
    same = true_class == found_class
    judged = event.is_judged.copy()
    judged[found] = True
    size = np.searchsorted(SIZE_EDGES, event.true_sizes, side="right") - 1
    bins = len(SIZE_EDGES)
    best = event.shared.max(axis=1, initial=0) / np.maximum(event.true_sizes, 1)
    pure = event.shared.max(axis=0, initial=0) / np.maximum(event.found_sizes, 1)
    return {
        "iou": np.append(_per_class(true_class[same], classes, iou[same]), iou.sum()),
        "matched": np.append(_per_class(true_class[same], classes), len(true)),
        "true": np.append(_per_class(event.true_labels, classes), len(event.true_labels)),
        "found": np.append(_per_class(event.found_labels[judged], classes), judged.sum()),
        "confusion": _per_class(true_class * classes + found_class, classes**2).reshape(classes, classes),
        "efficiency": np.asarray(best.sum(), dtype=np.float64),
        "purity": np.asarray(pure[judged].sum(), dtype=np.float64),
        "by_size": np.stack([_per_class(size, bins), _per_class(size[true], bins)], axis=1),
        "indices": np.array([rand_indices(event)[name] for name in INDICES]),
    }


def _per_class(labels: Ints, classes: int, weights: Floats | None = None) -> Floats:
    return np.bincount(labels, weights, minlength=classes).astype(np.float64)


def scores(counts: EventCounts, weights: Floats) -> dict[str, Floats]:
    """Compute every score.

    Args:
        counts: Of n events.
        weights: (..., n).

    Returns:
        By name, (...): `pq_any`, `sq`, `rq`, `precision` and `recall` of pairs of any class; `pq` where a
        pair of different classes is none; `pq_mean` the mean of `pq_class`; `f1_mean` that of `f1_class`;
        `efficiency`, `purity` and `INDICES`. (..., C): `pq_class`, and of the classes of matched pairs
        `f1_class`. (..., bins): `recall_by_size`. NaN where there is nothing to divide by.
    """
    iou, matched, true, found = (
        np.tensordot(weights, of, axes=(-1, 0))
        for of in (counts.iou, counts.matched, counts.true, counts.found)
    )
    confusion = np.tensordot(weights, counts.confusion, axes=(-1, 0))
    by_size = np.tensordot(weights, counts.by_size, axes=(-1, 0))
    both = true + found
    of_class = ratio(2 * iou, both)[..., :-1]
    diagonal = np.diagonal(confusion, axis1=-2, axis2=-1)
    f1 = ratio(2 * diagonal, confusion.sum(axis=-1) + confusion.sum(axis=-2))
    return {
        "pq": ratio(2 * iou[..., :-1].sum(axis=-1), both[..., -1]),
        "pq_any": ratio(2 * iou[..., -1], both[..., -1]),
        "sq": ratio(iou[..., -1], matched[..., -1]),
        "rq": ratio(2 * matched[..., -1], both[..., -1]),
        "precision": ratio(matched[..., -1], found[..., -1]),
        "recall": ratio(matched[..., -1], true[..., -1]),
        "pq_mean": mean_of_defined(of_class),
        "f1_mean": mean_of_defined(f1),
        "efficiency": ratio(weights @ counts.efficiency, true[..., -1]),
        "purity": ratio(weights @ counts.purity, found[..., -1]),
        **_mean_indices(counts.indices, weights),
        "pq_class": of_class,
        "f1_class": f1,
        "recall_by_size": ratio(by_size[..., 1], by_size[..., 0]),
    }


def _mean_indices(indices: Floats, weights: Floats) -> dict[str, Floats]:
    """Average the indices of events over those where they are defined."""
    defined = np.isfinite(indices)
    total = weights @ np.where(defined, indices, 0.0)
    mean = ratio(total, weights @ defined.astype(np.float64))
    return {name: mean[..., number] for number, name in enumerate(INDICES)}


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Divide, for NaN where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator > 0, np.divide(numerator, denominator), np.nan)


def mean_of_defined(values: Floats) -> Floats:
    """Average over the last axis what is not NaN."""
    defined = np.isfinite(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))
