"""Figures of a classifier's evaluation, made from the results and predictions files alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from nuzoo.evaluation.core.bootstrap import wilson_interval
from nuzoo.evaluation.core.calibration import ECE_BINS, probabilities, reliability
from nuzoo.evaluation.core.results import Fraction, Number
from nuzoo.evaluation.core.style import GREY, INK, LINES, MARKERS, PALE, PALETTE, class_title, figure, note
from nuzoo.evaluation.core.text import decimals_for, with_error
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions
from nuzoo.evaluation.tasks.event_classification.results import ClassifiedEvents

CONFIDENCE_BINS = 20
NEARLY_SYMMETRIC = 1.3
"""Ratio of the two arms of an interval below which one number stands for both."""


def draw_roc(results: ClassifiedEvents, predictions: Predictions, path: Path) -> None:
    """Draw efficiency against the fraction of other events accepted, one curve a class."""
    probability = probabilities(predictions.logits, results.calibration.temperature.value)
    with figure(path, 4.6, 4.4, results.dataset.sample) as drawn:
        axes = drawn.subplots()
        for c, name in enumerate(results.class_names):
            title = f"{class_title(name)}: AUC = {with_error(results.metrics.auc[name])}"
            draw_roc_curve(axes, c, predictions.label == c, probability[:, c], title)
        axes.set_ylabel("Efficiency of the class")
        axes.legend(loc="lower right")


def draw_roc_curve(
    axes: Axes, number: int, is_class: NDArray[np.bool_], score: NDArray[np.float64], label: str
) -> None:
    """Draw the efficiency for a class against the fraction of other events accepted, one curve of several.

    The number of the curve decides its look; the first one brings the frame.
    """
    rest_accepted, efficiency, _ = roc_curve(is_class, score)
    axes.plot(rest_accepted, efficiency, color=PALETTE[number], linestyle=LINES[number], label=label)
    if not number:
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, zorder=0)
        axes.set(xlabel="Fraction of other classes accepted", xlim=(0, 1), ylim=(0, 1.005), aspect="equal")


def draw_confusion(results: ClassifiedEvents, predictions: Predictions, path: Path) -> None:
    """Draw both normalisations of the confusion matrix, with errors and event counts."""
    matrices = results.metrics.confusion
    panels = (
        (matrices.recall_normalised, "Rows sum to 1 (efficiency)"),
        (matrices.precision_normalised, "Columns sum to 1 (purity)"),
    )
    with figure(path, 8.2, 4.1, results.dataset.sample) as drawn:
        for axes, (numbers, title) in zip(drawn.subplots(1, 2), panels, strict=True):
            draw_matrix(axes, numbers, matrices.counts, results.class_names)
            axes.set_title(title)


def draw_matrix(axes: Axes, numbers: list[list[Fraction]], counts: list[list[int]], names: list[str]) -> None:
    """Draw a normalised confusion matrix, the true class down, with its errors and event counts."""
    shade = np.array([[n.value or 0 for n in row] for row in numbers])
    axes.imshow(shade, cmap="Blues", vmin=0, vmax=1.15)
    for (row, column), value in np.ndenumerate(shade):
        text = f"{_fraction(numbers[row][column])}\n({counts[row][column]:,})"
        ink = "white" if value > 0.6 else INK
        axes.text(column, row, text, ha="center", va="center", fontsize=9, color=ink)
    titles = [class_title(name) for name in names]
    axes.set_xticks(range(len(names)), titles)
    axes.set_yticks(range(len(names)), titles)
    axes.set(xlabel="Predicted class", ylabel="True class")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _fraction(number: Number) -> str:
    if number.value is None or number.low is None or number.high is None:
        return "–"
    up, down = max(0, number.high - number.value), max(0, number.value - number.low)
    decimals = min(3, decimals_for(max(up, down)))
    value = f"{number.value:.{decimals}f}"
    if max(up, down) < NEARLY_SYMMETRIC * min(up, down):
        return f"{value} ± {(up + down) / 2:.{decimals}f}"
    return f"${value}^{{+{up:.{decimals}f}}}_{{-{down:.{decimals}f}}}$"


def draw_confidence(results: ClassifiedEvents, predictions: Predictions, path: Path) -> None:
    """Draw the probability of the predicted class, for right and wrong answers."""
    probability = probabilities(predictions.logits, results.calibration.temperature.value)
    predicted, names = probability.argmax(1), results.class_names
    with figure(path, 2.9 * len(names), 3.1, results.dataset.sample) as drawn:
        panels = np.atleast_1d(drawn.subplots(1, len(names), sharey=True))
        for c, (axes, name) in enumerate(zip(panels, names, strict=True)):
            chosen = predicted == c
            draw_right_and_wrong(axes, predictions.label[chosen], probability[chosen])
            axes.set(title=f"predicted {class_title(name)}", xlabel="Confidence")
        panels[0].set_ylabel(f"Events / {1 / CONFIDENCE_BINS:.2f}")


def draw_right_and_wrong(axes: Axes, labels: NDArray[np.int64], probability: NDArray[np.float64]) -> None:
    """Draw histograms of the probability (n, C) of the predicted class, right and wrong answers apart."""
    confidence, is_right = probability.max(axis=1), probability.argmax(axis=1) == labels
    right, wrong = confidence[is_right], confidence[~is_right]
    edges = np.linspace(0, 1, CONFIDENCE_BINS + 1).tolist()
    line: dict[str, Any] = {"bins": edges, "histtype": "step"}
    axes.hist(right, edges, color=PALETTE[0], alpha=0.3, label=f"right ({len(right):,})")
    axes.hist(right, color=PALETTE[0], linewidth=1.2, **line)
    axes.hist(wrong, color=PALETTE[1], linewidth=1.6, label=f"wrong ({len(wrong):,})", **line)
    axes.set_xlim(edges[CONFIDENCE_BINS // probability.shape[1]], 1)
    axes.legend(loc="upper left")


def draw_reliability(results: ClassifiedEvents, predictions: Predictions, path: Path) -> None:
    """Draw accuracy against confidence before and after temperature scaling."""
    calibration = results.calibration
    scaled = f"After scaling, T = {with_error(calibration.temperature)}"
    panels = (
        (1.0, "Before scaling", calibration.ece_before),
        (calibration.temperature.value, scaled, calibration.ece_after),
    )
    logits, labels = predictions.logits, predictions.label
    columns = [(title, labels, probabilities(logits, scale), error) for scale, title, error in panels]
    with figure(path, 7.6, 4.4, results.dataset.sample) as drawn:
        draw_reliability_columns(drawn, columns)


def draw_reliability_columns(
    drawn: Figure,
    columns: Sequence[tuple[str, NDArray[np.int64], NDArray[np.float64], Number]],
    gap: float | None = None,
) -> None:
    """Draw accuracy against confidence, and below it the events.

    Args:
        drawn: Where.
        columns: Of each the title, the true classes (n,), the probabilities (n, C) and the calibration error.
        gap: Between them.
    """
    style = {"height_ratios": (4, 1), "wspace": gap}
    grid = drawn.subplots(2, len(columns), sharex=True, sharey="row", gridspec_kw=style)
    for (upper, lower), (title, labels, probability, error) in zip(grid.T, columns, strict=True):
        bins = reliability(labels, probability)
        low, high = wilson_interval(bins.accuracy * bins.count, bins.count)
        upper.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, zorder=0)
        upper.errorbar(
            bins.confidence,
            bins.accuracy,
            yerr=np.maximum([bins.accuracy - low, high - bins.accuracy], 0),
            fmt=MARKERS[0],
            color=PALETTE[0],
        )
        upper.set(xlim=(1 / probability.shape[1] - 0.03, 1.01), ylim=(-0.03, 1.03))
        lower.bar(bins.edges[:-1], bins.count, 1 / ECE_BINS, align="edge", color=PALE, edgecolor=GREY, lw=0.6)
        lower.set_xlabel("Confidence")
        upper.set_title(title)
        note(upper, f"ECE = {with_error(error)}")
    grid[0, 0].set_ylabel("Accuracy")
    grid[1, 0].set_ylabel("Events")


def draw_energy(results: ClassifiedEvents, predictions: Predictions, path: Path) -> None:
    """Draw efficiency and purity of each class against true neutrino energy."""
    assert results.energy is not None
    edges = np.array(results.energy.edges_gev)
    with figure(path, 8.2, 3.7, results.dataset.sample) as drawn:
        panels = drawn.subplots(1, 2, sharey=True)
        for axes, key in zip(panels, ("efficiency", "purity"), strict=True):
            _energy_panel(axes, edges, getattr(results.energy, key), results.class_names)
            axes.set_ylabel(key.capitalize())
            axes.yaxis.set_tick_params(labelleft=True)
        drawn.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=6)


def _energy_panel(
    axes: Axes, edges: NDArray[np.float64], of_class: dict[str, list[Fraction]], names: list[str]
) -> None:
    centres, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    for c, name in enumerate(names):
        value, low, high = (
            np.array([np.nan if n.value is None else getattr(n, part) for n in of_class[name]], dtype=float)
            for part in ("value", "low", "high")
        )
        axes.errorbar(
            centres + (c - (len(names) - 1) / 2) * 0.12 * widths,
            value,
            yerr=np.maximum([value - low, high - value], 0),
            fmt=MARKERS[c],
            color=PALETTE[c],
            label=class_title(name),
        )
    axes.set(xlabel="True neutrino energy (GeV)", xlim=(edges[0], edges[-1]), ylim=(-0.03, 1.03))
    axes.yaxis.set_major_formatter(PercentFormatter(1))
