"""NumPy files: `.npy` with the maps, `.npz` with `images` and, where known, `pids` and `event_id`."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.dense_maps import (
    LABEL_NAMES,
    MapDetector,
    check_per_event,
    dense_rows,
    energy_scale,
    matching_detector,
)
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    MissingViewError,
    NotThisFormatError,
    ObjectArrayError,
    SourceFileError,
    TooLargeError,
    TruncatedFileError,
)

_LARGEST_COLUMN = 64 << 20
_READ_HEADER = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}


@dataclass(frozen=True)
class _Array:
    """An array in a stream that stands at its first byte."""

    stream: IO[bytes]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read_npy(
    file: Path, detector: MapDetector | None, mev_per_count: float | None
) -> Iterator[Row | SourceFileError]:
    """Read the events of one `.npy`: (events, views, rows, columns), or (views, rows, columns) of one event.

    Floating-point numbers are MeV, integers are counts. Nothing is unpickled, events are read one by one.
    """
    with file.open("rb") as stream:
        images = _open_array(file, stream, os.fstat(stream.fileno()).st_size)
        yield from _rows(file, images, detector, mev_per_count)


def read_npz(
    file: Path, detector: MapDetector | None, mev_per_count: float | None
) -> Iterator[Row | SourceFileError]:
    """Read the events of one `.npz`: `images` as in a `.npy`; optional `pids` or `labels`, and `event_id`.

    The checksum of the maps stands at their end: of a damaged archive, events may come before its error.
    """
    with _open_archive(file) as archive:
        labels = _column(file, archive, LABEL_NAMES)
        event_ids = _column(file, archive, ("event_id",))
        member = _member(file, archive, ("images",))
        if member is None:
            got = ", ".join(archive.namelist()[:8]) or "nothing"
            raise MissingViewError(file, "an array 'images'", got, "save the maps under the name 'images'")
        with archive.open(member) as stream:
            images = _open_array(file, stream, member.file_size)
            yield from _rows(file, images, detector, mev_per_count, labels, event_ids)


def _open_archive(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        with file.open("rb") as stream:
            begins_as_archive = stream.read(2) == b"PK"
        if begins_as_archive:
            remedy = "copy or download the file again"
            raise TruncatedFileError(file, "a whole .npz archive", str(error), remedy) from error
        remedy = "check that the file is what its name says"
        raise NotThisFormatError(file, "an .npz archive", str(error), remedy) from error


def _member(file: Path, archive: zipfile.ZipFile, names: tuple[str, ...]) -> zipfile.ZipInfo | None:
    present = set(archive.namelist())
    name = next((f"{name}.npy" for name in names if f"{name}.npy" in present), None)
    if name is None:
        return None
    member = archive.getinfo(name)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        got = f"compression {member.compress_type}"
        raise NotThisFormatError(
            file, "an archive of numpy.savez", got, "save it with numpy.savez_compressed"
        )
    return member


def _open_array(file: Path, stream: IO[bytes], size: int) -> _Array:
    """Read an array's header from a stream of `size` bytes, and check that its numbers fill the rest."""
    version = npy_format.read_magic(stream)
    if version not in _READ_HEADER:
        remedy = "save it with numpy.save"
        raise NotThisFormatError(file, "a .npy header of version 1 or 2", f"version {version}", remedy)
    shape, fortran_order, dtype = _READ_HEADER[version](stream)
    if dtype.hasobject:
        raise ObjectArrayError(
            file, "an array of numbers", "Python objects", "save the maps as float32 or uint8"
        )
    if fortran_order and len(shape) > 1:
        remedy = "save numpy.ascontiguousarray(...) of it"
        raise NotThisFormatError(file, "an array in C order", "Fortran order", remedy)
    expected, got = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if got != expected:
        kind = TruncatedFileError if got < expected else TooLargeError
        remedy = "copy or make the file again"
        raise kind(file, f"{expected} bytes for shape {shape} of {dtype}", f"{got} bytes", remedy)
    return _Array(stream, shape, dtype)


def _column(file: Path, archive: zipfile.ZipFile, names: tuple[str, ...]) -> NDArray[Any] | None:
    member = _member(file, archive, names)
    if member is None:
        return None
    if member.file_size > _LARGEST_COLUMN:
        expected = f"{member.filename!r} of at most {_LARGEST_COLUMN} bytes"
        raise TooLargeError(
            file, expected, f"{member.file_size} bytes", "save one short value for each event"
        )
    with archive.open(member) as stream:
        array = _open_array(file, stream, member.file_size)
        return np.frombuffer(stream.read(), array.dtype).reshape(array.shape or 1)


def _rows(
    file: Path,
    images: _Array,
    detector: MapDetector | None,
    mev_per_count: float | None,
    labels: NDArray[Any] | None = None,
    event_ids: NDArray[Any] | None = None,
) -> Iterator[Row | SourceFileError]:
    energy_scale(file, images.dtype, mev_per_count)
    if len(images.shape) not in (3, 4):
        remedy = "save the maps as (events, views, rows, columns)"
        raise ArraySizeError(file, "maps with 3 or 4 axes", f"shape {images.shape}", remedy)
    events = images.shape[0] if len(images.shape) == 4 else 1
    shape = images.shape[-3:]
    detector = matching_detector(file, shape, detector)
    for column in (labels, event_ids):
        check_per_event(file, column, events)
    size = math.prod(shape) * images.dtype.itemsize
    for index in range(events):
        maps = np.frombuffer(images.stream.read(size), images.dtype).reshape(1, *shape)
        yield from dense_rows(file, index, maps, detector, mev_per_count, labels, event_ids)
