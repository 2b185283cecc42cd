"""A study of transfer as text and as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from nuzoo.evaluation.core.results import Estimate
from nuzoo.evaluation.core.style import figure, look, marker, wrapped
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.training.transfer.study import ALL, TransferStudy

if TYPE_CHECKING:
    from nuzoo.training.transfer.run_study import Measured

FEWEST = 3
"""Where an axis of events shows none."""

COLUMNS = 3
"""Of panels."""


def study_text(study: TransferStudy, found: Sequence[Measured]) -> str:
    """Write the table of a study: a line for each model at each detector."""
    header = [f"{found[0].number.title} after training events", *map(_column, study.events), "test events"]
    rows = []
    for detector in study.detectors:
        for model in study.models:
            of = [one for one in found if (one.cell.detector, one.cell.model) == (detector, model)]
            values = [
                with_error(Estimate(value=one.number.value, error=one.number.error or 0.0)) for one in of
            ]
            rows.append([f"{detector}: {model}", *values, f"{of[0].test_events:,}"])
    return f"# Transfer between detectors\n\n{as_table(header, rows)}\n\n{study.source}\n"


def _column(events: int | str) -> str:
    return {0: "none", ALL: ALL}.get(events, f"{events}")


def draw_study(study: TransferStudy, found: Sequence[Measured], path: Path) -> None:
    """Draw for each detector the number of each model against the events that it learnt from."""
    lines = -(-len(study.detectors) // COLUMNS)
    with figure(path, 10.0, 1.2 + 2.7 * lines, "") as drawn:
        panels = drawn.subplots(lines, COLUMNS, sharey=True, squeeze=False).ravel()
        for axes, detector in zip(panels, study.detectors, strict=False):
            _draw_detector(axes, study, [one for one in found if one.cell.detector == detector])
            axes.set(title=wrapped(detector, 40), xlabel="Training events (none: as it is)")
        for axes in panels[len(study.detectors) :]:
            axes.set_axis_off()
        for axes in panels[::COLUMNS]:
            axes.set_ylabel(found[0].number.title)
        drawn.legend(
            *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(study.models)
        )


def _draw_detector(axes: Axes, study: TransferStudy, found: Sequence[Measured]) -> None:
    for number, model in enumerate(study.models):
        of = sorted((one for one in found if one.cell.model == model), key=lambda one: one.learnt_from)
        axes.errorbar(
            [max(FEWEST, one.learnt_from) for one in of],
            [one.number.value for one in of],
            [one.number.error or 0.0 for one in of],
            marker=marker(number),
            label=model,
            **look(number),
        )
    axes.set_xscale("log")
    ticks = {
        max(FEWEST, one.learnt_from): f"{one.learnt_from:,}" if one.learnt_from else "none" for one in found
    }
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.minorticks_off()
