"""A folder to build a repository in, removed afterwards, even after a process that was killed."""

from __future__ import annotations

import errno
import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from nuzoo.hub.errors import FullDiskError

PREFIX = ".nuzoo-publish-"
LOCK = "in-use.lock"
FULL = {errno.ENOSPC, errno.EDQUOT}
SECONDS_TO_LOCK = 60
"""A younger folder may belong to a process that is about to lock it."""


@contextmanager
def scratch_folder(beside: Path) -> Iterator[Path]:
    """Give an empty folder in `beside`, and remove those there that killed processes left.

    A folder in use is locked, and a lock ends with its process however that ends.

    Raises:
        FullDiskError: There is no room for what is built.
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
        with _full_disk_explained(beside):
            yield folder


@contextmanager
def _full_disk_explained(beside: Path) -> Iterator[None]:
    """Say what to do when there is no room: Python and safetensors raise different errors."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        full = error.errno in FULL if isinstance(error, OSError) else "No space left" in str(error)
        if not full:
            raise
        raise FullDiskError(
            f"a disk is full ({error}): the repository is built in {beside}; free some space there, or set "
            "TMPDIR to a folder that has some"
        ) from error


def _remove_if_left(folder: Path) -> None:
    """Remove a folder that no process has locked; raises `OSError` for another."""
    if folder.is_symlink() or time.time() - folder.stat().st_mtime < SECONDS_TO_LOCK:
        return
    with (folder / LOCK).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
