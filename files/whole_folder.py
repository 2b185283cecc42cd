"""Folders of files that belong together: written beside, and moved in when all are there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nuzoo.files.atomic import PARTIAL


@contextmanager
def filling(folder: Path, last: str) -> Iterator[Path]:
    """Give a folder to write to, whose files become those of `folder` at the end, in place of the old ones.

    Whoever finds the file `last` in `folder` finds all others of the same run: it is removed first, and moved
    last. An error in writing leaves `folder` as it was.

    Args:
        folder: it is made if it is not there, and removed again if nothing was written to it.
        last: name of a file.
    """
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".", suffix=PARTIAL) as partial:
            yield Path(partial)
            (folder / last).unlink(missing_ok=True)
            written = [path.relative_to(partial) for path in Path(partial).rglob("*") if path.is_file()]
            for name in sorted(written, key=lambda name: name == Path(last)):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(partial) / name).replace(folder / name)
    finally:
        if is_new:
            with suppress(OSError):
                folder.rmdir()
