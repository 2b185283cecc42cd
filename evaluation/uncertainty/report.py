"""Numbers of uncertainty of several methods as tables and figures."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nuzoo.evaluation.core.results import DatasetFacts, Number
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.evaluation.uncertainty.figures import draw_rejection, draw_reliability
from nuzoo.evaluation.uncertainty.numbers import ClassUncertainty, class_uncertainty
from nuzoo.evaluation.uncertainty.regression import ValueUncertainty, value_uncertainty
from nuzoo.evaluation.uncertainty.sampling import Samples
from nuzoo.files.atomic import replacing
from nuzoo.files.plain_text import plain

TABLE, TEXT = "uncertainty.csv", "uncertainty.md"

OF_QUANTITIES = (
    "RMSE is that of the mean of the samples, spread their standard deviation, both in the unit of the "
    "truth; coverage is of the interval of 68.27 % that follows from the spread, pull the RMS of the error "
    "in units of the spread."
)


@dataclass(frozen=True)
class Measured:
    """A method at one output of the networks.

    Attributes:
        method: Its title.
        output: Name of the output, such as `logits` or `vertex`.
        samples: What it told.
        numbers: How good that is.
    """

    method: str
    output: str
    samples: Samples
    numbers: ClassUncertainty | ValueUncertainty

    @property
    def told(self) -> str:
        """The numbers that matter most, in words."""
        return f"{self.method}, {self.output}: {self.numbers.told}"


def measured(method: str, samples: Mapping[str, Samples]) -> list[Measured]:
    """Measure what a method told by each output; one sample of a quantity has no spread, and is left out.

    Args:
        method: Its title.
        samples: By the name of the output.
    """
    return [
        Measured(method, output, told, _uncertainty(told))
        for output, told in samples.items()
        if told.is_of_classes or len(told.values) > 1
    ]


def _uncertainty(told: Samples) -> ClassUncertainty | ValueUncertainty:
    if told.is_of_classes:
        return class_uncertainty(told.predictive(), told.truth, told.event)
    return value_uncertainty(told.values, told.truth)


def write_table(path: Path, found: Iterable[Measured]) -> None:
    """Write every number with its error into a CSV file."""
    with replacing(path) as partial, partial.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["output", "method", "number", "value", "error"])
        for one in found:
            for title, number in one.numbers.by_title().items():
                if number is not None:
                    writer.writerow([one.output, one.method, title, number.value, number.error])


def draw_methods(folder: Path, found: Sequence[Measured], events: DatasetFacts) -> list[Path]:
    """Draw rejection and reliability of each output that tells classes into a folder, and give the files."""
    tag = f"{events.sample}, {events.events:,} events"
    files = []
    for output, methods in by_output(found).items():
        curves = {one.method: one.numbers for one in methods if isinstance(one.numbers, ClassUncertainty)}
        if not curves:
            continue
        rejection, reliability = (folder / f"{output}_{stem}.png" for stem in ("rejection", "reliability"))
        draw_rejection(curves, tag, rejection)
        draw_reliability({one.method: one.samples for one in methods}, tag, reliability)
        files += [rejection, reliability]
    return [*files, *(file.with_suffix(".pdf") for file in files)]


def tables_text(found: Sequence[Measured], events: DatasetFacts) -> str:
    """Write the table of each output, with its figures, and what it was measured on."""
    parts = [_of_output(output, methods) for output, methods in by_output(found).items()]
    sample, split = plain(events.sample), plain(events.split or "all")
    parts.append(
        f"Measured on {events.events:,} events ({sample}, split {split}); errors are those of the bootstrap "
        "of events, which all methods share, and not those between trainings."
    )
    return "\n\n".join(parts)


def by_output(found: Iterable[Measured]) -> dict[str, list[Measured]]:
    """Sort what was measured by the output of the networks."""
    outputs: dict[str, list[Measured]] = {}
    for one in found:
        outputs.setdefault(one.output, []).append(one)
    return outputs


def _of_output(output: str, methods: Sequence[Measured]) -> str:
    rows = [[one.method, *map(_cell, one.numbers.by_title().values())] for one in methods]
    table = as_table(["method", *methods[0].numbers.by_title()], rows)
    if isinstance(methods[0].numbers, ValueUncertainty):
        return f"## {output}\n\n{table}\n\n{OF_QUANTITIES}"
    rejection, reliability = (f"{output}_{stem}.png" for stem in ("rejection", "reliability"))
    pictures = f"![Accuracy against rejection]({rejection})\n\n![Reliability]({reliability})"
    return f"## {output}\n\n{table}\n\n{pictures}"


def _cell(number: Number | None) -> str:
    return "–" if number is None else with_error(number)
