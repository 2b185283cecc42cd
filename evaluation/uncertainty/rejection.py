"""Accuracy of what is kept where the least sure answers are rejected."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nuzoo.evaluation.core.classification import weights_of

REJECTED = tuple(round(0.05 * step, 2) for step in range(20))
"""Parts of the events that the curve is drawn at."""


def accuracy_of_kept(
    is_right: ArrayLike, uncertainty: ArrayLike, weights: ArrayLike | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the accuracy of the surest rows, from the first to all; it does not depend on their order.

    Equally sure rows come together, each with the accuracy that they have on average.

    Args:
        is_right: bool (n,).
        uncertainty: (n,), such as the predictive entropy.
        weights: (..., n).

    Returns:
        The part that is kept, (..., n), and its accuracy, (..., n), NaN while nothing of weight is kept.
    """
    uncertainty = np.asarray(uncertainty, dtype=np.float64)
    order = np.argsort(uncertainty, kind="stable")
    starts = np.flatnonzero(np.diff(uncertainty[order], prepend=-np.inf) > 0)
    sorted_weights = weights_of(weights, len(order))[..., order]
    right = sorted_weights * np.asarray(is_right, dtype=np.float64)[order]
    in_group = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(order)))
    with np.errstate(divide="ignore", invalid="ignore"):
        alike = np.add.reduceat(right, starts, axis=-1) / np.add.reduceat(sorted_weights, starts, axis=-1)
        right = np.nan_to_num(alike)[..., in_group] * sorted_weights
        kept = np.cumsum(sorted_weights, axis=-1)
        return kept / kept[..., -1:], np.cumsum(right, axis=-1) / kept


def rejection_numbers(
    is_right: ArrayLike, uncertainty: ArrayLike, weights: ArrayLike | None = None
) -> dict[str, NDArray[np.float64]]:
    """Compute the curve of accuracy against rejection, and the area below it.

    Args:
        is_right: See `accuracy_of_kept`.
        uncertainty: See `accuracy_of_kept`.
        weights: See `accuracy_of_kept`.

    Returns:
        `rejection_area` (...), the accuracy averaged over how much is kept, that is 1 less the area under
        the risk-coverage curve (Geifman and El-Yaniv, arXiv 1705.08500); `rejection_curve` (..., 20), the
        accuracy where the parts `REJECTED` are rejected.
    """
    given = weights_of(weights, len(np.asarray(uncertainty)))
    kept, accuracy = accuracy_of_kept(is_right, uncertainty, given)
    steps = np.diff(kept, axis=-1, prepend=0.0)
    area = np.where(steps > 0, steps * np.nan_to_num(accuracy), 0.0).sum(axis=-1)
    rows = kept.reshape(-1, kept.shape[-1]), accuracy.reshape(-1, kept.shape[-1])
    curve = [_at_rejections(*row) for row in zip(*rows, strict=True)]
    return {"rejection_area": area, "rejection_curve": np.reshape(curve, (*area.shape, len(REJECTED)))}


def _at_rejections(kept: NDArray[np.float64], accuracy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Read a curve at the smallest number of rows that makes up what is kept."""
    place = np.searchsorted(kept, 1 - np.array(REJECTED) - 1e-9)
    return accuracy[np.minimum(place, len(kept) - 1)]
