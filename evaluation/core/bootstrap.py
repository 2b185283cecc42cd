"""Bootstrap errors for any statistic of weighted events, vectorised over replicas.

A replica draws n events out of n with replacement (Efron, Ann. Statist. 7 (1979) 1), which is the
same as giving event i the integer weight "times drawn". A statistic that accepts weights of shape
(replicas, events) is therefore bootstrapped without a Python loop over replicas, and statistics
computed together share their replicas: differences between them are paired.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.results import Number

Statistic = Callable[[NDArray[np.float64]], dict[str, NDArray[np.float64]]]

ONE_SIGMA = math.erf(1 / math.sqrt(2))
"""Central probability of a Gaussian within one standard deviation, 0.6827."""

WEIGHTS_PER_BLOCK = 2_000_000
"""Weights held at once (16 MB as float64): bounds the memory whatever the number of events."""


def resample_weights(events: int, replicas: int, rng: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """Draw bootstrap weights block by block; they do not depend on the size of the blocks.

    Yields:
        float64 (r, n): how often each event was drawn; every row sums to n.
    """
    block = max(1, WEIGHTS_PER_BLOCK // events)
    for first in range(0, replicas, block):
        rows = min(block, replicas - first)
        drawn = rng.integers(0, events, size=(rows, events))
        drawn += np.arange(rows)[:, None] * events
        counts = np.bincount(drawn.ravel(), minlength=rows * events)
        yield counts.reshape(rows, events).astype(np.float64)


def bootstrap(statistic: Statistic, events: int, replicas: int = 1000, seed: int = 0) -> dict[str, Any]:
    """Evaluate a set of statistics with their bootstrap errors.

    Args:
        statistic: Maps weights (r, n) to named arrays (r, ...).
        events: In the sample, n; at least one.
        replicas: How many; at least two.
        seed: Of the replicas.

    Returns:
        For each name the estimate (see `estimate`), nested as the statistic's trailing axes.
    """
    rng = np.random.default_rng(seed)
    nominal = statistic(np.ones((1, events)))
    blocks = [statistic(weights) for weights in resample_weights(events, replicas, rng)]
    return {
        name: estimate(value[0], np.concatenate([block[name] for block in blocks]))
        for name, value in nominal.items()
    }


def estimate(value: NDArray[np.float64], replicas: NDArray[np.float64]) -> Any:
    """Turn a value and its replicas into numbers with errors.

    Args:
        value: Any shape (...).
        replicas: (r, ...). Replicas in which the statistic is undefined (NaN) are left out.

    Returns:
        Lists nested as the shape of `value`, whose leaves are `Number`s: the error is the standard
        deviation of the replicas; `low` and `high` are their central 68.27 % interval.
    """
    if np.ndim(value) == 0:
        return _number(float(value), replicas)
    return [estimate(value[i], replicas[:, i]) for i in range(len(value))]


def _number(value: float, replicas: NDArray[np.float64]) -> Number:
    defined = replicas[np.isfinite(replicas)]
    if not math.isfinite(value) or len(defined) < 2:
        return Number(value=value if math.isfinite(value) else None, error=None, low=None, high=None)
    tail = (1 - ONE_SIGMA) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Number(value=value, error=float(defined.std(ddof=1)), low=float(low), high=float(high))


def wilson_interval(
    passed: NDArray[np.float64], total: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Compute the score interval of a binomial fraction at one standard deviation (68.27 %).

    E. B. Wilson, J. Am. Stat. Assoc. 22 (1927) 209, with z = 1. Unlike the bootstrap it keeps a
    width when none or all of the events pass.

    Args:
        passed: Events that passed, any shape.
        total: Events tried, in the same shape.

    Returns:
        Lower and upper limits; NaN where `total` is zero.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        fraction = passed / total
        centre = (fraction + 0.5 / total) / (1 + 1 / total)
        half = np.sqrt(fraction * (1 - fraction) / total + 0.25 / total**2) / (1 + 1 / total)
        return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
