"""Read files of detector events, whatever their format, and go on past those that are broken."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.arrays import read_npy, read_npz
from nuzoo.datasets_scripts.readers.dense_maps import MapDetector, map_detectors
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
from nuzoo.simulation.detectors import find_detector
from nuzoo.simulation.errors import UnknownDetectorError

Reader = Callable[[Path, MapDetector | None, float | None], Iterator[Row | SourceFileError]]
"""Reads one file, or the event of several files.

It takes the path; the detector whose events these are, None for the known one of this shape or these names of
views; and the MeV of one count of integers, None where that is not known. It yields a row for each event, or
the error of an event that is broken, and raises a `SourceFileError` where the file is broken as a whole.
"""


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
    """A file, or an event of one, that could not be read, and why."""

    path: Path
    error: SourceFileError


class DetectorFiles:
    """The events of files and folders as pixel-map rows, read one at a time while iterating.

    Formats, told by the names: DUNE CVN (`.gz`, with `.info`), images (`<event>_<view>.png`, with
    `<event>_pid.txt`), HDF5 (`.h5`, `.hdf5`), arrays (`.npy`, `.npz`), Parquet. Files of one event count
    once, whichever of them is named. Folders are searched with all below them in sorted order; hidden files
    are passed over. Files of other types in a folder are listed as left out and never raise.

    Args:
        paths: Files and folders. Files come first.
        detector: Name of the detector, or the file that describes it; None infers it, file by file, from the
            number, names and size of the views.
        mev_per_count: MeV of one count of 8-bit (integer) maps. Without it DUNE CVN files have their known
            scale, and other integer maps are refused. Floating-point maps are in MeV.
        strict: Raise the first error instead of leaving the event out.
        truth: Read the files that hold labels and truth beside the maps. Without, a broken one is no matter.

    Attributes:
        left_out: What the last iteration left out.

    Raises:
        UnknownDetectorError: No detector with pixel maps has this name.
        ValueError: `mev_per_count` is not a positive number.
    """

    def __init__(
        self,
        paths: Iterable[Path],
        *,
        detector: str | None = None,
        mev_per_count: float | None = None,
        strict: bool = False,
        truth: bool = True,
    ) -> None:
        if mev_per_count is not None and not (math.isfinite(mev_per_count) and mev_per_count > 0):
            raise ValueError(f"mev_per_count must be a positive number of MeV, got {mev_per_count}")
        self.paths, self.strict, self.truth = [*map(Path, paths)], strict, truth
        self.detector = None if detector is None else find_detector(detector)
        self.mev_per_count = mev_per_count
        if mev_per_count is None and self.detector is not None:
            self.mev_per_count = getattr(self.detector.readout, "mev_per_count", None)
        self.left_out: list[LeftOut] = []
        if self.detector is not None and self.detector not in map_detectors():
            names = ", ".join(each.name for each in map_detectors())
            raise UnknownDetectorError(f"detector: expected one with pixel maps ({names}), got {detector!r}")

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


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _event_of(file: Path) -> tuple[Path, _Format | None]:
    """Return the path that stands for the event of a file (the `.gz` of an `.info`), and its format."""
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
