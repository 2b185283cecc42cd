"""Figures of several classifiers on the same events, side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from nuzoo.evaluation.comparison.comparison import ComparedModel
from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.number_format import with_error
from nuzoo.evaluation.core.style import GREY, LINES, PALETTE, class_title, figure, note
from nuzoo.evaluation.tasks.event_classification.figures import (
    CONFIDENCE_BINS,
    draw_matrix,
    draw_reliability_panels,
    temperature_of,
)

TITLE_WIDTH = 32
"""Characters of a model's name in one line above a panel."""

ROOM_FOR_LEGEND = 1.4
"""By which an axis is longer than its histograms need."""

GAP = {"wspace": 0.08}
"""Between panels, so that the numbers below two neighbours do not touch."""


def draw_confusions(models: Sequence[ComparedModel], path: Path) -> None:
    """Confusion matrices whose rows sum to one, with errors and event counts, a panel for each model."""
    with figure(path, 3.9 * len(models), 4.5, _sample(models)) as drawn:
        for axes, model in zip(drawn.subplots(1, len(models)), models, strict=True):
            metrics = model.results["metrics"]
            matrices = metrics["confusion"]
            draw_matrix(axes, matrices["recall_normalised"], matrices["counts"], model.results["class_names"])
            axes.set_title(f"{_title(model)}\naccuracy {with_error(metrics['accuracy'])}")


def draw_rocs(models: Sequence[ComparedModel], path: Path) -> None:
    """Efficiency against the fraction of other events accepted: a panel for each class, a line a model."""
    names = models[0].results["class_names"]
    height = 4.1 + 0.2 * len(models)
    with figure(path, 3.9 * len(names), height, _sample(models)) as drawn:
        panels = np.atleast_1d(drawn.subplots(1, len(names)))
        for c, (axes, name) in enumerate(zip(panels, names, strict=True)):
            for m, model in enumerate(models):
                is_class, score = model.predictions.label == c, _probability(model)[:, c]
                rest_accepted, efficiency, _ = roc_curve(is_class, score)
                area = with_error(model.results["metrics"]["auc"][name])
                axes.plot(
                    rest_accepted,
                    efficiency,
                    color=PALETTE[m],
                    linestyle=LINES[m],
                    label=f"{model.name}: {area}",
                )
            axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, zorder=0)
            axes.set(xlabel="Fraction of other classes accepted", title=class_title(name), aspect="equal")
            axes.set(xlim=(0, 1), ylim=(0, 1.005))
            axes.legend(title="AUC", loc="upper center", bbox_to_anchor=(0.5, -0.16), alignment="left")
        panels[0].set_ylabel("Efficiency of the class")


def draw_confidences(models: Sequence[ComparedModel], path: Path) -> None:
    """Above the probability of the true class, below that of the chosen one for right and wrong answers."""
    with figure(path, 3.6 * len(models), 6.0, _sample(models)) as drawn:
        grid = drawn.subplots(2, len(models), sharey="row", gridspec_kw=GAP)
        for column, model in enumerate(models):
            _probability_of_truth(grid[0, column], model)
            _right_and_wrong(grid[1, column], model)
            grid[0, column].set_title(_title(model))
        for axes in grid[:, 0]:
            axes.set_ylabel(f"Events / {1 / CONFIDENCE_BINS:.2f}")
            axes.set_ylim(top=ROOM_FOR_LEGEND * axes.get_ylim()[1])


def _probability_of_truth(axes: Axes, model: ComparedModel) -> None:
    label = model.predictions.label
    true = np.take_along_axis(_probability(model), label[:, None], axis=1)[:, 0]
    for c, name in enumerate(model.results["class_names"]):
        axes.hist(
            true[label == c],
            _edges(),
            color=PALETTE[c],
            histtype="step",
            linewidth=1.6,
            linestyle=LINES[c],
            label=f"true {class_title(name)} ({(label == c).sum():,})",
        )
    axes.set(xlabel="Probability of the true class", xlim=(0, 1))
    axes.legend(loc="upper left")


def _right_and_wrong(axes: Axes, model: ComparedModel) -> None:
    probability = _probability(model)
    confidence, right = probability.max(axis=1), probability.argmax(axis=1) == model.predictions.label
    axes.hist(confidence[right], _edges(), color=PALETTE[0], alpha=0.3, label=f"right ({right.sum():,})")
    axes.hist(confidence[right], _edges(), color=PALETTE[0], histtype="step", linewidth=1.2)
    axes.hist(
        confidence[~right],
        _edges(),
        color=PALETTE[1],
        histtype="step",
        linewidth=1.6,
        label=f"wrong ({(~right).sum():,})",
    )
    lowest = _edges()[CONFIDENCE_BINS // probability.shape[1]]
    axes.set(xlabel="Probability of the chosen class", xlim=(lowest, 1))
    axes.legend(loc="upper left")


def draw_reliabilities(models: Sequence[ComparedModel], path: Path) -> None:
    """Accuracy against confidence after temperature scaling, a panel for each model."""
    with figure(path, 3.6 * len(models), 4.6, _sample(models)) as drawn:
        grid = drawn.subplots(
            2, len(models), sharex=True, sharey="row", height_ratios=(4, 1), gridspec_kw=GAP
        )
        for column, model in enumerate(models):
            draw_reliability_panels(grid[:, column], model.predictions.label, _probability(model))
            calibration = model.results["calibration"]
            grid[0, column].set_title(f"{_title(model)}\nT = {with_error(calibration['temperature'])}")
            note(grid[0, column], f"ECE = {with_error(calibration['ece_after'])}")
        grid[0, 0].set_ylabel("Accuracy")
        grid[1, 0].set_ylabel("Events")


def _probability(model: ComparedModel) -> NDArray[np.float64]:
    return probabilities(model.predictions.logits, temperature_of(model.results))


def _edges() -> list[float]:
    return [edge / CONFIDENCE_BINS for edge in range(CONFIDENCE_BINS + 1)]


def _title(model: ComparedModel) -> str:
    return textwrap.fill(model.name, TITLE_WIDTH)


def _sample(models: Sequence[ComparedModel]) -> str:
    return str(models[0].results["dataset"]["sample"])
