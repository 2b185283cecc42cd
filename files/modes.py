"""Who may read what we write: whoever may read any other new file, whichever library wrote it."""

from __future__ import annotations

import stat
from pathlib import Path
from tempfile import TemporaryDirectory

PRIVATE = 0o600
"""What safetensors gives its files, whatever the process's own mask of modes is."""


def unlock_weights(folder: str | Path) -> None:
    """Give the weights of a folder, and of those in it, the mode of any other file that is made there."""
    private = [file for file in Path(folder).rglob("*.safetensors") if _mode(file) == PRIVATE]
    if not private:
        return
    with TemporaryDirectory(dir=folder, prefix=".") as inside:
        trial = Path(inside, "trial")
        trial.touch()
        usual = _mode(trial)
    for file in private:
        file.chmod(usual)


def _mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)
