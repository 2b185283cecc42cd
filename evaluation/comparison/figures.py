"""Figures of several classifiers on the same events, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from nuzoo.evaluation.comparison.comparison import ComparedModel
from nuzoo.evaluation.core.style import class_title, figure, legend_below, look, wrapped
from nuzoo.evaluation.core.text import with_error
from nuzoo.evaluation.tasks.event_classification.figures import (
    BOOTSTRAP,
    CONFIDENCE_BINS,
    OF_RELIABILITY,
    WILSON,
    draw_correct_and_wrong,
    draw_matrix,
    draw_reliability_columns,
    draw_roc_curve,
)

TITLE_WIDTH = 32
"""Characters of a model's name in one line above a panel."""

GAP = 0.08
"""Between panels, so that the numbers below two neighbours do not touch."""


def draw_confusions(models: Sequence[ComparedModel], path: Path) -> None:
    """Draw confusion matrices whose rows sum to one, with errors and event counts, a panel for each model."""
    side = max(3.9, 1.2 + 0.9 * len(models[0].results.class_names))
    remark = f"{WILSON}, those of the accuracy {BOOTSTRAP}."
    with figure(path, side * len(models), side + 0.8, models[0].results.dataset.sample, remark) as drawn:
        for axes, model in zip(drawn.subplots(1, len(models)), models, strict=True):
            metrics, matrices = model.results.metrics, model.results.metrics.confusion
            draw_matrix(axes, matrices.recall_normalised, matrices.counts, model.results.class_names)
            axes.set_title(f"{_title(model)}\naccuracy {with_error(metrics.accuracy)}")


def draw_rocs(models: Sequence[ComparedModel], path: Path) -> None:
    """Draw efficiency against other events accepted: a panel for each class, a line for each model."""
    names = models[0].results.class_names
    tag = models[0].results.dataset.sample
    lines = sum(_title(model).count("\n") + 1 for model in models)
    with figure(path, 3.9 * len(names), 4.8 + 0.2 * lines, tag) as drawn:
        panels = np.atleast_1d(drawn.subplots(1, len(names)))
        for c, (axes, name) in enumerate(zip(panels, names, strict=True)):
            for m, model in enumerate(models):
                title = f"{_title(model)}: {with_error(model.results.metrics.auc[name])}"
                draw_roc_curve(axes, m, model.predictions.label == c, model.probability[:, c], title)
            axes.set_title(class_title(name))
            axes.set_anchor("N")
            legend_below(axes, title="AUC, bootstrap errors", alignment="left")
        panels[0].set_ylabel("Efficiency of the class")


def draw_confidences(models: Sequence[ComparedModel], path: Path) -> None:
    """Draw the probability of the true class, below it that of the chosen one, correct and wrong apart."""
    with figure(path, 3.6 * len(models), 7.2, models[0].results.dataset.sample) as drawn:
        grid = drawn.subplots(2, len(models), sharey="row", gridspec_kw={"wspace": GAP})
        for column, model in enumerate(models):
            _probability_of_truth(grid[0, column], model)
            draw_correct_and_wrong(grid[1, column], model.predictions.label, model.probability)
            grid[1, column].set_xlabel("Probability of the chosen class")
            grid[0, column].set_title(_title(model))
        for axes in grid[:, 0]:
            axes.set_ylabel(f"Events / {1 / CONFIDENCE_BINS:.2f}")


def _probability_of_truth(axes: Axes, model: ComparedModel) -> None:
    label = model.predictions.label
    true = np.take_along_axis(model.probability, label[:, None], axis=1)[:, 0]
    edges = [edge / CONFIDENCE_BINS for edge in range(CONFIDENCE_BINS + 1)]
    for c, name in enumerate(model.results.class_names):
        title = f"true {class_title(name)} ({(label == c).sum():,})"
        line: dict[str, Any] = {"linewidth": 1.6, "label": title, **look(c)}
        axes.hist(true[label == c], edges, histtype="step", **line)
    axes.set(xlabel="Probability of the true class", xlim=(0, 1))
    legend_below(axes, bbox_to_anchor=(0.5, -0.25))


def draw_reliabilities(models: Sequence[ComparedModel], path: Path) -> None:
    """Draw accuracy against confidence after temperature scaling, a panel for each model."""
    columns = []
    for model in models:
        calibration = model.results.calibration
        title = f"{_title(model)}\nT = {with_error(calibration.temperature)}"
        columns.append((title, model.predictions.label, model.probability, calibration.ece_after))
    with figure(path, 3.6 * len(models), 5.2, models[0].results.dataset.sample, OF_RELIABILITY) as drawn:
        draw_reliability_columns(drawn, columns, GAP)


def _title(model: ComparedModel) -> str:
    return wrapped(model.name, TITLE_WIDTH)
