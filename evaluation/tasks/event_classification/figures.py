"""Figures of a classifier's evaluation, made from the results and predictions files alone."""

from __future__ import annotations

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
from nuzoo.evaluation.core.number_format import decimals_for, with_error
from nuzoo.evaluation.core.style import (
    GREY,
    INK,
    LINES,
    MARKERS,
    MATRIX_COLOURS,
    PALE,
    PALETTE,
    class_title,
    figure,
    note,
)
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions

Results = dict[str, Any]
CONFIDENCE_BINS = 20
NEARLY_SYMMETRIC = 1.3
"""Ratio of the two arms of an interval below which one number stands for both."""


def draw_roc(results: Results, predictions: Predictions, path: Path) -> None:
    """Efficiency against the fraction of other events accepted, one curve a class."""
    probability = probabilities(predictions.logits, temperature_of(results))
    with figure(path, 4.6, 4.4, results["dataset"]["sample"]) as drawn:
        axes = drawn.subplots()
        for c, name in enumerate(results["class_names"]):
            rest_accepted, efficiency, _ = roc_curve(predictions.label == c, probability[:, c])
            label = f"{class_title(name)}: AUC = {with_error(results['metrics']['auc'][name])}"
            axes.plot(rest_accepted, efficiency, color=PALETTE[c], linestyle=LINES[c], label=label)
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, zorder=0)
        axes.set(
            xlabel="Fraction of other classes accepted",
            ylabel="Efficiency of the class",
            xlim=(0, 1),
            ylim=(0, 1.005),
            aspect="equal",
        )
        axes.legend(loc="lower right")


def draw_confusion(results: Results, predictions: Predictions, path: Path) -> None:
    """Both normalisations of the confusion matrix, with errors and event counts."""
    matrices = results["metrics"]["confusion"]
    panels = {
        "recall_normalised": "Rows sum to 1 (efficiency)",
        "precision_normalised": "Columns sum to 1 (purity)",
    }
    with figure(path, 8.2, 4.1, results["dataset"]["sample"]) as drawn:
        for axes, (key, title) in zip(drawn.subplots(1, 2), panels.items(), strict=True):
            draw_matrix(axes, matrices[key], matrices["counts"], results["class_names"])
            axes.set_title(title)


def draw_matrix(axes: Axes, numbers: Any, counts: list[list[int]], names: list[str]) -> None:
    """Draw a normalised confusion matrix with its errors and event counts.

    Args:
        axes: Where.
        numbers: Rows of {value, low, high}, the true class down.
        counts: Events in each cell.
        names: Of the classes.
    """
    shade = np.array([[n["value"] or 0 for n in row] for row in numbers])
    axes.imshow(shade, cmap=MATRIX_COLOURS, vmin=0, vmax=1.15)
    for (row, column), value in np.ndenumerate(shade):
        axes.text(
            column,
            row,
            f"{_fraction(numbers[row][column])}\n({counts[row][column]:,})",
            ha="center",
            va="center",
            fontsize=9,
            color="white" if value > 0.6 else INK,
        )
    titles = [class_title(name) for name in names]
    axes.set_xticks(range(len(names)), titles)
    axes.set_yticks(range(len(names)), titles)
    axes.set(xlabel="Predicted class", ylabel="True class")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _fraction(number: dict[str, Any]) -> str:
    if number["value"] is None:
        return "–"
    up, down = max(0, number["high"] - number["value"]), max(0, number["value"] - number["low"])
    decimals = min(3, decimals_for(max(up, down)))
    value = f"{number['value']:.{decimals}f}"
    if max(up, down) < NEARLY_SYMMETRIC * min(up, down):
        return f"{value} ± {(up + down) / 2:.{decimals}f}"
    return f"${value}^{{+{up:.{decimals}f}}}_{{-{down:.{decimals}f}}}$"


def draw_confidence(results: Results, predictions: Predictions, path: Path) -> None:
    """Probability of the predicted class, for right and wrong answers."""
    probability = probabilities(predictions.logits, temperature_of(results))
    predicted, confidence = probability.argmax(1), probability.max(1)
    names = results["class_names"]
    edges = np.linspace(0, 1, CONFIDENCE_BINS + 1)
    with figure(path, 2.9 * len(names), 3.1, results["dataset"]["sample"]) as drawn:
        panels = np.atleast_1d(drawn.subplots(1, len(names), sharey=True))
        for c, (axes, name) in enumerate(zip(panels, names, strict=True)):
            chosen = predicted == c
            right, wrong = (
                confidence[chosen & ((predictions.label == c) == truth)] for truth in (True, False)
            )
            axes.hist(right, edges, color=PALETTE[0], alpha=0.3, label=f"right ({len(right):,})")
            axes.hist(right, edges, color=PALETTE[0], histtype="step", linewidth=1.2)
            axes.hist(
                wrong,
                edges,
                color=PALETTE[1],
                histtype="step",
                linewidth=1.6,
                label=f"wrong ({len(wrong):,})",
            )
            axes.set(title=f"predicted {class_title(name)}", xlabel="Confidence")
            axes.set_xlim(edges[CONFIDENCE_BINS // len(names)], 1)
            axes.legend(loc="upper left")
        panels[0].set_ylabel(f"Events / {edges[1]:.2f}")


def draw_reliability(results: Results, predictions: Predictions, path: Path) -> None:
    """Accuracy against confidence before and after temperature scaling."""
    calibration = results["calibration"]
    temperature = temperature_of(results)
    panels = {
        "before": (1.0, "Before scaling"),
        "after": (temperature, f"After scaling, T = {with_error(calibration['temperature'])}"),
    }
    with figure(path, 7.6, 4.4, results["dataset"]["sample"]) as drawn:
        grid = drawn.subplots(2, 2, sharex=True, sharey="row", height_ratios=(4, 1))
        for column, (key, (scale, title)) in enumerate(panels.items()):
            probability = probabilities(predictions.logits, scale)
            draw_reliability_panels(grid[:, column], predictions.label, probability)
            grid[0, column].set_title(title)
            note(grid[0, column], f"ECE = {with_error(calibration[f'ece_{key}'])}")
        grid[0, 0].set_ylabel("Accuracy")
        grid[1, 0].set_ylabel("Events")


def draw_reliability_panels(
    panels: NDArray[Any], labels: NDArray[np.int64], probability: NDArray[np.float64]
) -> None:
    """Draw accuracy against confidence, and below it the events.

    Args:
        panels: Upper and lower axes.
        labels: True classes (n,).
        probability: (n, C).
    """
    upper, lower = panels
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


def draw_energy(results: Results, predictions: Predictions, path: Path) -> None:
    """Efficiency and purity of each class against true neutrino energy."""
    with figure(path, 8.2, 3.7, results["dataset"]["sample"]) as drawn:
        panels = drawn.subplots(1, 2, sharey=True)
        for axes, key in zip(panels, ("efficiency", "purity"), strict=True):
            _energy_panel(axes, results["energy"], key, results["class_names"])
            axes.set_ylabel(key.capitalize())
            axes.yaxis.set_tick_params(labelleft=True)
        _legend_above(drawn, panels[0])


def _energy_panel(axes: Axes, energy: Results, key: str, names: list[str]) -> None:
    edges = np.array(energy["edges_gev"])
    centres, widths = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    for c, name in enumerate(names):
        numbers = [n if n["value"] is not None else None for n in energy[key][name]]
        value, low, high = (
            np.array([np.nan if n is None else n[part] for n in numbers], dtype=float)
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


def _legend_above(drawn: Figure, axes: Axes) -> None:
    drawn.legend(*axes.get_legend_handles_labels(), loc="outside upper left", ncols=6)


def temperature_of(results: Results) -> float:
    """By which the logits of these results are divided."""
    return float(results["calibration"]["temperature"]["value"])
