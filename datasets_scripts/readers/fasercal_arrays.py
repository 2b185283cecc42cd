"""The arrays of one event of FASERCal, taken from the bytes of its `.npz` without unpickling anything."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from nuzoo.datasets_scripts.readers.source_errors import (
    NotThisFormatError,
    ObjectArrayError,
    TooLargeError,
    TruncatedFileError,
)

LARGEST_FILE = 256 << 20
LARGEST_ARRAY = 512 << 20
UNUSED = ("seg_labels",)
"""Arrays of older files that nothing reads."""
_HEADERS = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}

Arrays = dict[str, NDArray[Any]]


def arrays_of(where: Path | str, content: bytes) -> Arrays:
    """Return the arrays of an event by name.

    Args:
        where: The file, for messages.
        content: Its bytes.

    Raises:
        NotThisFormatError: No archive of arrays.
        TruncatedFileError: It ends early, or is damaged.
        ObjectArrayError: An array of Python objects.
        TooLargeError: An array that unpacks to more than an event can hold.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            kept = {name.removesuffix(".npy"): archive.getinfo(name) for name in names}
            return {
                name: _read(where, name, archive, member)
                for name, member in kept.items()
                if name not in UNUSED
            }
    except (zipfile.BadZipFile, EOFError) as error:
        remedy = "copy or download the file again"
        if content[:2] == b"PK":
            raise TruncatedFileError(where, "a whole .npz archive", str(error), remedy) from error
        raise NotThisFormatError(where, "an .npz archive", str(error), remedy) from error


def _read(where: Path | str, name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
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
        if max(size, there) > LARGEST_ARRAY:
            expected = f"{name!r} of at most {LARGEST_ARRAY} bytes"
            raise TooLargeError(where, expected, f"{max(size, there)}", "check the file")
        values = stream.read()
    if len(values) != size:
        expected = f"{size} bytes of {name!r} of shape {shape}"
        raise TruncatedFileError(where, expected, str(len(values)), "copy or make the file again")
    array = np.frombuffer(values, dtype)
    return array.reshape(shape[::-1]).T if fortran_order else array.reshape(shape)
