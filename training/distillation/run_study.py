"""Say of a grid of trainings how much of their teacher's accuracy the students keep, and at what cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.evaluation.comparison.paired import accuracy_ratio
from nuzoo.evaluation.core.results import Number
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions
from nuzoo.evaluation.tasks.event_classification.report import read_evaluation
from nuzoo.evaluation.tasks.event_classification.results import ClassificationResults
from nuzoo.files.atomic import write_atomically
from nuzoo.pipelines.loading import load_model
from nuzoo.training.distillation.report import draw_study, study_text
from nuzoo.training.distillation.study import DistillationStudy
from nuzoo.training.grid.run_grid import Measured, measure_as_it_is, run_grid, write_cells

TABLE, TEXT, PICTURE = "distillation.csv", "distillation.md", "distillation.png"
TEACHER_FOLDER = "teacher"


@dataclass(frozen=True)
class Judged:
    """A network beside the teacher.

    Attributes:
        name: Of the cell, or of the teacher.
        accuracy: On the test events.
        kept: Its accuracy divided by the teacher's.
        parameters: Of the network.
        milliseconds: An event, from row to answer.
    """

    name: str
    accuracy: Number
    kept: Number
    parameters: int
    milliseconds: Number


def run_study(
    study: DistillationStudy,
    sample: str | None = None,
    tell: Callable[[str], Any] = print,
    workers: Workers | None = None,
) -> list[Path]:
    """Run what of a study has not been run yet, and write table, figure and text; see `run_grid`."""
    return run_grid(study, partial(_write, sample=sample), sample, tell, workers)


def _write(
    study: DistillationStudy, found: Sequence[Measured], test: Dataset, *, sample: str | None
) -> list[Path]:
    table, text, picture = (study.folder / name for name in (TABLE, TEXT, PICTURE))
    write_cells(table, found)
    teacher = _measured_teacher(study, test, sample)
    networks = {study.teacher: teacher} | {one.cell.name: read_evaluation(one.report) for one in found}
    judged = [_judge(name, *network, teacher[1]) for name, network in networks.items()]
    machine = teacher[0].machine
    write_atomically(
        text, study_text(study, judged, f"{machine.processor}, {machine.threads} thread(s)", len(test))
    )
    draw_study(judged, picture)
    return [table, text, picture, picture.with_suffix(".pdf")]


def _measured_teacher(
    study: DistillationStudy, test: Dataset, sample: str | None
) -> tuple[ClassificationResults, Predictions]:
    folder = study.folder / TEACHER_FOLDER
    measure_as_it_is(*load_model(study.teacher), test, folder, sample)
    return read_evaluation(folder)


def _judge(
    name: str, results: ClassificationResults, predictions: Predictions, teacher: Predictions
) -> Judged:
    return Judged(
        name,
        results.metrics.accuracy,
        accuracy_ratio(_right(predictions), _right(teacher)),
        results.model.parameters,
        results.cost.ms_per_event["total"],
    )


def _right(predictions: Predictions) -> NDArray[np.bool_]:
    right: NDArray[np.bool_] = predictions.logits.argmax(axis=1) == predictions.label
    return right
