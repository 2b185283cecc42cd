"""Reads files of detector events, whatever their format, and goes on past those that are broken."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nuzoo.datasets_scripts.readers.arrays import read_npy, read_npz
from nuzoo.datasets_scripts.readers.dense_maps import Row, detector_named
from nuzoo.datasets_scripts.readers.dune_cvn import read_dune_cvn, read_dune_truth
from nuzoo.datasets_scripts.readers.hdf5 import read_hdf5
from nuzoo.datasets_scripts.readers.image_folder import image_event, read_image_folder, read_image_label
from nuzoo.datasets_scripts.readers.parquet import read_parquet
from nuzoo.datasets_scripts.readers.source_errors import (
    SourceFileError,
    UnknownFileTypeError,
    UnreadableFileError,
    naming_errors,
)
from nuzoo.simulation.detectors import Detector

Reader = Callable[[Path, Detector | None, float | None], Iterator[Row | SourceFileError]]
"""Rows of one file (or event of several files), and errors in place of broken events."""


@dataclass(frozen=True)
class _Format:
    reader: Reader
    description: str
    truth: Callable[[Path], Row] = lambda event: {}
    """What files of their own tell of an event, beside those that the reader reads."""


_IMAGES = _Format(read_image_folder, "an event as PNG images", read_image_label)
_HDF5 = _Format(read_hdf5, "an HDF5 file")
_FORMATS = {
    ".gz": _Format(read_dune_cvn, "a DUNE CVN pixel map", read_dune_truth),
    ".h5": _HDF5,
    ".hdf5": _HDF5,
    ".npy": _Format(read_npy, "a .npy array"),
    ".npz": _Format(read_npz, "an .npz archive"),
    ".parquet": _Format(read_parquet, "a Parquet file"),
}


@dataclass(frozen=True)
class LeftOut:
    """A file, or an event of one, that could not be read.

    Attributes:
        path: The file.
        error: Why.
    """

    path: Path
    error: SourceFileError


@dataclass
class DetectorFiles:
    """The events of files, read while iterating; see `read_detector_files`.

    Attributes:
        paths: Files and folders.
        detector: Whose events they are; None infers it file by file.
        mev_per_count: MeV of one count of integer maps.
        strict: Raise the first error instead of leaving the event out.
        truth: Read the files that hold labels and truth.
        left_out: What the last iteration left out.
    """

    paths: tuple[Path, ...]
    detector: Detector | None
    mev_per_count: float | None
    strict: bool
    truth: bool = True
    left_out: list[LeftOut] = field(default_factory=list)

    def __iter__(self) -> Iterator[Row]:
        self.left_out = []
        named = [path for path in self.paths if not _is_folder(path)]
        yield from self._read_files(named, found=False)
        for folder in self.paths:
            if _is_folder(folder):
                yield from self._read_folder(folder)

    def _read_folder(self, folder: Path) -> Iterator[Row]:
        for parent, folders, names in os.walk(folder, onerror=self._unreadable):
            folders.sort()
            files = [Path(parent, name) for name in sorted(names) if not name.startswith(".")]
            yield from self._read_files(files, found=True)

    def _read_files(self, files: list[Path], *, found: bool) -> Iterator[Row]:
        for event, form in dict.fromkeys(map(_event_of, files)):
            if form is None:
                self._leave_out(event, _unknown_type(event), strict=self.strict and not found)
            else:
                yield from self._read(event, form)

    def _read(self, event: Path, form: _Format) -> Iterator[Row]:
        try:
            with naming_errors(event, form.description):
                if form is not _IMAGES:
                    _check_ordinary(event, form)
                for result in form.reader(event, self.detector, self.mev_per_count):
                    if isinstance(result, SourceFileError):
                        self._leave_out(event, result, strict=self.strict)
                    else:
                        yield result | (form.truth(event) if self.truth else {})
        except SourceFileError as error:
            self._leave_out(event, error, strict=self.strict)

    def _leave_out(self, path: Path, error: SourceFileError, *, strict: bool) -> None:
        if strict:
            raise error
        self.left_out.append(LeftOut(path, error))

    def _unreadable(self, error: OSError) -> None:
        folder = Path(error.filename)
        remedy = "check its permissions"
        named = UnreadableFileError(folder, "a folder", error.strerror or str(error), remedy)
        self._leave_out(folder, named, strict=self.strict)


def read_detector_files(
    paths: Iterable[Path],
    *,
    detector: str | None = None,
    mev_per_count: float | None = None,
    strict: bool = False,
    truth: bool = True,
) -> DetectorFiles:
    """The events of files and folders as pixel-map rows, one at a time.

    Formats, told by the names: DUNE CVN (`.gz`, with `.info`), images (`<event>_<view>.png`, with
    `<event>_pid.txt`), HDF5 (`.h5`, `.hdf5`), arrays (`.npy`, `.npz`), Parquet. Files of one event count
    once, whichever of them is named. Folders are searched with all below them in sorted order; hidden files
    are passed over. Files of other types in a folder are listed as left out and never raise.

    Args:
        paths: Files and folders. Files come first.
        detector: Name of the detector; None infers it from the number, names and size of the views.
        mev_per_count: MeV of one count of 8-bit (integer) maps. Without it DUNE CVN files have their known
            scale, and other integer maps are refused. Floating-point maps are in MeV.
        strict: Raise the first error instead of going on.
        truth: Read the files that hold labels and truth beside the maps. Without, a broken one is no matter.

    Returns:
        An iterable over rows. What it had to leave out is in `left_out` once it was iterated over.

    Raises:
        UnknownDetectorError: No detector has this name.
        ValueError: `mev_per_count` is not a positive number.
    """
    if mev_per_count is not None and not (math.isfinite(mev_per_count) and mev_per_count > 0):
        raise ValueError(f"mev_per_count must be a positive number of MeV, got {mev_per_count}")
    known = None if detector is None else detector_named(detector)
    return DetectorFiles(tuple(map(Path, paths)), known, mev_per_count, strict, truth)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _event_of(file: Path) -> tuple[Path, _Format | None]:
    """The path that stands for the event a file is part of, the `.gz` of an `.info` say, and its format."""
    images = image_event(file)
    if images:
        return images, _IMAGES
    event = file.with_suffix(".gz") if file.suffix == ".info" else file
    return event, _FORMATS.get(event.suffix.lower())


def _check_ordinary(file: Path, form: _Format) -> None:
    if not file.is_file():
        got = "something else" if file.exists() else "nothing there"
        raise UnreadableFileError(file, form.description, got, "check the path")


def _unknown_type(file: Path) -> SourceFileError:
    if not os.path.lexists(file):
        return UnreadableFileError(file, "a file or folder", "nothing there", "check the path")
    expected = f"a file ending in .info, _<view>.png, _pid.txt, {', '.join(_FORMATS)}"
    return UnknownFileTypeError(file, expected, repr(file.name), "convert it to one of these formats")
