"""Try a repository as those will who do not have this package: in a fresh process, by its own code."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from nuzoo.hub.errors import FlatCopyError
from nuzoo.hub.model.base_model import find_adapter_folder

SCRIPT = "load_without_nuzoo.py"


def check_flat_copy(folder: Path) -> str:
    """Load a repository where nuzoo cannot be imported, and compare its golden outputs.

    This runs the code in the folder. What the process reported is returned.

    Raises:
        FlatCopyError: It could not be loaded, or gives other outputs.
    """
    # a whole model needs nothing from elsewhere; an adapter needs its base
    offline = {} if find_adapter_folder(folder) else {"HF_HUB_OFFLINE": "1"}
    with (
        tempfile.TemporaryDirectory() as elsewhere,
        _open_until_death() as alive,
        as_file(files("nuzoo.hub.model").joinpath(SCRIPT)) as script,
    ):
        process = subprocess.run(
            [sys.executable, "-I", str(script), str(folder.absolute()), str(alive)],
            pass_fds=[alive],
            capture_output=True,
            text=True,
            cwd=elsewhere,
            env={**os.environ, **offline, "HF_MODULES_CACHE": elsewhere},
        )
    if process.returncode:
        reason = (process.stderr.strip().splitlines() or ["it was killed"])[-1]
        raise FlatCopyError(
            f"the repository does not work without nuzoo: {reason}. Its code or its files are not those of "
            "one publication; publish the model again"
        )
    return process.stdout.strip()


@contextmanager
def _open_until_death() -> Iterator[int]:
    """Give a pipe to read from that is at its end when this process is dead, however it died."""
    alive, ours = os.pipe()
    try:
        yield alive
    finally:
        os.close(alive)
        os.close(ours)
