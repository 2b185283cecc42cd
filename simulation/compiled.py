"""Where compiled kernels are kept: imported before the modules that have any.

They lie by a digest of this room's source: Numba alone would not notice an edit in a function that a cached
kernel calls from another file, and would go on with the old physics. Where no cache can be written they are
kept for the life of the process.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numba

from nuzoo.simulation import SOURCE_DIGEST


def _kernel_folder() -> Path:
    home = os.environ.get("HOME")
    for base in (os.environ.get("XDG_CACHE_HOME"), home and f"{home}/.cache", tempfile.gettempdir()):
        if base:
            folder = Path(base, "nuzoo", "kernels", SOURCE_DIGEST)
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder):
                    return folder
            except OSError:
                continue
    folder = Path(tempfile.mkdtemp(prefix="nuzoo-kernels-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


if "NUMBA_CACHE_DIR" not in os.environ:
    _settings: Any = numba.config
    os.environ["NUMBA_CACHE_DIR"] = _settings.CACHE_DIR = str(_kernel_folder())
