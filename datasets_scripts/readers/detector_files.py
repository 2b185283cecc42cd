"""Read files of detector events, whatever their format, and go on past those that are broken."""

from __future__ import annotations

import math
import os
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nuzoo.datasets_scripts.common.described import know_detectors, known_by_geometry
from nuzoo.datasets_scripts.common.event_values import checked_values
from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.arrays import names_in_npz, read_npy, read_npz
from nuzoo.datasets_scripts.readers.dense_maps import map_detectors, schema_counting
from nuzoo.datasets_scripts.readers.dune_cvn import read_dune_cvn, read_dune_truth
from nuzoo.datasets_scripts.readers.hdf5 import names_in_hdf5, read_hdf5
from nuzoo.datasets_scripts.readers.image_folder import image_event, read_image_folder, read_image_label
from nuzoo.datasets_scripts.readers.known_files import known_kind
from nuzoo.datasets_scripts.readers.labels import CODINGS, class_number
from nuzoo.datasets_scripts.readers.parquet import declared_names, read_parquet
from nuzoo.datasets_scripts.readers.reading import MapDetector, Notes, Reading, beside, common_root
from nuzoo.datasets_scripts.readers.source_errors import (
    SourceFileError,
    UnknownFileTypeError,
    UnreadableFileError,
    WrongEventError,
    naming_errors,
    without_frames,
)
from nuzoo.files.events.event_classes import EVENT_CLASSES, spelling
from nuzoo.files.events.event_errors import EventError
from nuzoo.files.events.event_schema import EventSchema
from nuzoo.simulation.detectors import find_detector
from nuzoo.simulation.errors import UnknownDetectorError
from nuzoo.simulation.response.pixel_maps import PixelMapReadout

_NO_TEXT = ("Cc", "Cs")
"""Unicode categories of what has no place in a name: control characters and lone surrogates."""

Reader = Callable[[Path, Reading], Iterator[Row | SourceFileError]]
"""Reads one file, or the event of several files.

It yields a row for each event, or the error of an event that is broken, and raises a `SourceFileError` where
the file is broken as a whole.
"""


@dataclass(frozen=True)
class _Format:
    reader: Reader
    description: str
    truth: Callable[[Path, Reading], Row] | None = None
    """What files of their own tell of an event, beside those that the reader reads."""
    names: Callable[[Path], Sequence[str] | None] | None = None
    """Gives the names of the classes that a file declares."""


_IMAGES = _Format(read_image_folder, "an event as PNG images", read_image_label)
_HDF5 = _Format(read_hdf5, "an HDF5 file", names=names_in_hdf5)
_FORMATS = {
    ".gz": _Format(read_dune_cvn, "a DUNE CVN pixel map", read_dune_truth),
    ".h5": _HDF5,
    ".hdf5": _HDF5,
    ".npy": _Format(read_npy, "a .npy array"),
    ".npz": _Format(read_npz, "an .npz archive", names=names_in_npz),
    ".parquet": _Format(read_parquet, "a Parquet file", names=declared_names),
}


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


class DetectorFiles:
    """The events of files and folders as pixel-map rows, read one at a time while iterating.

    Formats, told by the names: DUNE CVN (`.gz`, with `.info`), images (`<event>_<view>.png`, with
    `<event>_pid.txt`), HDF5 (`.h5`, `.hdf5`), arrays (`.npy`, `.npz`), Parquet; endings may be in capitals.
    Files of one event count once, whichever of them is named. Folders are searched with all below them in
    sorted order, links too; hidden files are passed over. Files of other types in a folder are listed as left
    out and never raise.

    Args:
        paths: Files and folders. Files come first.
        detector: Name of the detector, or the file that describes it; None infers it, file by file, from the
            number, names and size of the views.
        mev_per_count: MeV of one count, of all files: floating-point maps, which are in MeV, are refused.
        usual_mev_per_count: MeV of one count of integer maps, where there are any. Without either they have
            the scale of `detector`, DUNE CVN files their own, and others are refused.
        classes: Names of the classes that labels count in rows.
        labels: What whole numbers as labels are, "index" (of a class) or "pdg"; None decides it for each
            column, see `nuzoo.datasets_scripts.readers.labels`.
        strict: Raise the first error instead of leaving the event out.
        truth: Leave out events whose labels and truth cannot be read. Without, they are unknown, and classes
            that files declare by name are known beside `classes`.
        usual_detector: What the events of the detector look like that is tried first, see
            `nuzoo.processors.contract.EventProcessor.reading_options`; it needs no description then.

    Attributes:
        left_out: What the last iteration left out.
        sink: Takes what is left out; None makes a new list for each iteration.
        notes: What the last iteration decided about files, and about which.
        lost: How many files the last iteration had nothing of, those passed over apart.

    Raises:
        DetectorError: No such detector, or one without pixel maps.
        ValueError: An energy of a count that is not a positive number, or no such kind of labels.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        *,
        detector: str | None = None,
        mev_per_count: float | None = None,
        usual_mev_per_count: float | None = None,
        classes: Sequence[str] = EVENT_CLASSES,
        labels: str | None = None,
        strict: bool = False,
        truth: bool = True,
        usual_detector: Mapping[str, Any] | None = None,
    ) -> None:
        for scale in (mev_per_count, usual_mev_per_count):
            if scale is not None and not (math.isfinite(scale) and scale > 0):
                raise ValueError(f"mev_per_count must be a positive number of MeV, got {scale}")
        if labels is not None and labels not in CODINGS:
            raise ValueError(f"labels: expected one of {', '.join(CODINGS)}, got {labels!r}")
        self.paths, self.strict = [*map(Path, paths)], strict
        for folder in filter(_is_folder, self.paths):
            know_detectors(folder)
        self.sink: Leavings | None = None
        self.left_out: Leavings = []
        self.lost = 0
        counted = tuple(classes)
        self._reading = Reading(
            root=common_root(self.paths),
            detector=None if detector is None else _with_maps(detector),
            mev_per_count=mev_per_count,
            usual_mev_per_count=usual_mev_per_count,
            usual_detector=None if detector or not usual_detector else known_by_geometry(usual_detector),
            classes=counted if truth else _with_named(counted, self.paths),
            numbered=len(counted),
            labels=labels,
            truth=truth,
        )

    @property
    def notes(self) -> Notes:
        """What was decided about files, and about which."""
        return self._reading.notes

    @property
    def detector(self) -> MapDetector | None:
        """The detector that was asked for."""
        return self._reading.detector

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that labels count."""
        return self._reading.classes

    def schema(self, row: Row) -> EventSchema:
        """Return the columns of a row."""
        return schema_counting(self.detector or _with_maps(row["detector"]), self.classes)

    def __iter__(self) -> Iterator[Row]:
        self.left_out = [] if self.sink is None else self.sink
        self.lost = 0
        self.notes.clear()
        self._reading.alike.clear()
        named = [path for path in self.paths if not _is_folder(path)]
        yield from self._read_files(named, found=False)
        for folder in self.paths:
            if _is_folder(folder):
                yield from self._read_folder(folder)

    def _read_folder(self, folder: Path) -> Iterator[Row]:
        for files in _folders(folder, self._unreadable, self._repeated):
            yield from self._read_files(files, found=True)

    def _repeated(self, folder: Path, first: str) -> None:
        got, remedy = f"a link to {first}, which is read already", "nothing is missing; remove the link"
        error = UnreadableFileError(folder, "a folder of its own", got, remedy)
        self._leave_out(folder, error, strict=False, passed_over=True)

    def _read_files(self, files: Iterable[Path], *, found: bool) -> Iterator[Row]:
        seen: set[str] = set()
        files = list(files)
        self._reading.alike.update(_alike(files))
        for file in files:
            event, form = _event_of(file, map_detectors(self._reading))
            if (special := _special(file)) is not None:
                passed_over = found and form is None
                self.lost += not passed_over
                self._leave_out(file, special, strict=self.strict and not found, passed_over=passed_over)
                continue
            if (name := str(event)) in seen:
                continue
            seen.add(name)
            if form is None:
                error, has_events = _unknown_type(event)
                passed_over = found and not has_events
                self.lost += not passed_over
                self._leave_out(event, error, strict=self.strict and not found, passed_over=passed_over)
            else:
                yield from self._read(event, form)

    def _read(self, event: Path, form: _Format) -> Iterator[Row]:
        events, before = 0, len(self.left_out)
        for row in self._events(event, form):
            events += 1
            yield row
        self.lost += not events and len(self.left_out) > before

    def _events(self, event: Path, form: _Format) -> Iterator[Row]:
        try:
            with naming_errors(event, form.description):
                if form is not _IMAGES:
                    _check_ordinary(event, form)
                for index, result in enumerate(form.reader(event, self._reading)):
                    try:
                        yield self._finished(event, index, form, result)
                    except SourceFileError as error:
                        self._leave_out(event, error, strict=self.strict)
        except SourceFileError as error:
            self._leave_out(event, error, strict=self.strict)

    def _finished(self, event: Path, index: int, form: _Format, result: Row | SourceFileError) -> Row:
        """Return the row with its truth, whose numbers are all such as their columns can hold."""
        if isinstance(result, SourceFileError):
            raise result
        row, where = result | self._truth(event, form), event if form.truth else f"{event}#{index}"
        if any(unicodedata.category(letter) in _NO_TEXT for letter in row["event_id"]):
            got = ascii(row["event_id"])
            problem = f"expected a name without control characters or lone surrogates, got {got}"
            raise WrongEventError(where, "event_id", f"{problem}: rename the event")
        try:
            return checked_values(row, self.schema(row))
        except EventError as error:
            raise WrongEventError(where, str(error.column), error.problem) from error

    def _truth(self, event: Path, form: _Format) -> Row:
        if form.truth is None:
            return {}
        try:
            return form.truth(event, self._reading)
        except SourceFileError as error:
            if self._reading.truth:
                raise
            told = (
                f"labels and truth stay unknown: expected {error.expected}, got {error.got}; {error.remedy}"
            )
            self._reading.note(told, event)
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


def _folders(
    folder: Path,
    unreadable: Callable[[OSError], None] | None = None,
    repeated: Callable[[Path, str], None] = lambda folder, first: None,
) -> Iterator[Iterator[Path]]:
    """Yield the files of a folder, and of each below it, that are not hidden, in sorted order.

    Links are followed; a folder that they lead to again is handed to `repeated` with the path before.
    """
    seen: dict[tuple[int, int], str] = {}
    for parent, folders, names in os.walk(folder, onerror=unreadable, followlinks=True):
        status = Path(parent).stat()
        first = seen.setdefault((status.st_dev, status.st_ino), parent)
        if first != parent:
            folders.clear()
            repeated(Path(parent), first)
            continue
        folders.sort()
        yield (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def declared_classes(paths: Iterable[Path]) -> tuple[str, ...]:
    """Return the names of the classes that Parquet files among paths declare, the usual ones if none do.

    Files that cannot be read declare nothing. Names that are the usual ones keep the usual order.
    """
    names = {spelling(name): name for name in _declared(paths, (".parquet",))}
    usual = {spelling(name) for name in EVENT_CLASSES}
    return EVENT_CLASSES if names.keys() <= usual else tuple(names.values())


def _with_named(classes: tuple[str, ...], paths: Iterable[Path]) -> tuple[str, ...]:
    """Return classes, and those beside them that files declare by name."""
    for name in _declared(paths, _FORMATS):
        if class_number(name, classes) is None:
            classes = (*classes, name)
    return classes


def _declared(paths: Iterable[Path], endings: Collection[str]) -> Iterator[str]:
    for path in paths:
        for files in _folders(path) if _is_folder(path) else [iter([path])]:
            for file in files:
                form = _FORMATS.get(file.suffix.lower())
                if form and form.names and file.suffix.lower() in endings and _special(file) is None:
                    with suppress(Exception):
                        yield from form.names(file) or ()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _with_maps(name: str) -> MapDetector:
    detector = find_detector(name)
    if not isinstance(detector.readout, PixelMapReadout):
        names = ", ".join(each.name for each in map_detectors())
        raise UnknownDetectorError(f"detector: expected one with pixel maps ({names}), got {name!r}")
    return detector


def _event_of(file: Path, detectors: Iterable[MapDetector]) -> tuple[Path, _Format | None]:
    """Return the path that stands for the event of a file (the `.gz` of an `.info`), and its format."""
    images = image_event(file, detectors)
    if images:
        return images, _IMAGES
    is_info = file.suffix.lower() == ".info"
    event = (beside(file, f"{file.stem}.gz") or file.with_suffix(".gz")) if is_info else file
    return event, _FORMATS.get(event.suffix.lower())


def _alike(files: Iterable[Path]) -> Iterator[Path]:
    """Give the files of many events of which another one in their folder differs in its ending alone."""
    by_stem: dict[Path, set[Path]] = {}
    for file in files:
        if (form := _FORMATS.get(file.suffix.lower())) and form.truth is None:
            by_stem.setdefault(file.absolute().with_suffix(""), set()).add(file)
    for alike in by_stem.values():
        if len({file.name for file in alike}) > 1:
            yield from alike


def _special(file: Path) -> SourceFileError | None:
    """Return the error of a pipe, device or socket: who opens one may wait for ever."""
    try:
        is_special = file.exists() and not file.is_file() and not file.is_dir()
    except OSError:
        return None
    if not is_special:
        return None
    got, remedy = "a pipe, a device or a socket", "write what it gives to a file"
    return UnreadableFileError(file, "an ordinary file", got, remedy)


def _check_ordinary(file: Path, form: _Format) -> None:
    if not file.is_file():
        got = "something else" if file.exists() else "nothing there"
        raise UnreadableFileError(file, form.description, got, "check the path")


def _unknown_type(file: Path) -> tuple[SourceFileError, bool]:
    """Return the error of a file that no reader reads, and whether it is known to hold events."""
    if not os.path.lexists(file):
        return UnreadableFileError(file, "a file or folder", "nothing there", "check the path"), False
    expected = f"a file ending in .info, _<view>.png, _pid.txt, {', '.join(_FORMATS)}"
    kind = known_kind(file)
    if kind is None:
        remedy = "convert it to one of these formats, or leave it out"
        return UnknownFileTypeError(file, expected, repr(file.suffix or file.name), remedy), False
    return UnknownFileTypeError(file, expected, kind.text, kind.remedy), kind.has_events
