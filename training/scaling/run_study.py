"""Say of a grid of trainings how what is wrong falls with events and parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset

from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.files.atomic import write_atomically
from nuzoo.training.grid.run_grid import Measured, means_of, run_grid, write_cells
from nuzoo.training.grid.study import GridStudy, Means
from nuzoo.training.scaling.power_laws import PowerLaw, fit_both, fit_events
from nuzoo.training.scaling.report import Scaling, draw_study, study_text

TABLE, TEXT, PICTURE = "scaling.csv", "scaling.md", "scaling.png"

ALL = "all"
"""The law of all sizes together."""


def run_study(
    study: GridStudy,
    sample: str | None = None,
    tell: Callable[[str], Any] = print,
    workers: Workers | None = None,
) -> list[Path]:
    """Run what of a study has not been run yet, and write table, figure and text; see `run_grid`."""
    return run_grid(study, _write, sample, tell, workers)


def _write(study: GridStudy, found: Sequence[Measured], test: Dataset) -> list[Path]:
    table, text, picture = (study.folder / name for name in (TABLE, TEXT, PICTURE))
    write_cells(table, found)
    means, title = means_of(study, found), found[0].title
    sizes = {one.cell.way: one.parameters for one in found}
    laws = fit_laws(study, means, sizes)
    scaling = Scaling(study, means, sizes, laws, title)
    write_atomically(text, study_text(scaling, len(test)))
    draw_study(scaling, picture)
    return [table, text, picture, picture.with_suffix(".pdf")]


def fit_laws(study: GridStudy, means: Means, sizes: dict[str, int]) -> dict[str, PowerLaw | None]:
    """Fit the law of each way by itself, and that of all together."""
    cells = list(means)
    events = np.array([events for _, events in cells], dtype=float)
    parameters = np.array([sizes[way] for way, _ in cells], dtype=float)
    value, error = np.array(list(means.values())).T
    laws = {ALL: fit_both(events, parameters, 1 - value, error)}
    for way in study.ways:
        of = np.array([name == way for name, _ in cells])
        laws[way] = fit_events(events[of], 1 - value[of], error[of])
    return laws
