"""A study of distillation as text and as a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nuzoo.evaluation.core.style import figure, legend_below, look, marker
from nuzoo.evaluation.core.text import as_table, with_error

if TYPE_CHECKING:
    from nuzoo.training.distillation.run_study import Judged
    from nuzoo.training.distillation.study import DistillationStudy

DECADE = 10
"""Ticks of a logarithmic axis that spans less would write over each other."""


def study_text(study: DistillationStudy, judged: Sequence[Judged], machine: str, test_events: int) -> str:
    """Write the table of a study, the teacher first.

    Args:
        study: The grid.
        judged: The teacher and every network.
        machine: Where times were measured.
        test_events: On how many events everything was measured.
    """
    header = ["network - training events - seed", "accuracy", "of the teacher's", "parameters", "ms an event"]
    rows = [
        [
            one.name,
            with_error(one.accuracy),
            with_error(one.kept),
            f"{one.parameters:,}",
            with_error(one.milliseconds),
        ]
        for one in judged
    ]
    measured = (
        f"The first is the teacher. On {test_events:,} held-out events; the errors of accuracies and "
        "of their ratios are bootstrap ones, of ratios on the same events. Times from row to answer: "
        f"{machine}."
    )
    return f"# Distillation\n\n{as_table(header, rows)}\n\n{measured}\n\n{study.source}\n"


def draw_study(judged: Sequence[Judged], path: Path) -> None:
    """Draw accuracy against time for an event, on a logarithmic axis where times differ by much."""
    times = [one.milliseconds.value for one in judged if one.milliseconds.value]
    scale = "log" if times and max(times) > DECADE * min(times) else "linear"
    with figure(path, 6.4, 5.6, "", "Errors are bootstrap standard deviations.") as drawn:
        axes = drawn.subplots()
        for number, one in enumerate(judged):
            axes.errorbar(
                *(one.milliseconds.value or np.nan, one.accuracy.value or np.nan),
                *(one.accuracy.error or 0.0, one.milliseconds.error or 0.0),
                marker=marker(number),
                linestyle="none",
                color=look(number)["color"],
                label=one.name,
            )
        axes.set(xlabel="Time for an event / ms", ylabel="Accuracy", xscale=scale)
        legend_below(axes, ncols=2)
