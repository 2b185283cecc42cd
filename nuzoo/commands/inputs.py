"""Files, folders and models that a command is given."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

NAMED = 3
"""More than so many are counted."""


def check_files(paths: Sequence[Path]) -> None:
    """Refuse paths that are not there.

    Raises:
        FileNotFoundError: With all of them.
    """
    if missing := [str(path) for path in paths if not os.path.lexists(path)]:
        raise FileNotFoundError(
            f"{', '.join(missing)}: expected files or folders, got no such: check the spelling"
        )


def listed(names: Sequence[object]) -> str:
    """Name the first of what was given, and count the rest."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{', '.join(map(str, names[:NAMED]))}{more}"
