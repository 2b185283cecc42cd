"""Folders that commands write to: refused before any work is lost."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from nuzoo.files.errors import UnusableOutputError


def check_output(folder: Path) -> None:
    """Refuse a folder that cannot be made or written to; it is not made yet.

    Raises:
        UnusableOutputError: A file is in its way, or there is no right or no space to write.
    """
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(path))
    try:
        with tempfile.TemporaryFile(dir=nearest) as trial:
            trial.write(b"\0")
    except OSError as error:
        raise UnusableOutputError(
            f"{folder}: expected a folder that can be made and written to, got {nearest}: {error.strerror}"
        ) from error
