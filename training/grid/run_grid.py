"""Train and measure every cell of a grid, and hand what was found to what a study says of it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from transformers import PreTrainedModel

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.datasets_scripts.workers.same_folder import in_this_folder
from nuzoo.datasets_scripts.workers.workers import Piece, Result, Workers
from nuzoo.evaluation.core.evaluate_model import task_of
from nuzoo.evaluation.core.evaluator import TaskEvaluator
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.core.inference import to_inference_device
from nuzoo.evaluation.core.provenance import events_digest
from nuzoo.evaluation.core.results import Results
from nuzoo.files.atomic import replacing
from nuzoo.files.names import REPORT_FOLDER, RESULTS_FILE
from nuzoo.pipelines.loading import load_model
from nuzoo.processors.contract import EventProcessor
from nuzoo.registry import TASKS, import_object
from nuzoo.training.fields import RecipeError
from nuzoo.training.grid.study import Cell, GridStudy, Means
from nuzoo.training.recipe import Recipe
from nuzoo.training.recipe_data import in_classes_of, load_splits
from nuzoo.training.run_folder import holds_finished

Write = Callable[[Any, "Sequence[Measured]", datasets.Dataset], list[Path]]
"""What a kind of study writes of itself, its measured cells and the events that they were measured on."""


BATCH = 64
"""Events at a time for a network that no recipe of the study is of: as most recipes have it."""


@dataclass(frozen=True)
class Measured:
    """A cell with its headline number.

    Attributes:
        cell: Which training.
        title: What the number is.
        value: The number.
        error: Its standard error, by the events that it was measured on.
        parameters: Of the network.
        report: Folder of the evaluation.
    """

    cell: Cell
    title: str
    value: float
    error: float
    parameters: int
    report: Path


def run_grid(
    study: GridStudy,
    write: Write,
    sample: str | None = None,
    tell: Callable[[str], Any] = print,
    workers: Workers | None = None,
) -> list[Path]:
    """Run what of a study has not been run yet, and write what it says.

    Args:
        study: The grid.
        write: Writes tables, figures and text.
        sample: What the events are called; needed unless they are our simulation.
        tell: Takes a line for each cell.
        workers: Who train and measure cells; this process by default.

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
    away = partial(_measure_alone, study, sample)
    for one in in_pieces(
        workers, away, lambda cell: measure_cell(study, cell, splits["test"], sample), cells
    ):
        told = f"{one.title.lower()} {one.value:.3f} ± {one.error:.3f}"
        found.append(one)
        tell(f"{len(found)} of {len(cells)}: {one.cell.name}: {told}")
    return write(study, found, splits["test"])


def in_pieces(
    workers: Workers | None,
    away: Callable[[Piece], Result],
    here: Callable[[Piece], Result],
    pieces: Iterable[Piece],
) -> Iterator[Result]:
    """Do pieces of work of a study, and yield the results in their order.

    Args:
        workers: Who do it; this process by default.
        away: Does a piece in another process, in the folder that this one works in; picklable.
        here: Does a piece in this process.
        pieces: Each depends on nothing but itself.
    """
    if workers is None:
        yield from map(here, pieces)
    else:
        yield from workers.do(in_this_folder(away), pieces, lambda events: None)


def _measure_alone(study: GridStudy, sample: str | None, cell: Cell) -> Measured:
    """Measure a cell in a process that has not read the events."""
    return measure_cell(study, cell, load_splits(study.recipe_of(cell))["test"], sample)


def measure_cell(study: GridStudy, cell: Cell, test: datasets.Dataset, sample: str | None) -> Measured:
    """Train and measure a cell, unless it has been.

    Raises:
        RecipeError: See `train_and_measure`.
    """
    recipe = study.recipe_of(cell)
    results = train_and_measure(recipe, test, sample)
    first = recipe.evaluator.headline(results)[0]
    report = recipe.output / REPORT_FOLDER
    return Measured(cell, first.title, first.value, first.error or 0.0, results.model.parameters, report)


def train_and_measure(
    recipe: Recipe,
    test: datasets.Dataset,
    sample: str | None,
    splits: Mapping[str, datasets.Dataset] | None = None,
) -> Results:
    """Train by a recipe and measure the network, unless that has been done.

    Args:
        recipe: The run.
        test: Events to measure on.
        sample: What they are called.
        splits: To train on; those of the recipe by default.

    Raises:
        RecipeError: See `nuzoo.training.supervised.train`; or what is there was trained otherwise, or
            measured on other events.
    """
    evaluator, report = recipe.evaluator, recipe.output / REPORT_FOLDER
    if not (report / RESULTS_FILE).is_file():
        import_object(TASKS[recipe.task].trainer)(recipe, splits=splits)
        model, processor = load_model(str(recipe.output))
        to_inference_device(model)
        size = recipe.training.per_device_eval_batch_size
        evaluator.evaluate(model, processor, Events(test), out=report, batch_size=size, sample=sample)
    results = evaluator.read_results(report / RESULTS_FILE)
    if not holds_finished(recipe):
        raise _of_another_study(recipe.output, "a training by another recipe")
    check_events(results, test, recipe.output)
    return results


def measure_as_it_is(
    model: PreTrainedModel,
    processor: EventProcessor,
    test: datasets.Dataset,
    folder: Path,
    sample: str | None,
) -> tuple[TaskEvaluator, Results]:
    """Measure a network that is trained already, unless that has been done.

    Args:
        model: The network.
        processor: Its processor.
        test: Events, whose classes may be numbered otherwise.
        folder: Of the evaluation.
        sample: What the events are called.

    Returns:
        What measures its task, and the results.

    Raises:
        RecipeError: What is there was measured on other events.
    """
    task, evaluator = task_of(model)
    if not (folder / RESULTS_FILE).is_file():
        to_inference_device(model)
        rows = in_classes_of(model.config, task.targets_of(vars(model.config)), {"test": test})["test"]
        evaluator.evaluate(model, processor, Events(rows), out=folder, batch_size=BATCH, sample=sample)
    results = evaluator.read_results(folder / RESULTS_FILE)
    check_events(results, test, folder)
    return evaluator, results


def check_events(results: Results, test: datasets.Dataset, folder: Path) -> None:
    """Refuse a measurement on other events than these, or raise `RecipeError`."""
    if results.dataset.event_ids_sha256 != events_digest(test["event_id"]):
        raise _of_another_study(folder, "a measurement on other events")


def _of_another_study(folder: Path, what: str) -> RecipeError:
    return RecipeError(
        f"{folder}: expected a training of this study, got {what}: give another folder, out=…, or remove it"
    )


def means_of(study: GridStudy, found: Sequence[Measured]) -> Means:
    """Give for each way and number of events the mean of the trainings and its error."""
    return {
        (way, events): summary([one for one in found if (one.cell.way, one.cell.events) == (way, events)])
        for way in study.ways
        for events in study.events
    }


def write_cells(path: Path, found: Sequence[Measured]) -> None:
    """Write a CSV file with a line for each cell."""
    with replacing(path) as partial, partial.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["way", "events", "seed", "parameters", "value", "error"])
        for one in found:
            cell = one.cell
            writer.writerow([cell.way, cell.events, cell.seed, one.parameters, one.value, one.error])


def summary(found: Sequence[Measured]) -> tuple[float, float]:
    """Give the mean over trainings, and its error: between trainings, and by the events measured on.

    All trainings are measured on the same events, so that this part does not shrink with their number.
    """
    values = np.array([one.value for one in found])
    between = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
    by_events = np.mean([one.error for one in found])
    return float(values.mean()), float(np.hypot(between, by_events))
