"""What is asked of files of detectors, and what was found out about them while they were read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nuzoo.datasets_scripts.readers.source_errors import SourceFileError
from nuzoo.files.events.event_classes import EVENT_CLASSES
from nuzoo.files.left_out import NAMES_SHOWN
from nuzoo.files.plain_text import printable
from nuzoo.simulation.detectors import Detector
from nuzoo.simulation.response.pixel_maps import PixelMapReadout

MapDetector = Detector[PixelMapReadout]


class Notes(Counter[str]):
    """What was decided about files: how many times, and of which first."""

    def __init__(self) -> None:
        super().__init__()
        self._first: dict[str, list[str]] = {}

    def add(self, decision: str, file: str) -> None:
        """Remember what was decided about a file."""
        first = [] if decision not in self else self._first[decision]
        self[decision] += 1
        self._first[decision] = [*first, file][:NAMES_SHOWN]

    def take(self, later: Notes) -> None:
        """Remember what was decided about files that come after these."""
        for decision, times in later.items():
            first = [] if decision not in self else self._first[decision]
            self[decision] += times
            self._first[decision] = [*first, *later._first[decision]][:NAMES_SHOWN]

    def __reduce__(self) -> Any:
        return _notes_of, (dict(self), self._first)

    def told(self) -> Iterator[str]:
        """Say what was decided, each with the first files, and with their number where there are more."""
        for decision, times in self.items():
            names = ", ".join(self._first[decision])
            more = f", … ({times:,})" if times > NAMES_SHOWN else ""
            yield printable(f"{names}{more}: {decision}")


def _notes_of(times: Mapping[str, int], first: dict[str, list[str]]) -> Notes:
    """Make the notes again that another process made."""
    notes = Notes()
    notes.update(times)
    notes._first = first
    return notes


@dataclass(frozen=True)
class FileReading:
    """What files of any modality are read with.

    Attributes:
        root: Folder that the `source` of an event is told from.
        truth: Whether an event without readable labels and truth is refused. They are unknown otherwise.
        alike: Files whose names differ in their endings alone from those of others.
        notes: What was decided, and of which files.
    """

    root: Path = Path("/")
    truth: bool = True
    alike: set[Path] = field(default_factory=set)
    notes: Notes = field(default_factory=Notes)

    def note(self, decision: str, file: Path | str) -> None:
        """Remember what was decided for a file."""
        self.notes.add(decision, self.source(Path(file)))

    def source(self, file: Path) -> str:
        """Return where a file is, from the folder that all files are in."""
        return plain(os.path.relpath(_absolute(file), self.root))

    def numbered_id(self, file: Path, index: int) -> str:
        """Event id of event `index` of a file: `<folder>/<stem>#<index>`; of alike files with the ending."""
        return event_name(file, f"{file.name if file in self.alike else file.stem}#{index}")


@dataclass(frozen=True)
class Reading(FileReading):
    """How files of pixel maps are to be read, and what is told of them.

    Attributes:
        detector: Whose events these are; None for the known one of this shape or these names of views.
        mev_per_count: MeV of one count, as the user says of all files.
        usual_mev_per_count: The same of files of counts that nothing else is known of.
        usual_detector: The one that is tried first, and then the known ones.
        classes: Names of the classes, in the order of the numbers in rows.
        numbered: How many of them, from the first on, a number as a label may mean; None for all. The others
            are there by their names.
        labels: "index" or "pdg": what numbers in a column of labels are; None decides a column at a time.
    """

    detector: MapDetector | None = None
    mev_per_count: float | None = None
    usual_mev_per_count: float | None = None
    usual_detector: MapDetector | None = None
    classes: tuple[str, ...] = EVENT_CLASSES
    numbered: int | None = None
    labels: str | None = None

    @property
    def counted(self) -> tuple[str, ...]:
        """Names of the classes that numbers as labels may mean."""
        return self.classes[: self.numbered]

    def go_without(self, error: SourceFileError) -> None:
        """Remember that labels cannot be read, and why; raise the error where they are asked for."""
        if self.truth:
            raise error
        told = f"labels stay unknown: expected {error.expected}, got {error.got}; {error.remedy}"
        self.note(told, error.file)

    def counting(self, classes: tuple[str, ...]) -> Reading:
        """Return the same for another column that counts things."""
        return replace(self, classes=classes, numbered=None, labels="index", notes=Notes())

    def count_energy(self, known: float | None = None) -> float | None:
        """Return the MeV of one count: what the user, the model, the detector or at last a format knows."""
        of_detector = self.detector.readout.mev_per_count if self.detector else None
        said = (self.mev_per_count, self.usual_mev_per_count, of_detector, known)
        return next((scale for scale in said if scale is not None), None)


def common_root(paths: Iterable[Path]) -> Path:
    """Return the folder that all paths are in."""
    parents = [_absolute(path).parent for path in paths]
    return Path(os.path.commonpath(parents)) if parents else Path("/")


def _absolute(path: Path) -> Path:
    """Return a path from the root, without `..`; links stay links."""
    return Path(os.path.normpath(path.absolute()))


def plain(name: str) -> str:
    """Return a name of a file as text that can be stored; bytes that are no text become their numbers."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def beside(file: Path, name: str) -> Path | None:
    """Find a file beside another by its name, whose ending may be in capitals too; None if there is none.

    A pipe, a device or a socket is none: who opens it may wait for ever.
    """
    stem, dot, ending = name.rpartition(".")
    names = (name, f"{stem}{dot}{ending.upper()}", name.upper())
    return next((path for path in map(file.with_name, names) if path.is_file()), None)


def event_name(file: Path, event: str) -> str:
    """Event id of an event that its files name, `<folder>/<event>`."""
    return plain(f"{file.absolute().parent.name}/{event}")
