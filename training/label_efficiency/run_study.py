"""Train and measure every cell of a study, and say how the number of labelled events counts."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.core.inference import to_inference_device
from nuzoo.evaluation.core.provenance import events_digest
from nuzoo.files.atomic import replacing, write_atomically
from nuzoo.files.names import RESULTS_FILE
from nuzoo.pipelines.loading import load_model
from nuzoo.registry import TASKS, import_object
from nuzoo.training.fields import RecipeError
from nuzoo.training.label_efficiency.report import draw_study, study_text
from nuzoo.training.label_efficiency.study import Cell, Study
from nuzoo.training.recipe_data import load_splits
from nuzoo.training.run_folder import holds_finished

TABLE, TEXT, PICTURE = "label_efficiency.csv", "label_efficiency.md", "label_efficiency.png"


@dataclass(frozen=True)
class Measured:
    """A cell with its headline number.

    Attributes:
        cell: Which training.
        title: What the number is.
        value: The number.
        error: Its standard error, by the events that it was measured on.
    """

    cell: Cell
    title: str
    value: float
    error: float


def run_study(study: Study, sample: str | None = None, tell: Callable[[str], Any] = print) -> list[Path]:
    """Run what of a study has not been run yet, and write table, figure and text.

    Args:
        study: The grid.
        sample: What the events are called; needed unless they are our simulation.
        tell: Takes a line for each cell.

    Returns:
        The files.

    Raises:
        RecipeError: See `nuzoo.training.supervised.train`.
        UnusableDatasetError: The dataset has fewer training events than a cell asks for, or none to test on.
    """
    splits = load_splits(study.recipe_of(next(study.cells())))
    most, least = max(study.events), len(splits.get("train", ()))
    if least < most or "test" not in splits:
        raise UnusableDatasetError(f"expected {most:,} training events and a test split, got {least:,}")
    cells = list(study.cells())
    found = []
    for number, cell in enumerate(cells, start=1):
        one = measure_cell(study, cell, splits["test"], sample)
        tell(f"{number} of {len(cells)}: {cell.name}: {one.title.lower()} {one.value:.3f} ± {one.error:.3f}")
        found.append(one)
    return _write(study, found, splits["test"])


def measure_cell(study: Study, cell: Cell, test: Dataset, sample: str | None) -> Measured:
    """Train and measure a cell, unless it has been.

    Raises:
        RecipeError: See `nuzoo.training.supervised.train`; or what is there was trained otherwise, or
            measured on other events.
    """
    recipe = study.recipe_of(cell)
    evaluator, report = recipe.evaluator, recipe.output / "report"
    if not (report / RESULTS_FILE).is_file():
        import_object(TASKS[recipe.task].trainer)(recipe)
        model, processor = load_model(str(recipe.output))
        to_inference_device(model)
        size = recipe.training.per_device_eval_batch_size
        evaluator.evaluate(model, processor, Events(test), out=report, batch_size=size, sample=sample)
    results = evaluator.read_results(report / RESULTS_FILE)
    if not holds_finished(recipe):
        raise _of_another_study(recipe.output, "a training by another recipe")
    if results.dataset.event_ids_sha256 != events_digest(test["event_id"]):
        raise _of_another_study(recipe.output, "a measurement on other events")
    first = evaluator.headline(results)[0]
    return Measured(cell, first.title, first.value, first.error or 0.0)


def _of_another_study(folder: Path, what: str) -> RecipeError:
    return RecipeError(
        f"{folder}: expected a training of this study, got {what}: give another folder, out=…, or remove it"
    )


def _write(study: Study, found: list[Measured], test: Dataset) -> list[Path]:
    table, text, picture = (study.folder / name for name in (TABLE, TEXT, PICTURE))
    with replacing(table) as partial, partial.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["way", "events", "seed", "value", "error"])
        for one in found:
            writer.writerow([one.cell.way, one.cell.events, one.cell.seed, one.value, one.error])
    means = {
        (way, events): summary([one for one in found if (one.cell.way, one.cell.events) == (way, events)])
        for way in study.ways
        for events in study.events
    }
    title = found[0].title
    write_atomically(text, study_text(study, means, title, len(test)))
    draw_study(study, means, title, picture)
    return [table, text, picture, picture.with_suffix(".pdf")]


def summary(found: list[Measured]) -> tuple[float, float]:
    """Give the mean over trainings, and its error: between trainings, and by the events measured on.

    All trainings are measured on the same events, so that this part does not shrink with their number.
    """
    values = np.array([one.value for one in found])
    between = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    by_events = np.mean([one.error for one in found])
    return float(values.mean()), float(np.hypot(between, by_events))
