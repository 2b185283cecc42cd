"""A study of uncertainty as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from nuzoo.evaluation.core.results import DatasetFacts
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.evaluation.uncertainty.numbers import TITLES, ClassUncertainty
from nuzoo.files.plain_text import plain

if TYPE_CHECKING:
    from nuzoo.training.uncertainty.study import UncertaintyStudy


def study_text(
    study: UncertaintyStudy, numbers: Mapping[str, Mapping[str, ClassUncertainty]], events: DatasetFacts
) -> str:
    """Write the tables of a study, and beside them those of others.

    Args:
        study: What was compared.
        numbers: Of each output, and of each method by its title.
        events: On which it was measured.
    """
    parts = ["# Uncertainty", study.source]
    parts += [_of_output(output, methods) for output, methods in numbers.items()]
    parts.append(
        f"Measured on {events.events:,} held-out events ({plain(events.sample)}); errors are those of the "
        "bootstrap of events, which all methods share, and not those between trainings. An ensemble has "
        f"{study.members} members, Monte Carlo dropout {study.passes} passes."
    )
    if (theirs := study.theirs) is not None:
        rows = [
            [name, *("–" if value is None else f"{value:g}" for value in values)]
            for name, values in theirs.values.items()
        ]
        parts += ["## Published", as_table(["theirs", *theirs.columns], rows), f"Theirs: {theirs.source}."]
    return "\n\n".join(parts) + "\n"


def _of_output(output: str, methods: Mapping[str, ClassUncertainty]) -> str:
    rows = [
        [title, *("–" if number is None else with_error(number) for number in one.by_title().values())]
        for title, one in methods.items()
    ]
    table = as_table(["method", *TITLES.values()], rows)
    rejection, reliability = (f"{output}_{stem}.png" for stem in ("rejection", "reliability"))
    pictures = f"![Accuracy against rejection]({rejection})\n\n![Reliability]({reliability})"
    return f"## {output}\n\n{table}\n\n{pictures}"
