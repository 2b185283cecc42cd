"""A study of uncertainty as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nuzoo.evaluation.core.results import DatasetFacts
from nuzoo.evaluation.core.text import as_table
from nuzoo.evaluation.uncertainty.report import Measured, tables_text

if TYPE_CHECKING:
    from nuzoo.training.uncertainty.study import UncertaintyStudy


def study_text(study: UncertaintyStudy, found: Sequence[Measured], events: DatasetFacts) -> str:
    """Write the tables of a study, and beside them those of others.

    Args:
        study: What was compared.
        found: What was measured.
        events: On which it was measured.
    """
    sizes = f"An ensemble has {study.members} members, Monte Carlo dropout {study.passes} passes."
    parts = ["# Uncertainty", study.source, tables_text(found, events), sizes]
    if (theirs := study.theirs) is not None:
        rows = [
            [name, *("–" if value is None else f"{value:g}" for value in values)]
            for name, values in theirs.values.items()
        ]
        parts += ["## Published", as_table(["theirs", *theirs.columns], rows), f"Theirs: {theirs.source}."]
    return "\n\n".join(parts) + "\n"
