"""Say of a grid of trainings how the number of labelled events counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset

from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.files.atomic import write_atomically
from nuzoo.training.grid.run_grid import Measured, means_of, run_grid, write_cells
from nuzoo.training.label_efficiency.report import draw_study, study_text
from nuzoo.training.label_efficiency.study import Study

TABLE, TEXT, PICTURE = "label_efficiency.csv", "label_efficiency.md", "label_efficiency.png"


def run_study(
    study: Study,
    sample: str | None = None,
    tell: Callable[[str], Any] = print,
    workers: Workers | None = None,
) -> list[Path]:
    """Run what of a study has not been run yet, and write table, figure and text; see `run_grid`."""
    return run_grid(study, _write, sample, tell, workers)


def _write(study: Study, found: Sequence[Measured], test: Dataset) -> list[Path]:
    table, text, picture = (study.folder / name for name in (TABLE, TEXT, PICTURE))
    write_cells(table, found)
    means, title = means_of(study, found), found[0].title
    write_atomically(text, study_text(study, means, title, len(test)))
    draw_study(study, means, title, picture)
    return [table, text, picture, picture.with_suffix(".pdf")]
