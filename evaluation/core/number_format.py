"""Numbers with errors as text, for reports and cards."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

ROUNDING = 1e-9
"""Relative errors below it come from the arithmetic alone."""


def decimals_for(error: float) -> int:
    """Decimals that show an error with two significant digits."""
    return max(0, 1 - math.floor(math.log10(error)))


def with_error(number: Mapping[str, Any], scale: float = 1.0) -> str:
    """Write a number of a results file, e.g. "0.8208 ± 0.0053".

    Args:
        number: {value, error, ...}; None values are written as a dash.
        scale: Factor for both, e.g. 100 for per cent.
    """
    if number["value"] is None:
        return "–"
    value = number["value"] * scale
    if not number["error"] or number["error"] < ROUNDING * abs(number["value"]):
        return _minus(f"{value:.4g}")
    error = number["error"] * scale
    decimals = decimals_for(error)
    return _minus(f"{value:.{decimals}f} ± {error:.{decimals}f}")


def _minus(text: str) -> str:
    return text.replace("-", "−")


def as_table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; the first column is text, the others are aligned right."""
    rule = ["---"] + ["---:"] * (len(header) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, rule, *rows])
