"""Selection of events of a class by its score: the figure of merit, and what passes at the best threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class FomScan:
    """What is selected, against the threshold that scores have to reach.

    Attributes:
        threshold: Each score that an event has, ascending (t,).
        fom: S/√(S+B) of the events that reach it (t,).
        efficiency: Part of the signal that does (t,); NaN without signal.
        purity: Part of what does that is signal (t,).
    """

    threshold: Floats
    fom: Floats
    efficiency: Floats
    purity: Floats

    @property
    def best(self) -> float | None:
        """The threshold of the largest figure of merit, of several the highest; None without signal."""
        if not self.fom.size or not self.fom.max() > 0:
            return None
        return float(self.threshold[np.flatnonzero(self.fom == self.fom.max())[-1]])


def scan_fom(score: Floats, is_signal: NDArray[np.bool_], weight: Floats) -> FomScan:
    """Compute the figure of merit at every threshold that makes a difference.

    Args:
        score: Of a class (n,).
        is_signal: Whether an event is of the class (n,).
        weight: How many events each stands for (n,).
    """
    order = np.argsort(score, kind="stable")
    threshold, first = np.unique(score[order], return_index=True)
    signal, passed = (np.cumsum(of[order][::-1])[::-1][first] for of in (weight * is_signal, weight))
    total = (weight * is_signal).sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        fom = np.where(passed > 0, signal / np.sqrt(passed), 0.0)
        return FomScan(threshold, fom, signal / total, signal / passed)


def best_thresholds(score: Floats, labels: NDArray[np.int64], weight: Floats) -> list[float | None]:
    """Find the threshold of each class, see `FomScan.best`.

    Args:
        score: (n, classes).
        labels: True classes (n,).
        weight: (n,).
    """
    return [scan_fom(score[:, c], labels == c, weight).best for c in range(score.shape[1])]


def assign(score: Floats, thresholds: list[float | None]) -> NDArray[np.int64]:
    """Give each event the class of highest score among those whose own threshold its score reaches.

    Args:
        score: (n, classes).
        thresholds: Of each class; None of one that nothing reaches.

    Returns:
        (n,); the number of classes where no threshold is reached.
    """
    limits = np.array([np.inf if one is None else one for one in thresholds])
    passing = np.where(score >= limits, score, -np.inf)
    return np.where(np.isfinite(passing).any(axis=1), passing.argmax(axis=1), score.shape[1])


def selected(
    score: Floats, labels: NDArray[np.int64], thresholds: list[float | None], weights: Floats
) -> dict[str, Floats]:
    """Measure the selection of each class at a fixed threshold.

    Args:
        score: (n, classes).
        labels: True classes (n,).
        thresholds: Of each class.
        weights: (..., n).

    Returns:
        `fom`, `efficiency` and `purity`, (..., classes); NaN where there is nothing to select or nothing
        was selected, a figure of merit of 0 then.
    """
    limits = np.array([np.inf if one is None else one for one in thresholds])
    passing = (score >= limits).astype(np.float64)
    is_class = labels[:, None] == np.arange(score.shape[1])
    signal, passed, total = weights @ (passing * is_class), weights @ passing, weights @ is_class
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "fom": np.where(passed > 0, signal / np.sqrt(passed), np.where(total > 0, 0.0, np.nan)),
            "efficiency": signal / total,
            "purity": signal / passed,
        }
