"""How good the spread of several samples of a regressed quantity is as its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from nuzoo.evaluation.core.bootstrap import ONE_SIGMA, bootstrap
from nuzoo.evaluation.core.errors import ShapeMismatchError
from nuzoo.evaluation.core.results import Number
from nuzoo.evaluation.core.text import with_error

TITLES = {"rmse": "RMSE", "spread": "spread", "coverage": "coverage of 68 %", "pull": "pull"}
"""Of the numbers of `ValueUncertainty`, in the order of tables."""

AXES = "xyz"


@dataclass(frozen=True, kw_only=True)
class ValueUncertainty:
    """How good the uncertainty of a quantity is, for each of its components.

    Attributes:
        events: How many.
        rmse: Root mean square of the error of the mean of the samples, in the unit of the quantity.
        spread: Standard deviation of the samples, averaged over events, in the unit of the quantity.
        coverage: Part of the events whose truth is in the interval of 68.27 %.
        pull: Root mean square of the error in units of the spread of a new sample: 1 if it is right.
    """

    events: int
    rmse: list[Number]
    spread: list[Number]
    coverage: list[Number]
    pull: list[Number]

    def by_title(self) -> dict[str, Number]:
        """Give the numbers of a table by title, those of a vector along x, y and z."""
        count = len(self.rmse)
        axes = [""] if count == 1 else [f" {axis}" for axis in (AXES if count == len(AXES) else range(count))]
        return {
            f"{title}{axis}": number
            for name, title in TITLES.items()
            for axis, number in zip(axes, getattr(self, name), strict=True)
        }

    @property
    def told(self) -> str:
        """The numbers that matter most, in words."""
        return ", ".join(
            f"{title} {with_error(number)}"
            for title, number in self.by_title().items()
            if title.startswith((TITLES["spread"], TITLES["coverage"]))
        )


def interval(samples: ArrayLike, level: float = ONE_SIGMA) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the interval that a further sample is in with a probability, were they Gaussian.

    It is mean ± t s √(1 + 1/S), with Student's t of S - 1 degrees of freedom and the standard deviation s,
    and holds its level for any number S of samples.

    Args:
        samples: (S, ...), S > 1.
        level: The probability.

    Returns:
        Lower and upper ends, (...).

    Raises:
        ShapeMismatchError: Fewer than two samples.
    """
    values = _checked(samples)
    number = len(values)
    reach = student.ppf((1 + level) / 2, number - 1) * np.sqrt(1 + 1 / number)
    mean, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
    return mean - reach * spread, mean + reach * spread


def value_uncertainty(
    samples: ArrayLike, truth: ArrayLike, *, replicas: int = 1000, seed: int = 0
) -> ValueUncertainty:
    """Measure samples of a quantity of events.

    Args:
        samples: (S, n) or (S, n, components), S > 1 members or passes, n > 0 events.
        truth: (n,) or (n, components).
        replicas: Of the bootstrap over events.
        seed: Of the bootstrap.

    Raises:
        ShapeMismatchError: Arrays do not fit together, or fewer than two samples.
    """
    values, true = _checked(samples), np.asarray(truth, dtype=np.float64)
    if true.ndim not in (1, 2) or values.shape[1:] != true.shape or not len(true):
        raise ShapeMismatchError(
            f"expected samples (S, n) or (S, n, components) of truth {true.shape}, got {values.shape}"
        )
    values, true = (np.atleast_3d(values), true.reshape(len(true), -1))
    low, high = interval(values)
    spread = values.std(axis=0, ddof=1)
    error = values.mean(axis=0) - true
    of_new = spread * np.sqrt(1 + 1 / len(values))
    squared_pull = np.divide(error, of_new, out=np.full_like(error, np.nan), where=of_new > 0) ** 2
    is_covered = ((low <= true) & (true <= high)).astype(np.float64)

    def statistic(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        total = weights.sum(axis=-1, keepdims=True)
        return {
            "rmse": np.sqrt(weights @ error**2 / total),
            "spread": weights @ spread / total,
            "coverage": weights @ is_covered / total,
            "pull": np.sqrt(weights @ squared_pull / total),
        }

    found: dict[str, Any] = bootstrap(statistic, len(true), replicas, seed)
    return ValueUncertainty(events=len(true), **found)


def _checked(samples: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(samples, dtype=np.float64)
    if values.ndim < 1 or len(values) < 2:
        raise ShapeMismatchError(f"expected two samples or more, got an array {values.shape}")
    return values
