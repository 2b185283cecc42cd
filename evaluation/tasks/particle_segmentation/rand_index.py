"""The adjusted Rand index (Hubert and Arabie, J. Classification 2 (1985) 193) of counts of hits."""

from __future__ import annotations

import numpy as np

from nuzoo.evaluation.tasks.particle_segmentation.overlaps import EventOverlap, Ints


def adjusted_rand_index(table: Ints, single: Ints | None = None) -> float:
    """Compute the index of two partitions, as scikit-learn's `adjusted_rand_score`.

    Args:
        table: (clusters, clusters) hits of each cluster of one partition and of the other.
        single: (clusters,) more hits of the clusters of the first, each a cluster of its own in the second.

    Returns:
        1 for equal partitions, 0 on average for random ones; NaN without hits.
    """
    single = np.zeros(len(table), dtype=np.int64) if single is None else single
    alone = float(single.sum())
    hits = float(table.sum()) + alone
    if not hits:
        return np.nan
    squares = float((table**2).sum()) + alone
    first = float(((table.sum(axis=1) + single) ** 2).sum()) - squares  # pairs together in one alone
    second = float((table.sum(axis=0) ** 2).sum()) + alone - squares
    both, neither = squares - hits, hits**2 - first - second - squares
    if first == second == 0:
        return 1.0
    told = 2 * (both * neither - first * second)
    return told / ((both + first) * (first + neither) + (both + second) * (second + neither))


def rand_indices(event: EventOverlap) -> dict[str, float]:
    """Give the index of the hits of an event by each convention.

    Returns:
        `ari`: of the hits of true instances, where those that nothing claims are one cluster.
        `ari_apart`: the same, where each of them is a cluster of its own.
        `ari_claimed`: of the hits that a found instance claims, whatever they are; those that nothing claims
        are forgiven, as in Panda's evaluation.
        The first two are NaN unless there are two true instances: of one the index is 0 as soon as one hit is
        missed.
    """
    unclaimed = event.true_sizes - event.shared.sum(axis=1)
    several = len(event.true_sizes) > 1
    whole = np.concatenate([event.shared, unclaimed[:, None]], axis=1)
    return {
        "ari": adjusted_rand_index(whole) if several else np.nan,
        "ari_apart": adjusted_rand_index(event.shared, unclaimed) if several else np.nan,
        "ari_claimed": adjusted_rand_index(event.claimed),
    }
