"""The arrays of one event of FASERCal, taken from the bytes of its `.npz` without unpickling anything."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from nuzoo.datasets_scripts.readers.arrays import UNPACKED, read_whole
from nuzoo.datasets_scripts.readers.source_errors import (
    NotThisFormatError,
    ObjectArrayError,
    TooLargeError,
    TruncatedFileError,
)

LARGEST_FILE = 256 << 20
LARGEST_EVENT = 256 << 20
"""Bytes of the arrays of one event together."""
_HEADERS = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}

Arrays = dict[str, NDArray[Any]]


def arrays_of(where: Path | str, content: bytes, used: Collection[str]) -> Arrays:
    """Return the arrays of an event by name.

    Args:
        where: The file, for messages.
        content: Its bytes.
        used: Names of the arrays that are read; others are not unpacked.

    Raises:
        NotThisFormatError: No archive of arrays.
        TruncatedFileError: It ends early, or is damaged.
        ObjectArrayError: An array of Python objects.
        TooLargeError: Arrays that unpack to more than an event can hold.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
            kept = {name: member for name, member in members.items() if name in used}
            unpacked = sum(member.file_size for member in kept.values())
            if unpacked > LARGEST_EVENT:
                expected = f"arrays of an event of at most {LARGEST_EVENT} bytes"
                raise TooLargeError(where, expected, f"{unpacked}", "check the file")
            return {name: _read(where, name, archive, member) for name, member in kept.items()}
    except (zipfile.BadZipFile, EOFError) as error:
        remedy = "copy or download the file again"
        if content[:2] == b"PK":
            raise TruncatedFileError(where, "a whole .npz archive", str(error), remedy) from error
        raise NotThisFormatError(where, "an .npz archive", str(error), remedy) from error


def _read(where: Path | str, name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    if member.compress_type not in UNPACKED:
        got = f"compression {member.compress_type} of {name!r}"
        raise NotThisFormatError(where, "arrays of NumPy", got, "save them with numpy.savez_compressed")
    with archive.open(member) as stream:
        version = npy_format.read_magic(stream)
        if version not in _HEADERS:
            got = f"version {version} of {name!r}"
            raise NotThisFormatError(where, "arrays of NumPy", got, "save them with numpy.savez_compressed")
        shape, fortran_order, dtype = _HEADERS[version](stream)
        if dtype.hasobject:
            remedy = "save it as numbers; objects are never unpickled, for they may run anything"
            raise ObjectArrayError(where, f"{name!r} of numbers", "Python objects", remedy)
        size, there = math.prod(shape) * dtype.itemsize, member.file_size - stream.tell()
        if there != size:
            expected = f"{size} bytes of {name!r} of shape {shape}"
            raise TruncatedFileError(where, expected, str(there), "copy or make the file again")
        values = read_whole(stream, size)
    array = np.frombuffer(values, dtype)
    return array.reshape(shape[::-1]).T if fortran_order else array.reshape(shape)
