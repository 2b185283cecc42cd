"""A study of label efficiency as text and as a figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nuzoo.evaluation.core.results import Estimate
from nuzoo.evaluation.core.style import GREY, figure, legend_below, look, marker
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.training.grid.study import Means

if TYPE_CHECKING:
    from nuzoo.training.label_efficiency.study import Study


def study_text(study: Study, means: Means, title: str, test_events: int) -> str:
    """Write the table of a study, and beside it that of others.

    Args:
        study: The grid.
        means: For each way and number of events the mean and its error.
        title: What the number is.
        test_events: On how many events it was measured.
    """
    events = sorted(study.events)
    rows = [
        [way, *(with_error(Estimate(value=value, error=error)) for value, error in _row(means, way, events))]
        for way in study.ways
    ]
    header = [f"{title} by labelled events", *(f"{number:,}" for number in events)]
    text = (
        f"# Label efficiency\n\n{as_table(header, rows)}\n\nMeans of {len(study.seeds)} trainings each, on "
        f"{test_events:,} held-out events; errors are those between trainings and of the events together.\n\n"
        f"{study.source}\n"
    )
    if (theirs := study.theirs) is None:
        return text
    of_others = [[name, *(f"{value:.3f}" for value in values)] for name, values in theirs.values.items()]
    header = ["theirs", *(f"{number:,}" for number in theirs.events)]
    return f"{text}\n## Published\n\n{as_table(header, of_others)}\n\nTheirs: {theirs.source}.\n"


def draw_study(study: Study, means: Means, title: str, path: Path) -> None:
    """Draw what is wrong, 1 minus the number, against labelled events, with the curves of others in grey."""
    events = sorted(study.events)
    remark = f"Means of {len(study.seeds)} trainings." + (
        f" Grey: theirs, {study.theirs.source}." if study.theirs else ""
    )
    with figure(path, 5.4, 5.2, "", remark) as drawn:
        axes = drawn.subplots()
        for number, way in enumerate(study.ways):
            values, errors = zip(*_row(means, way, events), strict=True)
            wrong = [1 - value for value in values]
            axes.errorbar(events, wrong, errors, marker=marker(number), label=way, **look(number))
        if study.theirs:
            for number, (name, theirs) in enumerate(study.theirs.values.items()):
                style = look(number) | {"color": GREY, "linewidth": 0.9}
                shown = [1 - value for value in theirs]
                axes.plot(study.theirs.events, shown, label=f"theirs: {name}", **style)
        axes.set(xscale="log", yscale="log", xlabel="Labelled events", ylabel=f"1 − {title}")
        legend_below(axes, ncols=2)


def _row(means: Means, way: str, events: list[int]) -> list[tuple[float, float]]:
    return [means[way, number] for number in events]
