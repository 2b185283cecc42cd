"""What files give a simulation to begin with, whatever their format."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

from nuzoo.datasets_scripts.sources.errors import UnknownSourceError
from nuzoo.simulation.deposited import Segments
from nuzoo.simulation.event_types import Interaction
from nuzoo.simulation.known_truth import KnownTruth

INTERACTIONS, DEPOSITS = "interactions", "deposits"

EXTRA = "pip install nuzoo[generators]"
"""Installs what reads the formats that are not of the package's own dependencies."""

G = TypeVar("G", bound="Given")

_NO_WORD = re.compile(r"[^A-Za-z0-9_.+-]+")


def one_word(text: str) -> str:
    """Return text of a user or a file as one word, with `_` for all but letters, digits and `_.+-`."""
    return _NO_WORD.sub("_", text)


class MissingReaderError(ValueError):
    """A file of a format whose library is not installed."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """One event of a file.

    Attributes:
        provenance: What the file tells of where it comes from, as far as it does: `generator`, `number` (of
            the event), `weight`, `target`.
    """

    provenance: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """Return the provenance in the way of the column `source`."""
        return " ".join(f"{key}={value}" for key, value in self.provenance.items())


@dataclass(frozen=True, kw_only=True)
class GivenInteraction(Given):
    """One interaction of a generator, its neutrino along the beam."""

    interaction: Interaction


@dataclass(frozen=True, kw_only=True)
class GivenDeposits(Given):
    """The energy deposits of one event, in the frame of its file.

    Attributes:
        segments: Of all that was sensitive.
        truth: What else the file tells.
    """

    segments: Segments
    truth: KnownTruth = field(default_factory=KnownTruth)


@dataclass(frozen=True)
class Glance:
    """What tells the format of a file.

    Attributes:
        begin: Its first bytes.
        names: Trees of a ROOT file, datasets of an HDF5 file, columns of a Parquet file.
    """

    begin: bytes
    names: frozenset[str] = frozenset()


class SourceFile(ABC, Generic[G]):
    """A file of events, read by their places in it; another format is another subclass, in its own file.

    Args:
        path: Of the file.

    Raises:
        SourceFileError: It is broken.
        MissingReaderError: The library that reads it is not installed.
    """

    format: ClassVar[str]
    gives: ClassVar[str]
    holds: ClassVar[str]
    """What tells it from others, for people."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def check(self) -> None:
        """Look at the first events, of what is kept.

        Raises:
            SourceFileError: They have other units.
        """

    def keep(self, sensitive: Collection[str]) -> None:
        """Give the deposits of these sensitive detectors alone.

        Raises:
            UnknownSourceError: The format does not tell them apart.
        """
        expected = f"a file that names sensitive detectors, to take those of {', '.join(sensitive)}"
        raise UnknownSourceError(self.path, expected, self.format, "leave the option out")

    @classmethod
    @abstractmethod
    def claims(cls, glance: Glance) -> bool:
        """Say whether a file is of this format."""

    @abstractmethod
    def __len__(self) -> int:
        """Count its events."""

    @abstractmethod
    def __getitem__(self, entry: int) -> G:
        """Read event `entry`.

        Raises:
            SourceFileError: It cannot be used.
        """

    def where(self, entry: int) -> str:
        """Name an event for an error."""
        return f"{self.path}#{entry}"
