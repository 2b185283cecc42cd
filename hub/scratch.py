"""A folder to build a repository in, removed afterwards, even after a process that was killed."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = ".nuzoo-publish-"
LOCK = "in-use.lock"
SECONDS_TO_LOCK = 60
"""A younger folder may belong to a process that is about to lock it."""


@contextmanager
def scratch_folder(beside: Path) -> Iterator[Path]:
    """Give an empty folder in `beside`, and remove those there that killed processes left.

    A folder in use is locked, and a lock ends with its process however that ends.
    """
    for left in beside.glob(f"{PREFIX}*"):
        with suppress(OSError):
            _remove_if_left(left)
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, dir=beside, ignore_cleanup_errors=True) as name,
        (Path(name) / LOCK).open("w") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = Path(name) / "scratch"
        folder.mkdir()
        yield folder


def _remove_if_left(folder: Path) -> None:
    """Remove a folder that no process has locked; raises `OSError` for another."""
    if folder.is_symlink() or time.time() - folder.stat().st_mtime < SECONDS_TO_LOCK:
        return
    with (folder / LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
