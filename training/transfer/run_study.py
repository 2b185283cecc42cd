"""Measure every model at every detector, as it is and fine-tuned."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from datasets import Dataset

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.datasets_scripts.common.loading import load_events
from nuzoo.datasets_scripts.common.other_maps import maps_laid_out_as
from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.evaluation.core.evaluator import Headline
from nuzoo.evaluation.core.events import with_truth
from nuzoo.files.atomic import replacing, write_atomically
from nuzoo.pipelines.loading import load_model
from nuzoo.training.grid.run_grid import in_pieces, measure_as_it_is, train_and_measure
from nuzoo.training.transfer.report import draw_study, study_text
from nuzoo.training.transfer.study import Cell, TransferStudy

TABLE, TEXT, PICTURE = "transfer.csv", "transfer.md", "transfer.png"

TRAIN, HELD_OUT = "train", "held out"

Splits = Mapping[str, Dataset]


@dataclass(frozen=True)
class Measured:
    """A cell with its headline number.

    Attributes:
        cell: Model, detector and events.
        learnt_from: Number of events that it learnt from.
        number: The headline.
        test_events: On how many it was measured.
    """

    cell: Cell
    learnt_from: int
    number: Headline
    test_events: int


def run_study(
    study: TransferStudy,
    sample: str | None = None,
    tell: Callable[[str], Any] = print,
    workers: Workers | None = None,
) -> list[Path]:
    """Run what of a study has not been run yet, and write table, figure and text.

    Args:
        study: Models and detectors, whose events are there.
        sample: What events are called whose detector says none.
        tell: Takes a line for each cell.
        workers: Who train and measure cells; this process by default.

    Returns:
        The files.

    Raises:
        RecipeError: See `nuzoo.training.supervised.train`.
        UnusableDatasetError: Fewer training events than a cell asks for, or none to test on.
        DetectorError: A detector without a view that a model reads.
    """
    cells = list(study.cells())
    events = {detector: _splits(study, detector) for detector in study.detectors}
    found = []
    away = partial(_measure_alone, study, sample)
    for one in in_pieces(
        workers, away, lambda cell: _measure(study, cell, events[cell.detector], sample), cells
    ):
        found.append(one)
        tell(f"{len(found)} of {len(cells)}: {one.cell.name}: {one.number.told}")
    return _write(study, found)


def _measure_alone(study: TransferStudy, sample: str | None, cell: Cell) -> Measured:
    """Measure a cell in a process that has not read the events."""
    return _measure(study, cell, _splits(study, cell.detector), sample)


def _splits(study: TransferStudy, detector: str) -> Splits:
    """Give events to learn from, and those of all other splits, which nothing is chosen by, to measure on.

    Events without the truth (tau neutrinos, say) are left out.
    """
    targets = study.recipe_of(next(study.cells())).targets
    splits = dict(load_events(study.data_of(detector)))
    learnt = {TRAIN: splits.pop(TRAIN)} if splits.get(TRAIN) else {}
    held_out = {name: rows for name, rows in splits.items() if len(rows)}
    if not (learnt and held_out):
        raise UnusableDatasetError(
            f"{study.data_of(detector)}: expected a split {TRAIN} and others to measure on, got "
            f"{', '.join([*learnt, *held_out]) or 'none'}"
        )
    in_any_order = with_truth(learnt, targets).shuffle(seed=study.seed)  # files may be sorted by class
    found = {TRAIN: in_any_order, HELD_OUT: with_truth(held_out, targets)}
    most = max((events for events in study.events if isinstance(events, int)), default=0)
    if len(found[TRAIN]) < most:
        raise UnusableDatasetError(
            f"{study.data_of(detector)}: expected {most:,} training events, got {len(found[TRAIN]):,}"
        )
    return found


def _measure(study: TransferStudy, cell: Cell, splits: Splits, sample: str | None) -> Measured:
    model, processor = load_model(cell.model)
    views, own = study.target(cell.detector).views, str(processor.detector)
    learnt_from = len(splits[TRAIN]) if cell.events is None else cell.events
    held_out = maps_laid_out_as(splits[HELD_OUT], own, views)
    sample = study.target(cell.detector).sample or sample
    if learnt_from == 0:
        evaluator, results = measure_as_it_is(model, processor, held_out, study.folder / cell.name, sample)
    else:
        train = maps_laid_out_as(splits[TRAIN].take(learnt_from), own, views)
        recipe = study.recipe_of(cell)
        evaluator = recipe.evaluator
        results = train_and_measure(recipe, held_out, sample, {TRAIN: train})
    return Measured(cell, learnt_from, evaluator.headline(results)[0], len(held_out))


def _write(study: TransferStudy, found: list[Measured]) -> list[Path]:
    table, text, picture = (study.folder / name for name in (TABLE, TEXT, PICTURE))
    with replacing(table) as partial, partial.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["detector", "model", "training_events", "value", "error", "test_events"])
        for one in found:
            number = one.number
            row = [
                one.cell.detector,
                one.cell.model,
                one.learnt_from,
                number.value,
                number.error,
                one.test_events,
            ]
            writer.writerow(row)
    write_atomically(text, study_text(study, found))
    draw_study(study, found, picture)
    return [table, text, picture, picture.with_suffix(".pdf")]
