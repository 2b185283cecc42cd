"""Figures of the uncertainty of classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from nuzoo.evaluation.core.calibration import reliability
from nuzoo.evaluation.core.style import GREY, figure, legend_below, look, marker
from nuzoo.evaluation.uncertainty.numbers import ClassUncertainty
from nuzoo.evaluation.uncertainty.rejection import REJECTED
from nuzoo.evaluation.uncertainty.sampling import Samples


def draw_rejection(measured: Mapping[str, ClassUncertainty], tag: str, path: Path) -> None:
    """Draw accuracy against the part of the answers that is rejected, the most uncertain first.

    Args:
        measured: Of each method by its title.
        tag: See `nuzoo.evaluation.core.style.figure`.
        path: PNG file; a PDF is written beside it.
    """
    remark = "Rejected by predictive entropy. Band: central 68.27 % of bootstrap replicas, of the first."
    with figure(path, 5.4, 5.0, tag, remark) as drawn:
        axes = drawn.subplots()
        for number, (title, one) in enumerate(measured.items()):
            curve = one.rejection_curve
            value, low, high = (
                np.array([getattr(point, name) for point in curve], dtype=np.float64)
                for name in ("value", "low", "high")
            )
            axes.plot(REJECTED, value, label=title, **look(number))
            if not number:
                axes.fill_between(REJECTED, low, high, color=look(number)["color"], alpha=0.15, linewidth=0)
        axes.set(xlabel="Rejected", ylabel="Accuracy of the rest", xlim=(0, 1))
        legend_below(axes, ncols=2)


def draw_reliability(samples: Mapping[str, Samples], tag: str, path: Path) -> None:
    """Draw accuracy against confidence in bins.

    Args:
        samples: Of each method by its title.
        tag: See `draw_rejection`.
        path: See `draw_rejection`.
    """
    with figure(path, 5.0, 5.4, tag, "Bins of equal width that hold 1 % of the answers at least.") as drawn:
        axes = drawn.subplots()
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.9)
        for number, (title, one) in enumerate(samples.items()):
            bins = reliability(one.truth, one.predictive().probability)
            used = bins.count >= 0.01 * bins.count.sum()
            axes.plot(
                bins.confidence[used], bins.accuracy[used], marker=marker(number), label=title, **look(number)
            )
        axes.set(xlabel="Confidence", ylabel="Accuracy", xlim=(0, 1), ylim=(0, 1))
        legend_below(axes, ncols=2)
