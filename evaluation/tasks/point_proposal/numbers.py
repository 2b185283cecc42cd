"""From true and found points of interest to numbers with errors: counts of all events are summed first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.core.event_quantiles import EventValues
from nuzoo.evaluation.core.results import Bootstrap
from nuzoo.evaluation.tasks.point_proposal.predictions import PointPredictions
from nuzoo.evaluation.tasks.point_proposal.results import FAR, NEAR, PER_KIND, ProposalMetrics

Places = NDArray[np.float64]


def pairs_of(true: Places, found: Places, within: float) -> NDArray[np.int64]:
    """Pair points that are nearest to each other, the nearest pair first; each is in one pair at most.

    Args:
        true: (t, 3).
        found: (f, 3).
        within: Largest distance of a pair.

    Returns:
        (pairs, 2), rows of both.
    """
    distance = np.linalg.norm(true[:, None] - found[None], axis=2)
    pairs: list[tuple[int, int]] = []
    while distance.size and distance.min() <= within:
        row, column = divmod(int(distance.argmin()), len(found))
        pairs.append((row, column))
        distance[row], distance[:, column] = np.inf, np.inf
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


@dataclass(frozen=True)
class PointCounts:
    """What is counted of n events.

    Attributes:
        all: (n, 5) true and found points, pairs within `NEAR` voxels, those of one kind, pairs within `FAR`.
        by_kind: (n, kinds, 3) true and found points of a kind, and pairs of such within `NEAR` voxels.
        distances: of the pairs within `FAR` voxels, mm.
    """

    all: NDArray[np.float64]
    by_kind: NDArray[np.float64]
    distances: EventValues


def count_points(predictions: PointPredictions, kinds: int, voxel_mm: float) -> PointCounts:
    """Count points and pairs of each event.

    Args:
        predictions: Of the events.
        kinds: How many there are.
        voxel_mm: Edge of a voxel.
    """
    number = len(predictions.event_id)
    counts, by_kind = np.zeros((number, 5)), np.zeros((number, kinds, 3))
    distances, events = [np.zeros(0)], [np.zeros(0, np.int64)]
    of_event = zip(
        predictions.true_kind,
        predictions.true_place_mm,
        predictions.found_kind,
        predictions.found_place_mm,
        strict=True,
    )
    for event, (true_kind, true, found_kind, found) in enumerate(of_event):
        near, far = (pairs_of(true, found, limit * voxel_mm) for limit in (NEAR, FAR))
        right = (true_kind[near[:, 0]] == found_kind[near[:, 1]]).sum()
        counts[event] = len(true), len(found), len(near), right, len(far)
        for kind in range(kinds):
            of_true, of_found = true[true_kind == kind], found[found_kind == kind]
            pairs = pairs_of(of_true, of_found, NEAR * voxel_mm)
            by_kind[event, kind] = len(of_true), len(of_found), len(pairs)
        distances.append(np.linalg.norm(true[far[:, 0]] - found[far[:, 1]], axis=1))
        events.append(np.full(len(far), event))
    return PointCounts(counts, by_kind, EventValues.of(np.concatenate(distances), np.concatenate(events)))


def scores(counts: PointCounts, weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Compute every metric of weighted events; NaN where there is nothing.

    Args:
        counts: Of the events.
        weights: (..., n).

    Returns:
        By name of `ProposalMetrics`, (...) or (..., kinds).
    """
    true, found, pairs, right, far = np.moveaxis(weights @ counts.all, -1, 0)
    median, most = counts.distances.quantiles(weights, (0.5, 0.68))
    of_kinds = np.moveaxis(np.tensordot(weights, counts.by_kind, axes=1), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            **_rates(true, found, pairs, ""),
            "precision_far": far / found,
            "recall_far": far / true,
            "kind_accuracy": right / pairs,
            "distance_median_mm": median,
            "distance_68_mm": most,
            **_rates(of_kinds[0], of_kinds[1], of_kinds[2], "_kind"),
        }


def _rates(
    true: NDArray[np.float64], found: NDArray[np.float64], pairs: NDArray[np.float64], suffix: str
) -> dict[str, NDArray[np.float64]]:
    rates = {"f1": 2 * pairs / (true + found), "precision": pairs / found, "recall": pairs / true}
    return {f"{name}{suffix}": rate for name, rate in rates.items()}


def proposal_metrics(
    counts: PointCounts, names: Sequence[str], voxel_mm: float, replicas: int = 1000, seed: int = 0
) -> tuple[ProposalMetrics, Bootstrap]:
    """Compute every metric with its error by bootstrap over events.

    Args:
        counts: Of the events.
        names: Of the kinds, in the order of their numbers.
        voxel_mm: Edge of a voxel.
        replicas: Of the bootstrap.
        seed: Of the bootstrap.
    """
    found: dict[str, Any] = bootstrap(
        lambda weights: scores(counts, weights), len(counts.all), replicas, seed
    )
    for key in PER_KIND:
        found[key] = dict(zip(names, found[key], strict=True))
    bins = np.histogram(counts.distances.value, np.arange(FAR + 1) * voxel_mm)[0].tolist()
    return ProposalMetrics(**found, distances=bins), Bootstrap(replicas=replicas, seed=seed)
