"""Files, folders and models that a command is given."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from nuzoo.command_parser import CommandLineError

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


def check_apart(output: Path, inputs: Sequence[Path], endings: Sequence[str] = ()) -> None:
    """Refuse an output that would take the place of what is read.

    Args:
        output: File or folder that is to be written.
        inputs: Files and folders that are read.
        endings: Of a file that may lie in a folder that is read, unless it is there already with one of
            these; a folder may not.

    Raises:
        CommandLineError: It is one of the inputs, or lies among them.
    """
    written = output.resolve()
    may_lie_among = bool(endings) and not (written.exists() and written.suffix in endings)
    for given in inputs:
        place = given.resolve()
        is_same = written == place or (written.exists() and place.exists() and written.samefile(place))
        if is_same or (place in written.parents and not may_lie_among):
            raise CommandLineError(
                f"{output}: expected an output apart from what is read, got {'' if is_same else 'one in '}"
                f"{given}, which is read: give another name"
            )


def listed(names: Sequence[object]) -> str:
    """Name the first of what was given, and count the rest."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{', '.join(map(str, names[:NAMED]))}{more}"
