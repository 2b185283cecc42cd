"""Names of events as names of files: plain, and one-to-one."""

from __future__ import annotations

import re
from hashlib import sha256

PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]*")
"""What every file system keeps apart and none reads as a folder, a hidden file or an option."""

DIGEST = 12
DIGESTED = re.compile(rf".*-[0-9a-f]{{{DIGEST}}}")
LONGEST = 100


def file_stem(name: str) -> str:
    """Make a name of files, without suffix, of the name of an event.

    Args:
        name: Any text.

    Returns:
        The name itself where it is plain; else what is plain of it, and a digest of the whole. Two names
        have two stems, and no stem leads out of a folder.
    """
    if PLAIN.fullmatch(name) and len(name) <= LONGEST and not DIGESTED.fullmatch(name):
        return name
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST]
    readable = re.sub(r"[^a-z0-9._-]+", "_", name.lower()).strip("._-")
    return f"{readable[: LONGEST - DIGEST - 1] or 'event'}-{digest}"


class FileStems:
    """Gives each event of a run a name of files of its own, also those that share a name."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def __call__(self, name: str) -> str:
        """Make the stem of the next event; `file_stem` of its name unless that was given before."""
        stem, times = file_stem(name), 1
        while stem in self._given:
            times += 1
            stem = file_stem(f"{name} ({times})")
        self._given.add(stem)
        return stem
