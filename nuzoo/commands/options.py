"""What commands have in common: options that only some rows of a table have, and exit statuses."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

PARTIAL = 3
"""Exit status where some of what was asked for was done and some was left out."""


def check_options(function: Callable[..., Any], options: Mapping[str, Any], name: str) -> None:
    """Refuse options that a function does not take.

    Args:
        function: Of a row of a table.
        options: That the user gave.
        name: Of the row.

    Raises:
        ValueError: With the first that does not apply, and those that do.
    """
    known = [
        _spelt(parameter.name)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    for option in map(_spelt, options):
        if option not in known:
            raise ValueError(
                f"{option}: {name} has no such option, its own are {', '.join(known)}; leave it out"
            )


def _spelt(name: str) -> str:
    return f"--{name.replace('_', '-')}"
