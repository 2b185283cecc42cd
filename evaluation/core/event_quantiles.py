"""Quantiles of values of which an event has any number, for weighted events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class EventValues:
    """Values of all events together, such as errors of matched pairs.

    Attributes:
        value: (values,), ascending.
        event: (values,) the event of each.
    """

    value: NDArray[np.float64]
    event: NDArray[np.int64]

    @classmethod
    def of(cls, value: NDArray[np.float64], event: NDArray[np.int64]) -> EventValues:
        """Put values into their order."""
        order = np.argsort(value, kind="stable")
        return cls(value[order], event[order])

    def quantiles(self, weights: NDArray[np.float64], parts: Sequence[float]) -> list[NDArray[np.float64]]:
        """Give quantiles by the inverse of the empirical distribution.

        Args:
            weights: (..., events).
            parts: of the weight, each between 0 and 1.

        Returns:
            Of each part (...); NaN where nothing has weight.
        """
        if not len(self.value):
            return [np.full(weights.shape[:-1], np.nan) for _ in parts]
        below = np.cumsum(weights[..., self.event], axis=-1)
        total = below[..., -1:]
        found = [self.value[(below < part * total).sum(axis=-1)] for part in parts]
        return [np.where(total[..., 0] > 0, each, np.nan) for each in found]

    def median_deviation(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the median of the distances from the median, by the same inverse.

        Args:
            weights: (..., events).

        Returns:
            (...); NaN where nothing has weight.
        """
        (median,) = self.quantiles(weights, (0.5,))
        if not len(self.value):
            return median
        distance = np.abs(self.value - median[..., None])
        order = distance.argsort(axis=-1)
        below = np.cumsum(np.take_along_axis(weights[..., self.event], order, axis=-1), axis=-1)
        place = (below < below[..., -1:] / 2).sum(axis=-1, keepdims=True)
        chosen = np.take_along_axis(order, place, axis=-1)
        found: NDArray[np.float64] = np.take_along_axis(distance, chosen, axis=-1)[..., 0]
        return found
