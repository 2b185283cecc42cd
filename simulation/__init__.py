"""A fast parametrised simulation: interactions, then transport, then the detector's response.

Compiled kernels are cached on disk by a digest of this folder's source: Numba alone would not notice an
edit in a function that a cached kernel calls from another file, and would go on with the old physics.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path


def _digest_of_source() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _kernel_folder(digest: str) -> Path:
    for base in (os.environ.get("XDG_CACHE_HOME"), Path.home() / ".cache", tempfile.gettempdir()):
        if base:
            folder = Path(base) / "nuzoo" / "kernels" / digest
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError:
                continue
            if os.access(folder, os.W_OK):
                return folder
    raise OSError("no folder to keep compiled kernels in: set XDG_CACHE_HOME to one that can be written")


SOURCE_DIGEST = _digest_of_source()
"""Names the physics: events of the same seed are the same as long as it is."""

if "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = str(_kernel_folder(SOURCE_DIGEST))
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"]
