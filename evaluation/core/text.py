"""Numbers with errors, lists and tables as text, for reports and cards in Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from nuzoo.evaluation.core.results import Estimate, Fraction, Number

ROUNDING = 1e-9
"""Relative errors below it come from the arithmetic alone."""


def as_list(facts: Mapping[str, object]) -> str:
    """Write facts as a Markdown list."""
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def decimals_for(error: float) -> int:
    """Count the decimals that show an error with two significant digits."""
    return max(0, 1 - math.floor(math.log10(error)))


def with_error(number: Estimate) -> str:
    """Write a number of a results file, e.g. "0.8208 ± 0.0053", a dash where it is not defined."""
    value, error = number.value, number.error
    if value is None:
        return "–"
    if not error or error < ROUNDING * abs(value):
        text = f"{value:.4g}"
    else:
        decimals = decimals_for(error)
        text = f"{value:.{decimals}f} ± {error:.{decimals}f}"
    return text.replace("-", "−")


def fraction_text(number: Number, counted: Fraction) -> str:
    """Write a fraction with its error; where all or none are counted, with its Wilson limit."""
    if number.value == 1 and counted.low is not None:
        return f"1 (above {1 - float(f'{1 - counted.low:.1g}'):g})"
    if number.value == 0 and counted.high is not None:
        return f"0 (below {counted.high:.1g})"
    return with_error(number)


def as_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table; the first column is text, the others are aligned right."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *rows])
