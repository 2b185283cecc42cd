"""Files, folders and models that a command is given."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from nuzoo.files.errors import PlaceError
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.files.places import check_place
from nuzoo.zoo.bundled import bundled_models, find_model

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


def place_of_model(name: str) -> str:
    """Return the folder or repository of a model, which may be one that comes with nuzoo.

    Raises:
        PlaceError: See `check_place`; with the nearest name of those that come with nuzoo.
        HubAccessError: See `check_place`.
    """
    place = find_model(name)
    try:
        check_place(place, "model")
    except PlaceError as error:
        raise PlaceError(f"{error}{did_you_mean([name], bundled_models())}") from error
    return place


def listed(names: Sequence[object]) -> str:
    """Name the first of what was given, and count the rest."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{', '.join(map(str, names[:NAMED]))}{more}"
