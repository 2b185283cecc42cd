"""A study of scaling as text and as a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from nuzoo.evaluation.core.results import Estimate
from nuzoo.evaluation.core.style import figure, legend_below, look, marker
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.files.plain_text import counted
from nuzoo.training.grid.study import GridStudy, Means
from nuzoo.training.scaling.power_laws import PowerLaw

FORMULAS = """Laws: 1 − {title} = c + a (N / 10⁴)^−α for each size, and for all together
E + A (N / 10⁴)^−α + B (P / 10⁵)^−β (arXiv:2203.15556), of N training events and P parameters. Errors are the
scatter of fits to values drawn within their errors. χ² far above its degrees of freedom: the law does not
hold."""


@dataclass(frozen=True)
class Scaling:
    """What a study found.

    Attributes:
        study: The grid.
        means: For each way and number of events the mean and its error.
        sizes: Parameters of the network of each way.
        laws: Of each way, and of "all"; None where there are too few points.
        title: What the number is.
    """

    study: GridStudy
    means: Means
    sizes: Mapping[str, int]
    laws: Mapping[str, PowerLaw | None]
    title: str


def study_text(scaling: Scaling, test_events: int) -> str:
    """Write the tables of a study: the numbers, measured on so many events, and the laws."""
    study, title = scaling.study, scaling.title
    events = sorted(study.events)
    rows = [
        [way, f"{scaling.sizes[way]:,}", *(with_error(_as_number(scaling.means[way, n])) for n in events)]
        for way in study.ways
    ]
    measured = as_table([f"{title} by events", "parameters", *(f"{number:,}" for number in events)], rows)
    known = {name: law for name, law in scaling.laws.items() if law is not None}
    fitted = as_table(["law of", "constants", "χ²", "degrees"], [_row(*item) for item in known.items()])
    return (
        f"# Scaling\n\n{measured}\n\nMeans of {counted(len(study.seeds), 'training')} each, measured on "
        f"{test_events:,} held-out events.\n\n{fitted}\n\n{FORMULAS.format(title=title)}\n\n{study.source}\n"
    )


def _as_number(value: tuple[float, float]) -> Estimate:
    return Estimate(value=value[0], error=value[1])


def _row(name: str, law: PowerLaw) -> list[str]:
    greek = {"alpha": "α", "beta": "β"}
    constants = (f"{greek.get(key, key)} = {with_error(number)}" for key, number in law.numbers.items())
    return [name, ", ".join(constants), f"{law.chi2:.1f}", str(law.degrees)]


def draw_study(scaling: Scaling, path: Path) -> None:
    """Draw what is wrong against events for each size, and against parameters for each number of events."""
    means, sizes, laws = scaling.means, scaling.sizes, scaling.laws
    events = sorted(scaling.study.events)
    ways = sorted(scaling.study.ways, key=lambda way: sizes[way])
    with figure(path, 9.0, 4.6, "", "Lines: the law of all sizes together, where there is one.") as drawn:
        by_events, by_size = drawn.subplots(1, 2, sharey=True)
        along = np.geomspace(events[0], events[-1], 50)
        for number, way in enumerate(ways):
            _points(by_events, number, events, [means[way, n] for n in events], f"{sizes[way]:,} parameters")
            if law := laws["all"] or laws[way]:
                by_events.plot(along, law.curve(along, np.full_like(along, sizes[way])), **look(number))
        across = np.geomspace(sizes[ways[0]], max(sizes[ways[-1]], sizes[ways[0]] + 1), 50)
        for number, n in enumerate(events):
            _points(
                by_size,
                number,
                [sizes[way] for way in ways],
                [means[way, n] for way in ways],
                f"{n:,} events",
            )
            if law := laws["all"]:
                by_size.plot(across, law.curve(np.full_like(across, n), across), **look(number))
        by_events.set(xscale="log", yscale="log", xlabel="Training events", ylabel=f"1 − {scaling.title}")
        by_size.set(xscale="log", xlabel="Parameters")
        for axes in (by_events, by_size):
            legend_below(axes, ncols=2)


def _points(
    axes: Axes, number: int, x: Sequence[int], values: Sequence[tuple[float, float]], label: str
) -> None:
    wrong, errors = [1 - value for value, _ in values], [error for _, error in values]
    style = {"color": look(number)["color"], "linestyle": "none"}
    axes.errorbar(x, wrong, errors, marker=marker(number), label=label, **style)
