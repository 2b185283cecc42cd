"""Figures of a classifier's evaluation, made from the results and predictions files alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from nuzoo.evaluation.core.bootstrap import wilson_interval
from nuzoo.evaluation.core.calibration import ECE_BINS, probabilities, reliability
from nuzoo.evaluation.core.results import Fraction, Number
from nuzoo.evaluation.core.style import (
    GREY,
    INK,
    PALE,
    PALETTE,
    class_title,
    figure,
    legend_below,
    look,
    marker,
)
from nuzoo.evaluation.core.text import decimals_for, with_error
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions
from nuzoo.evaluation.tasks.event_classification.results import ClassifiedEvents

CONFIDENCE_BINS = 20
PANELS_IN_A_ROW = 4
TICK_WIDTH = 14
"""Letters of the name of a class on a line at an axis."""

WILSON = "Errors of fractions are 68.27 % Wilson intervals"
BOOTSTRAP = "are bootstrap standard deviations"
OF_RELIABILITY = f"{WILSON}, those of ECE {BOOTSTRAP}, that of T the sandwich estimate."
NEARLY_SYMMETRIC = 1.3
"""Ratio of the two arms of an interval below which one number stands for both."""


def draw_roc(results: ClassifiedEvents, predictions: Predictions, path: Path) -> None:
    """Draw efficiency against the fraction of other events accepted, one curve a class."""
    probability = probabilities(predictions.logits, results.calibration.temperature.value)
    height = 4.6 + 0.2 * len(results.class_names)
    with figure(path, 4.6, height, results.dataset.sample, f"Errors of the AUC {BOOTSTRAP}.") as drawn:
        axes = drawn.subplots()
        for c, name in enumerate(results.class_names):
            title = f"{class_title(name)}: AUC = {with_error(results.metrics.auc[name])}"
            draw_roc_curve(axes, c, predictions.label == c, probability[:, c], title)
        axes.set_ylabel("Efficiency of the class")
        legend_below(axes)


def draw_roc_curve(
    axes: Axes,
    number: int,
    is_class: NDArray[np.bool_],
    score: NDArray[np.float64],
    label: str,
    weight: NDArray[np.float64] | None = None,
) -> None:
    """Draw the efficiency for a class against the fraction of other events accepted, one curve of several.

    The number of the curve decides its look; the first one brings the frame.
    """
    rest_accepted, efficiency, _ = roc_curve(is_class, score, sample_weight=weight)
    axes.plot(rest_accepted, efficiency, label=label, **look(number))
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
    side = max(4.1, 1.2 + 0.9 * len(results.class_names))
    with figure(path, 2 * side, side + 0.5, results.dataset.sample, f"{WILSON}.") as drawn:
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
    titles = [class_title(name, TICK_WIDTH) for name in names]
    axes.set_xticks(range(len(names)), titles, rotation=0 if len(names) < 5 else 45)
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
    """Draw the probability of the predicted class, for correct and wrong answers."""
    probability = probabilities(predictions.logits, results.calibration.temperature.value)
    predicted, names = probability.argmax(1), results.class_names
    columns = min(len(names), PANELS_IN_A_ROW)
    rows = -(-len(names) // columns)
    with figure(path, 2.9 * columns, 3.4 * rows, results.dataset.sample) as drawn:
        panels = drawn.subplots(rows, columns, sharey=True, squeeze=False)
        for c, (axes, name) in enumerate(zip(panels.flat, names, strict=False)):
            chosen = predicted == c
            draw_correct_and_wrong(axes, predictions.label[chosen], probability[chosen])
            axes.set(title=f"predicted {class_title(name)}", xlabel="Confidence")
        for axes in panels.flat[len(names) :]:
            axes.set_visible(False)
        for axes in panels[:, 0]:
            axes.set_ylabel(f"Events / {1 / CONFIDENCE_BINS:.2f}")


def draw_correct_and_wrong(axes: Axes, labels: NDArray[np.int64], probability: NDArray[np.float64]) -> None:
    """Draw histograms of the probability (n, C) of the predicted class, correct and wrong answers apart."""
    confidence, is_correct = probability.max(axis=1), probability.argmax(axis=1) == labels
    correct, wrong = confidence[is_correct], confidence[~is_correct]
    edges = np.linspace(0, 1, CONFIDENCE_BINS + 1).tolist()
    line: dict[str, Any] = {"bins": edges, "histtype": "step"}
    axes.hist(correct, edges, color=PALETTE[0], alpha=0.3, label=f"correct ({len(correct):,})")
    axes.hist(correct, color=PALETTE[0], linewidth=1.2, **line)
    axes.hist(wrong, color=PALETTE[1], linewidth=1.6, label=f"wrong ({len(wrong):,})", **line)
    axes.set_xlim(edges[CONFIDENCE_BINS // probability.shape[1]], 1)
    axes.xaxis.set_major_locator(MultipleLocator(0.2))
    legend_below(axes, ncols=2, bbox_to_anchor=(0.5, -0.25), columnspacing=1.0, handlelength=1.4)


def draw_reliability(results: ClassifiedEvents, predictions: Predictions, path: Path) -> None:
    """Draw accuracy against confidence, and where a temperature was fitted also before scaling by it."""
    calibration = results.calibration
    temperature = calibration.temperature
    told = f"T = {with_error(temperature)}"
    panels = [(temperature.value, f"{told} (not fitted)", calibration.ece_after)]
    if temperature.is_fitted:
        scaled = temperature.value, f"After scaling, {told}", calibration.ece_after
        panels = [(1.0, "Before scaling", calibration.ece_before), scaled]
    logits, labels = predictions.logits, predictions.label
    columns = [(title, labels, probabilities(logits, scale), error) for scale, title, error in panels]
    with figure(path, 3.9 * len(columns), 4.8, results.dataset.sample, OF_RELIABILITY) as drawn:
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
    grid = drawn.subplots(2, len(columns), sharex=True, sharey="row", gridspec_kw=style, squeeze=False)
    for (upper, lower), (title, labels, probability, error) in zip(grid.T, columns, strict=True):
        bins = reliability(labels, probability)
        low, high = wilson_interval(bins.accuracy * bins.count, bins.count)
        upper.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, zorder=0)
        upper.errorbar(
            bins.confidence,
            bins.accuracy,
            yerr=np.maximum([bins.accuracy - low, high - bins.accuracy], 0),
            fmt=marker(0),
            color=PALETTE[0],
        )
        upper.set(xlim=(1 / probability.shape[1] - 0.03, 1.01), ylim=(-0.03, 1.03))
        lower.bar(bins.edges[:-1], bins.count, 1 / ECE_BINS, align="edge", color=PALE, edgecolor=GREY, lw=0.6)
        lower.set_xlabel("Confidence")
        upper.set_title(f"{title}\nECE = {with_error(error)}")
    grid[0, 0].set_ylabel("Accuracy")
    grid[1, 0].set_ylabel("Events")


def draw_energy(results: ClassifiedEvents, predictions: Predictions, path: Path) -> None:
    """Draw efficiency and purity of each class against true neutrino energy, and below them the events."""
    assert results.energy is not None
    edges, names = np.array(results.energy.edges_gev), results.class_names
    with figure(path, 8.2, 4.8, results.dataset.sample, f"{WILSON}.") as drawn:
        grid = drawn.subplots(2, 2, sharex=True, sharey="row", gridspec_kw={"height_ratios": (3, 1)})
        told = (("efficiency", "True\nevents"), ("purity", "Predicted\nevents"))
        for (upper, lower), (key, events) in zip(grid.T, told, strict=True):
            of_class = getattr(results.energy, key)
            _energy_panel(upper, edges, of_class, names)
            for c, name in enumerate(names):
                lower.stairs([n.events for n in of_class[name]], edges, linewidth=1.2, **look(c))
            upper.set_ylabel(key.capitalize())
            lower.set(ylabel=events, xlabel="True neutrino energy (GeV)")
            for axes in (upper, lower):
                axes.yaxis.set_tick_params(labelleft=True)
        drawn.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower right", ncols=4)


def _energy_panel(
    axes: Axes, edges: NDArray[np.float64], of_class: dict[str, list[Fraction]], names: list[str]
) -> None:
    widths, step = np.diff(edges), min(0.12, 0.7 / len(names))
    for c, name in enumerate(names):
        value, low, high = (
            np.array([np.nan if n.value is None else getattr(n, part) for n in of_class[name]], dtype=float)
            for part in ("value", "low", "high")
        )
        place = (edges[1:] + edges[:-1]) / 2 + (c - (len(names) - 1) / 2) * step * widths
        axes.errorbar(
            place,
            value,
            xerr=[place - edges[:-1], edges[1:] - place],
            yerr=np.maximum([value - low, high - value], 0),
            fmt=marker(c),
            color=look(c)["color"],
            elinewidth=0.9,
            capsize=0,
            label=class_title(name),
        )
    axes.set(xlim=(edges[0], edges[-1]), ylim=(-0.03, 1.03))
