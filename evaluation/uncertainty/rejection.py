"""Accuracy of what is kept where the least sure answers are rejected."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nuzoo.evaluation.core.classification import weights_of

REJECTED = tuple(round(0.05 * step, 2) for step in range(20))
"""Parts of the answers that the curve is drawn at."""


def rejection_numbers(
    is_right: ArrayLike, uncertainty: ArrayLike, weights: ArrayLike | None = None
) -> dict[str, NDArray[np.float64]]:
    """Compute the curve of accuracy against rejection, and the area below it.

    Equally uncertain answers are rejected together, in part where a part is wanted: neither their order nor
    how often the sample is repeated changes anything.

    Args:
        is_right: bool (n,).
        uncertainty: (n,), such as the predictive entropy; the largest are rejected first.
        weights: (..., n).

    Returns:
        `rejection_area` (...), the accuracy averaged over how much is kept: 1 less the area under the
        risk-coverage curve (Geifman and El-Yaniv, arXiv 1705.08500); `rejection_curve` (..., 20), the
        accuracy where the parts `REJECTED` are rejected.
    """
    uncertainty = np.asarray(uncertainty, dtype=np.float64)
    order = np.argsort(uncertainty, kind="stable")
    starts = np.flatnonzero(np.diff(uncertainty[order], prepend=-np.inf) > 0)
    given = weights_of(weights, len(order))
    all_sorted = given.reshape(-1, len(order))[:, order]
    all_sorted = all_sorted / all_sorted.sum(axis=1, keepdims=True)
    steps = np.add.reduceat(all_sorted, starts, axis=1)
    right = np.add.reduceat(all_sorted * np.asarray(is_right, dtype=np.float64)[order], starts, axis=1)
    kept, kept_right = np.cumsum(steps, axis=1), np.cumsum(right, axis=1)
    wanted = 1 - np.array(REJECTED)
    curve = [np.interp(wanted, [0, *xs], [0, *ys]) / wanted for xs, ys in zip(kept, kept_right, strict=True)]
    leading = given.shape[:-1]
    return {
        "rejection_area": _area(steps, right, kept - steps, kept_right - right).reshape(leading),
        "rejection_curve": np.reshape(curve, (*leading, len(REJECTED))),
    }


def _area(
    steps: NDArray[np.float64],
    right: NDArray[np.float64],
    before: NDArray[np.float64],
    right_before: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Integrate accuracy over what is kept, (replicas,), from groups of equal uncertainty (replicas, groups).

    Of a group with the accuracy a, after r right ones of k, it is ∫ (r + a (x - k)) / x dx.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        accuracy = np.where(steps > 0, right / steps, 0.0)
        growth = np.where(before > 0, np.log1p(steps / before), 0.0)
    return (right + (right_before - accuracy * before) * growth).sum(axis=1)
