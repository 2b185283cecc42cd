"""NumPy files: `.npy` with the maps, `.npz` with `images` and, where known, `pids` and `event_id`."""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.dense_maps import check_numbers, dense_file
from nuzoo.datasets_scripts.readers.known_files import Contents, Described, without_images
from nuzoo.datasets_scripts.readers.labels import (
    NAMES_OF_LABELS,
    LabelColumn,
    label_column,
    labels_in,
    texts_of,
)
from nuzoo.datasets_scripts.readers.reading import Reading
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    NotThisFormatError,
    ObjectArrayError,
    SourceFileError,
    TooLargeError,
    TruncatedFileError,
)

_LARGEST_COLUMN = 64 << 20
_LISTED = 200
UNPACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Compressions of which no more is unpacked than is asked for."""
_READ_HEADER = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}


@dataclass(frozen=True)
class _Array:
    """An array in a stream that stands at its first byte."""

    stream: IO[bytes]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read_npy(file: Path, reading: Reading) -> Iterator[Row | SourceFileError]:
    """Read the events of one `.npy`: (events, views, rows, columns), or (views, rows, columns) of one event.

    Floating-point numbers are MeV, integers are counts. Nothing is unpickled, events are read one by one.
    """
    with file.open("rb") as stream:
        images = _open_array(file, stream, os.fstat(stream.fileno()).st_size)
        yield from _rows(file, images, reading)


def read_npz(file: Path, reading: Reading) -> Iterator[Row | SourceFileError]:
    """Read the events of one `.npz`: `images` as in a `.npy`; optional `pids` or `labels`, and `event_id`.

    `label_names` says what the numbers of `labels` count. The checksum of the maps stands at their end: of a
    damaged archive, events may come before its error. Archives of OPERA and of Wire-Cell's frames are known
    by what they hold, see `opera` and `wirecell`.
    """
    with open_archive(file) as archive:
        if (read_other := _reader_of(archive)) is not None:
            yield from read_other(file, archive, reading)
            return
        member = _member(file, archive, ("images",))
        if member is None:
            raise without_images(file, described_archive(file, archive))
        event_ids, column = array_in(file, archive, ("event_id",)), _labels(file, archive, reading)
        with archive.open(member) as stream:
            images = _open_array(file, stream, member.file_size)
            yield from _rows(file, images, reading, column, event_ids)


def _reader_of(
    archive: zipfile.ZipFile,
) -> Callable[[Path, zipfile.ZipFile, Reading], Iterator[Row | SourceFileError]] | None:
    """Return what reads an archive of an experiment, None where it holds maps or something else."""
    from nuzoo.datasets_scripts.readers import opera, wirecell

    members = archive.namelist()
    if f"{opera.HITS}.npy" in members:
        return opera.read_opera
    return wirecell.read_frame_zip if wirecell.is_frames(members) else None


def names_in_npz(file: Path) -> tuple[str, ...]:
    """Return the names of the classes that an archive declares, none where it declares none."""
    from nuzoo.datasets_scripts.readers import opera

    with open_archive(file) as archive:
        names = texts_of(array_in(file, archive, NAMES_OF_LABELS))
        return opera.classes_of(names) if f"{opera.HITS}.npy" in archive.namelist() else names


def _labels(file: Path, archive: zipfile.ZipFile, reading: Reading) -> LabelColumn | None:
    called = labels_in(file, {name.removesuffix(".npy") for name in archive.namelist()}, reading)
    try:
        labels, names = (array_in(file, archive, known) for known in ((called,), NAMES_OF_LABELS))
    except SourceFileError as error:
        reading.go_without(error)
        return None
    return None if labels is None else label_column(called, labels, names)


def described_archive(file: Path, archive: zipfile.ZipFile) -> Contents:
    """Return shape and type of the arrays of an archive, by their names; see `known_files`."""
    found: Contents = {}
    for member in archive.infolist()[:_LISTED]:
        name = member.filename.removesuffix(".npy")
        found[name] = Described((), "")
        if name != member.filename:
            with archive.open(member) as stream:
                version = npy_format.read_magic(stream)
                shape, _, dtype = _READ_HEADER[version](stream)
                found[name] = Described(shape, str(dtype))
    return found


def open_archive(file: Path) -> zipfile.ZipFile:
    """Open an archive of arrays.

    Raises:
        TruncatedFileError: It does not end as one.
        NotThisFormatError: It is none.
    """
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
    if member.compress_type not in UNPACKED:
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


def array_in(file: Path, archive: zipfile.ZipFile, names: tuple[str, ...]) -> NDArray[Any] | None:
    """Return the first array of some names that an archive has, None if it has none.

    Raises:
        ObjectArrayError: It holds Python objects.
        SourceFileError: It is too large, or not whole.
    """
    member = _member(file, archive, names)
    if member is None:
        return None
    if member.file_size > _LARGEST_COLUMN:
        expected = f"{member.filename!r} of at most {_LARGEST_COLUMN} bytes"
        raise TooLargeError(
            file, expected, f"{member.file_size} bytes", "save one short value for each event"
        )
    with archive.open(member) as stream:
        try:
            array = _open_array(file, stream, member.file_size)
        except ObjectArrayError as error:
            remedy = f"save {member.filename!r} as text or whole numbers (dtype=str or int), or leave it out"
            raise ObjectArrayError(file, f"{member.filename!r} without objects", error.got, remedy) from error
        return np.frombuffer(
            read_whole(stream, math.prod(array.shape) * array.dtype.itemsize), array.dtype
        ).reshape(array.shape or 1)


def read_whole(stream: IO[bytes], size: int) -> bytes:
    """Read a member of an archive to its end at `size`, and not a byte more, whatever it unpacks to."""
    values = stream.read(size)
    stream.read(1)  # the checksum stands behind the last byte
    return values


def _rows(
    file: Path,
    images: _Array,
    reading: Reading,
    labels: LabelColumn | None = None,
    event_ids: NDArray[Any] | None = None,
) -> Iterator[Row | SourceFileError]:
    check_numbers(file, images.dtype)
    if len(images.shape) not in (3, 4):
        remedy = "save the maps as (events, views, rows, columns)"
        raise ArraySizeError(file, "maps with 3 or 4 axes", f"shape {images.shape}", remedy)
    shape = images.shape if len(images.shape) == 4 else (1, *images.shape)
    events = dense_file(file, shape, images.dtype, reading, labels=labels, event_ids=event_ids)
    size = math.prod(shape[1:]) * images.dtype.itemsize
    for index in range(shape[0]):
        maps = np.frombuffer(images.stream.read(size), images.dtype).reshape(1, *shape[1:])
        yield from events.rows(index, maps)
