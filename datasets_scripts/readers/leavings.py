"""What readers leave out, and what takes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nuzoo.datasets_scripts.readers.source_errors import SourceFileError


@dataclass(frozen=True)
class LeftOut:
    """A file, or an event of one, that could not be read, and why.

    Attributes:
        path: The file, or what stands for the files of an event.
        error: With the number of the event in it, if it is one of many.
        passed_over: It is a file of a folder that was never meant to be read, such as a licence.
    """

    path: Path
    error: SourceFileError
    passed_over: bool = False


class Leavings(Protocol):
    """What takes the files and events that are left out: a list, or something that writes them down."""

    def append(self, item: LeftOut, /) -> None:
        """Take one more."""

    def __iter__(self) -> Iterator[LeftOut]:
        """Give what is still known of them."""

    def __len__(self) -> int:
        """Say how many there were."""
