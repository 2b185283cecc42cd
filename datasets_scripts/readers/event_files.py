"""Files and folders of events, of any modality, read one event at a time and past those that are broken."""

from __future__ import annotations

import os
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.folder_files import (
    check_ordinary,
    files_of_folders,
    is_folder,
    special_file,
)
from nuzoo.datasets_scripts.readers.known_files import known_kind
from nuzoo.datasets_scripts.readers.leavings import Leavings, LeftOut
from nuzoo.datasets_scripts.readers.reading import FileReading, Notes
from nuzoo.datasets_scripts.readers.source_errors import (
    NoEventsError,
    SourceFileError,
    UnknownFileTypeError,
    UnreadableFileError,
    WrongEventError,
    naming_errors,
    without_frames,
)
from nuzoo.files.events.event_errors import EventError
from nuzoo.files.events.event_schema import EventSchema

_NO_TEXT = ("Cc", "Cs")
"""Unicode categories of what has no place in a name: control characters and lone surrogates."""

R = TypeVar("R", bound=FileReading)

Reader = Callable[[Path, R], Iterator[Row | SourceFileError]]
"""Reads one file, or the event of several files.

It yields a row for each event, or the error of an event that is broken, and raises a `SourceFileError` where
the file is broken as a whole.
"""


@dataclass(frozen=True)
class Format(Generic[R]):
    """How files of one kind are read.

    Attributes:
        reader: Reads one.
        description: What it is, for people.
        truth: What files of their own tell of an event, beside those that the reader reads.
        names: Gives the names of the classes that a file declares.
        many: A file holds any number of events; else the file is the event.
        ordinary: The event is an ordinary file, not a name that several have in common.
    """

    reader: Reader[R]
    description: str
    truth: Callable[[Path, R], Row] | None = None
    names: Callable[[Path], Sequence[str] | None] | None = None
    many: bool = True
    ordinary: bool = True


class EventFiles(ABC, Generic[R]):
    """The events of files and folders as rows, read one at a time while iterating.

    Files of one event count once, whichever of them is named; files come before folders. Folders are searched
    with all below them in sorted order, links too; hidden files are passed over. Files of other types in a
    folder are listed as left out and never raise.

    Args:
        paths: Files and folders.
        reading: How they are read.
        strict: Raise the first error instead of leaving the event out.

    Attributes:
        formats: By the endings of files.
        left_out: What the last iteration left out.
        sink: Takes what is left out; None makes a new list for each iteration.
        notes: What the last iteration decided about files, and about which.
        lost: How many files the last iteration had nothing of, those passed over apart.
    """

    formats: Mapping[str, Format[R]]

    def __init__(self, paths: Sequence[Path], reading: R, *, strict: bool) -> None:
        self.paths, self.strict, self.reading = paths, strict, reading
        self.sink: Leavings | None = None
        self.left_out: Leavings = []
        self.lost = 0

    @abstractmethod
    def schema(self, row: Row) -> EventSchema:
        """Return the columns of a row."""

    @abstractmethod
    def checked(self, row: Row) -> Row:
        """Return a row as it is stored.

        Raises:
            EventError: A number that its column cannot hold.
        """

    def event_of(self, file: Path) -> tuple[Path, Format[R] | None]:
        """Return the path that stands for the event of a file, and its format."""
        return file, self.formats.get(file.suffix.lower())

    @property
    def endings(self) -> str:
        """What names of files end in, for people."""
        return ", ".join(self.formats)

    @property
    def notes(self) -> Notes:
        """What was decided about files, and about which."""
        return self.reading.notes

    def __iter__(self) -> Iterator[Row]:
        for event, form in self.found([] if self.sink is None else self.sink):
            yield from self.read_event(event, form)

    def found(self, left_out: Leavings) -> Iterator[tuple[Path, Format[R]]]:
        """Give each file of events, or what stands for those of one event, and how it is read.

        Args:
            left_out: Takes the others, each before the file that follows it is given.
        """
        self.left_out = left_out
        self.lost = 0
        self.notes.clear()
        self.reading.alike.clear()
        named = [path for path in self.paths if not is_folder(path)]
        yield from self._among(named, found=False)
        for folder in self.paths:
            if is_folder(folder):
                yield from self._in_folder(folder)

    def _in_folder(self, folder: Path) -> Iterator[tuple[Path, Format[R]]]:
        for files in files_of_folders(folder, self._unreadable, self._repeated):
            yield from self._among(files, found=True)

    def _repeated(self, folder: Path, first: str) -> None:
        got, remedy = f"a link to {first}, which is read already", "nothing is missing; remove the link"
        error = UnreadableFileError(folder, "a folder of its own", got, remedy)
        self._leave_out(folder, error, strict=False, passed_over=True)

    def _among(self, files: Iterable[Path], *, found: bool) -> Iterator[tuple[Path, Format[R]]]:
        seen: set[str] = set()
        files = list(files)
        self.reading.alike.update(self._alike(files))
        for file in files:
            event, form = self.event_of(file)
            if (special := special_file(file)) is not None:
                passed_over = found and form is None
                self.lost += not passed_over
                self._leave_out(file, special, strict=self.strict and not found, passed_over=passed_over)
                continue
            if (name := str(event)) in seen:
                continue
            seen.add(name)
            if form is None:
                error, has_events = self._unknown_type(event)
                passed_over = found and not has_events
                self.lost += not passed_over
                self._leave_out(event, error, strict=self.strict and not found, passed_over=passed_over)
            else:
                yield event, form

    def read_event(self, event: Path, form: Format[R]) -> Iterator[Row]:
        """Give the rows of a file that was found; what cannot be read is left out."""
        events, before = 0, len(self.left_out)
        for row in self._events(event, form):
            events += 1
            yield row
        self.lost += not events and len(self.left_out) > before

    def _events(self, event: Path, form: Format[R]) -> Iterator[Row]:
        try:
            with naming_errors(event, form.description):
                if form.ordinary:
                    check_ordinary(event, form.description)
                index = -1
                for index, result in enumerate(form.reader(event, self.reading)):
                    try:
                        yield self._finished(event, index, form, result)
                    except SourceFileError as error:
                        unwanted = error.passed_over
                        self._leave_out(
                            event, error, strict=self.strict and not unwanted, passed_over=unwanted
                        )
                if index < 0:
                    raise NoEventsError(event, f"{form.description} with events", "none", "leave it out")
        except SourceFileError as error:
            self._leave_out(event, error, strict=self.strict)

    def _finished(self, event: Path, index: int, form: Format[R], result: Row | SourceFileError) -> Row:
        """Return the row with its truth, whose numbers are all such as their columns can hold."""
        if isinstance(result, SourceFileError):
            raise result
        row, where = result | self._truth(event, form), f"{event}#{index}" if form.many else event
        if any(unicodedata.category(letter) in _NO_TEXT for letter in row["event_id"]):
            got = ascii(row["event_id"])
            problem = f"expected a name without control characters or lone surrogates, got {got}"
            raise WrongEventError(where, "event_id", f"{problem}: rename the event")
        try:
            return self.checked(row)
        except EventError as error:
            raise WrongEventError(where, str(error.column), error.problem) from error

    def _truth(self, event: Path, form: Format[R]) -> Row:
        if form.truth is None:
            return {}
        try:
            return form.truth(event, self.reading)
        except SourceFileError as error:
            if self.reading.truth:
                raise
            told = (
                f"labels and truth stay unknown: expected {error.expected}, got {error.got}; {error.remedy}"
            )
            self.reading.note(told, event)
            return {}

    def _leave_out(
        self, path: Path, error: SourceFileError, *, strict: bool, passed_over: bool = False
    ) -> None:
        if strict:
            raise error
        self.left_out.append(LeftOut(path, without_frames(error), passed_over))

    def _unreadable(self, error: OSError) -> None:
        folder = Path(error.filename)
        remedy = "check its permissions"
        named = UnreadableFileError(folder, "a folder", error.strerror or str(error), remedy)
        self.lost += 1
        self._leave_out(folder, named, strict=self.strict)

    def _alike(self, files: Iterable[Path]) -> Iterator[Path]:
        """Give the files of many events of which another one in their folder differs in its ending alone."""
        by_stem: dict[Path, set[Path]] = {}
        for file in files:
            if (form := self.formats.get(file.suffix.lower())) and form.many:
                by_stem.setdefault(file.absolute().with_suffix(""), set()).add(file)
        for alike in by_stem.values():
            if len({file.name for file in alike}) > 1:
                yield from alike

    def _unknown_type(self, file: Path) -> tuple[SourceFileError, bool]:
        """Return the error of a file that no reader reads, and whether it is known to hold events."""
        if not os.path.lexists(file):
            return UnreadableFileError(file, "a file or folder", "nothing there", "check the path"), False
        expected = f"a file ending in {self.endings}"
        kind = known_kind(file)
        if kind is None:
            remedy = "convert it to one of these formats, or leave it out"
            return UnknownFileTypeError(file, expected, repr(file.suffix or file.name), remedy), False
        return UnknownFileTypeError(file, expected, kind.text, kind.remedy_for(self.formats)), kind.has_events
