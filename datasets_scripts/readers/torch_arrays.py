"""Arrays that `torch.save` wrote, read without torch: a dict of NumPy arrays of numbers, and nothing else.

A pickle names functions to call. Here it gets functions of our own, which make arrays out of bytes and no
more, whatever it asks for; any other name ends the reading before anything is called.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.readers.arrays import UNPACKED, read_whole
from nuzoo.datasets_scripts.readers.source_errors import (
    HostilePickleError,
    NotThisFormatError,
    ObjectArrayError,
    TooLargeError,
    TruncatedFileError,
)

LARGEST = 256 << 20
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_HEAD = 3
"""Pickles before the object in a file of old: a magic number, a version, and sizes of C types."""
_NUMBERS = "biuf"
_NUMPY = ("numpy.core.multiarray", "numpy._core.multiarray")
_ALLOWED = "a dict of NumPy arrays of numbers and nothing else"


class _Dtype:
    """What a pickle says of the type of an array."""

    def __init__(self, code: object, *_: object) -> None:
        self.dtype = np.dtype(code) if isinstance(code, str) else np.dtype(object)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """An array of a pickle, made of its bytes alone."""

    def __init__(self, *_: object) -> None:
        self.values: NDArray[Any] = np.empty(0)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, is_fortran, data = state
        if not isinstance(kind, _Dtype) or kind.dtype.kind not in _NUMBERS or not isinstance(data, bytes):
            raise TypeError("an array of Python objects")
        flat = np.frombuffer(data, kind.dtype)
        self.values = flat.reshape(shape, order="F") if is_fortran else flat.reshape(shape)


class _Maker:
    """What a name in a pickle stands for: it may be called, and not changed."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *args: object) -> Any:
        return self._make(*args)

    def __setstate__(self, state: object) -> None:
        raise TypeError("a change of what arrays are made with")


def _never(*_: object) -> None:
    raise TypeError("a call of numpy.ndarray")


def _bytes_of(text: str, encoding: str) -> bytes:
    """Return the bytes that old pickles store as text."""
    return text.encode("latin1" if encoding == "latin1" else "ascii")


def _no_bytes() -> bytes:
    """Return what old pickles store of an empty array."""
    return b""


_NAMES: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _Maker(_never),
    ("numpy", "dtype"): _Maker(_Dtype),
    ("_codecs", "encode"): _Maker(_bytes_of),
    ("__builtin__", "bytes"): _Maker(_no_bytes),
    **{(module, "_reconstruct"): _Maker(_Array) for module in _NUMPY},
}


class _ArraysOnly(pickle.Unpickler):
    def __init__(self, file: Path, stream: IO[bytes]) -> None:
        super().__init__(stream)
        self.path = file

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a name; refuse all others."""
        if (module, name) not in _NAMES:
            remedy = "do not load it with anything else either, unless you know who made it"
            raise HostilePickleError(self.path, _ALLOWED, f"a call of {module}.{name}", remedy)
        return _NAMES[module, name]

    def persistent_load(self, pid: object) -> Any:
        """Refuse tensors, whose numbers lie in other files."""
        raise NotThisFormatError(self.path, _ALLOWED, "tensors", "save tensor.numpy() instead")


def read_torch_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """Read a dict of arrays.

    Args:
        file: Of `torch.save`, as a zip archive or as it was before version 1.6.

    Returns:
        The arrays by name.

    Raises:
        HostilePickleError: It asks for anything else than arrays; nothing of it was run.
        SourceFileError: It holds something else, is not whole, or too large.
    """
    if file.stat().st_size > LARGEST:
        raise TooLargeError(file, f"at most {LARGEST} bytes", f"{file.stat().st_size}", "one event a file")
    with file.open("rb") as stream:
        is_archive = stream.read(4) == b"PK\x03\x04"
    loaded = _of_archive(file) if is_archive else _of_old(file, io.BytesIO(file.read_bytes()))
    if not isinstance(loaded, dict) or not all(isinstance(name, str) for name in loaded):
        remedy = "save a dict of arrays by name"
        raise NotThisFormatError(file, _ALLOWED, type(loaded).__name__.lstrip("_"), remedy)
    for name, array in loaded.items():
        if not isinstance(array, _Array):
            remedy = "save it as an array of numbers"
            raise NotThisFormatError(file, _ALLOWED, f"{type(array).__name__} called {name!r}", remedy)
    return {name: array.values for name, array in loaded.items()}


def _of_archive(file: Path) -> Any:
    try:
        with zipfile.ZipFile(file) as archive:
            member = next((each for each in archive.infolist() if each.filename.endswith("data.pkl")), None)
            if member is None:
                raise NotThisFormatError(
                    file, "data.pkl, as torch.save writes", "another archive", "check what it is"
                )
            if member.file_size > LARGEST:
                raise TooLargeError(
                    file, f"at most {LARGEST} bytes", f"{member.file_size}", "one event a file"
                )
            if member.compress_type not in UNPACKED:
                got = f"compression {member.compress_type}"
                raise NotThisFormatError(
                    file, "data.pkl as torch.save stores it", got, "save it with torch.save"
                )
            with archive.open(member) as stream:
                return _load(file, io.BytesIO(read_whole(stream, member.file_size)))
    except zipfile.BadZipFile as error:
        raise TruncatedFileError(
            file, "a whole archive of torch.save", str(error), "copy or download it again"
        ) from error


def _of_old(file: Path, stream: io.BytesIO) -> Any:
    first = _load(file, stream)
    if first != _LEGACY_MAGIC:
        remedy = "check that the file is what its name says"
        raise NotThisFormatError(file, "a file of torch.save", f"a pickle of {type(first).__name__}", remedy)
    for _ in range(_LEGACY_HEAD - 1):
        _load(file, stream)
    return _load(file, stream)


def _load(file: Path, stream: io.BytesIO) -> Any:
    """Load one pickle, and go on to the next."""
    try:
        return _ArraysOnly(file, io.BytesIO(_checked(stream))).load()
    except (EOFError, pickle.UnpicklingError) as error:
        got = str(error) or "its end"
        raise TruncatedFileError(file, "a whole pickle", got, "copy or download it again") from error
    except TypeError as error:
        remedy = "save arrays of numbers"
        raise ObjectArrayError(file, _ALLOWED, str(error).partition("\n")[0], remedy) from error


def _checked(stream: io.BytesIO) -> bytes:
    """Return one pickle that is whole: unpickling makes room for all lengths and numbers that it names.

    Raises:
        pickle.UnpicklingError: It ends early, or remembers something under a number that it cannot need.
    """
    begin = stream.tell()
    try:
        for step, argument, place in pickletools.genops(stream):
            if step.name.endswith("PUT") and int(argument or 0) > (place or 0) - begin:
                raise pickle.UnpicklingError(f"number {argument} for one of fewer objects")
    except ValueError as error:
        raise pickle.UnpicklingError(str(error).partition("\n")[0]) from error
    end = stream.tell()
    stream.seek(begin)
    return stream.read(end - begin)
