"""The files of folders, and what of them must not be opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from nuzoo.datasets_scripts.readers.source_errors import SourceFileError, UnreadableFileError
from nuzoo.files.names import MANIFEST_FILE, PLAN_FILE

OF_DATASETS = frozenset({PLAN_FILE, MANIFEST_FILE})


def files_of_folders(
    folder: Path,
    unreadable: Callable[[OSError], None] | None = None,
    repeated: Callable[[Path, str], None] = lambda folder, first: None,
) -> Iterator[Iterator[Path]]:
    """Yield the files of a folder, and of each below it, that are not hidden, in sorted order.

    What nuzoo writes beside the shards of a dataset holds no events, and is passed over. Links are followed;
    a folder that they lead to again is handed to `repeated` with the path before.
    """
    seen: dict[tuple[int, int], str] = {}
    for parent, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        status = Path(parent).stat()
        first = seen.setdefault((status.st_dev, status.st_ino), parent)
        if first != parent:
            folders.clear()
            repeated(Path(parent), first)
            continue
        folders.sort()
        ours = OF_DATASETS if OF_DATASETS.issubset(names) else frozenset()
        yield (Path(parent, name) for name in sorted(names) if not name.startswith(".") and name not in ours)


def is_folder(path: Path) -> bool:
    """Say whether a path is a folder; one that may not be looked at is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def special_file(file: Path) -> SourceFileError | None:
    """Return the error of a pipe, device or socket: who opens one may wait for ever."""
    try:
        is_special = file.exists() and not file.is_file() and not file.is_dir()
    except OSError:
        return None
    if not is_special:
        return None
    got, remedy = "a pipe, a device or a socket", "write what it gives to a file"
    return UnreadableFileError(file, "an ordinary file", got, remedy)


def check_ordinary(file: Path, description: str) -> None:
    """Refuse what is no ordinary file.

    Raises:
        UnreadableFileError: It is something else, or not there.
    """
    if not file.is_file():
        got = "something else" if file.exists() else "nothing there"
        raise UnreadableFileError(file, description, got, "check the path")
