"""Vectors of objects in ROOT files, of which uproot gives the bytes and not always the objects.

ROOT writes most of them member by member: the first member of all objects, then the second of all, and so on
(`TStreamerInfo::WriteBufferAux` of ROOT). Those in a map that it does not split it writes object by object.
Which members a class has is in the file itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

HAS_BYTE_COUNT, IS_MEMBERWISE, IS_REFERENCED = 0x4000_0000, 0x4000, 1 << 4
"""Bits of a byte count, of a version and of a `TObject`."""

BASIC = {
    **{1: "i1", 2: ">i2", 3: ">i4", 4: ">i8", 5: ">f4", 6: ">i4", 8: ">f8"},
    **{11: "u1", 12: ">u2", 13: ">u4", 14: ">u8", 16: ">i8", 17: ">u8", 18: "?"},
}
"""Numbers by `TVirtualStreamerInfo::EReadWrite`."""

TOBJECT = np.dtype([("version", ">u2"), ("fUniqueID", ">u4"), ("fBits", ">u4")])

Columns = dict[str, Any]
"""The members of the objects of a vector, by name; empty where there are none.

Numbers are arrays (n,), objects structured arrays (n,), texts lists of n, lists of whole numbers `Ragged`,
vectors of objects lists of n `Columns`.
"""


@dataclass(frozen=True)
class Ragged:
    """Lists of whole numbers, joined.

    Attributes:
        lengths: int64 (n,), of each list.
        values: int32, of all of them.
    """

    lengths: NDArray[np.int64]
    values: NDArray[np.int32]

    def least(self, missing: int) -> NDArray[np.int64]:
        """Return the least number of each list that is not negative, and `missing` where there is none."""
        found = np.full(len(self.lengths), missing, np.int64)
        some, start = self.lengths > 0, np.cumsum(self.lengths) - self.lengths
        if some.any():
            known = np.where(self.values >= 0, self.values, NO_NUMBER)
            found[some] = np.minimum.reduceat(known, start[some])
        return np.where(found == NO_NUMBER, missing, found)


BASE, TEXTS, INTEGERS = "BASE", ("string", "std::string"), "vector<int>"

NO_NUMBER = np.iinfo(np.int32).max

MOST_KEYS = 1 << 16

_VECTOR = re.compile(r"(?:std::)?vector<\s*(.+?)\s*>$")


class _Member(NamedTuple):
    """A member of a class: its name, its type, the numbers or the class of a vector that it is."""

    name: str
    kind: str
    number: str | None
    objects: str | None

    @classmethod
    def of(cls, element: Any) -> _Member:
        vector = _VECTOR.match(element.typename)
        return cls(
            element.name, element.typename, BASIC.get(element.member("fType")), vector[1] if vector else None
        )


class RootObjects:
    """Reads what the classes of a file describe.

    Args:
        file: Of uproot.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._described = cache(self._describe)
        self._layout = cache(self._build_layout)

    def vectors(self, content: bytes, of: str, count: int) -> list[Columns]:
        """Read vectors of objects of a class.

        Args:
            content: Of one entry of their branch.
            of: The class.
            count: So many vectors.

        Raises:
            EOFError: The content ends early.
            ValueError: It is written otherwise.
        """
        source = _Source(content)
        found = self._vectors(source, of, count)
        source.expect_end()
        return found

    def vectors_of_map(self, content: bytes, of: str) -> list[tuple[str, Columns]]:
        """Read the vectors of a map from texts, object by object, as `vectors` does, with their keys."""
        source = _Source(content)
        with source.part() as version:
            if version & IS_MEMBERWISE:
                raise ValueError(f"a map to vectors of {of} that is written member by member")
            found = []
            if (keys := source.number(">i4")) > MOST_KEYS:
                raise ValueError(f"a map of {keys:,} keys")
            for _ in range(keys):
                key = source.text()
                found.append((key, self._sequence(source, of, source.number(">i4"))))
        source.expect_end()
        return found

    def objects(self, content: bytes, of: str, count: int) -> NDArray[np.void]:
        """Read objects of a class whose members are numbers and such objects, as `vectors` does."""
        source = _Source(content)
        found = self._fixed(source, of, count)
        source.expect_end()
        return found

    def texts(self, content: bytes, count: int) -> list[str]:
        """Read texts, as `vectors` does."""
        source = _Source(content)
        found = _texts(source, count)
        source.expect_end()
        return found

    def _vectors(self, source: _Source, of: str, count: int) -> list[Columns]:
        with source.part() as version:
            if not version & IS_MEMBERWISE:
                raise ValueError(f"vectors of {of} that are written object by object")
            members = self._members(of, source.version() or "max")
            return [self._columns(source, members, source.number(">i4")) for _ in range(count)]

    def _columns(self, source: _Source, members: tuple[_Member, ...], count: int) -> Columns:
        if not count:
            return {}
        return {member.name: self._member(source, member, count) for member in members}

    def _member(self, source: _Source, member: _Member, count: int) -> Any:
        if member.kind == BASE:
            return self._base(source, member.name, count)
        if member.kind in TEXTS:
            return _texts(source, count)
        if member.kind == INTEGERS:
            return _integers(source, count)
        if member.objects:
            return self._vectors(source, member.objects, count)
        if member.number:
            return source.array(member.number, count)
        return self._fixed(source, member.kind, count)

    def _base(self, source: _Source, name: str, count: int) -> NDArray[np.void]:
        if name != "TObject":
            raise ValueError(f"objects with a base {name}")
        return _checked(source.array(TOBJECT, count))

    def _fixed(self, source: _Source, name: str, count: int) -> NDArray[np.void]:
        layout = self._layout(name, 0)
        return _checked(np.frombuffer(source.take(count * layout.itemsize), layout))

    def _sequence(self, source: _Source, of: str, count: int) -> Columns:
        """Read objects one after another; those of one size, which have lists of one length, at once."""
        if not count:
            return {}
        start, size = source.extents(count)
        shortest = self._layout(of, 0).itemsize
        groups = []
        for each in np.unique(size):
            length, rest = divmod(int(each) - shortest, 4)
            if rest or length < 0:
                raise ValueError(f"an object of {of} of {each} bytes")
            chosen = np.flatnonzero(size == each)
            objects = np.frombuffer(source.gathered(start[chosen], int(each)), self._layout(of, length))
            groups.append((chosen, _checked(objects)))
        return _merged(groups, count)

    def _members(self, name: str, version: int | str) -> tuple[_Member, ...]:
        described = self._described(name, version)
        if isinstance(described, str):
            raise ValueError(described)
        return described

    def _describe(self, name: str, version: int | str) -> tuple[_Member, ...] | str:
        """Return the members of a class, or why they are not known: a damaged file is asked once."""
        try:
            described = self._file.streamer_named(name, version)
        except Exception as error:  # whatever uproot makes of a damaged description
            return f"a description of {name} that cannot be read ({type(error).__name__})"
        if described is None:
            return f"no description of {name} (version {version})"
        return tuple(_Member.of(each) for each in described.elements)

    def _build_layout(self, name: str, length: int) -> np.dtype[np.void]:
        """Return how an object lies in a file that has `length` numbers in each of its lists of them."""
        fields: list[tuple[str, Any]] = [("bytes", ">u4"), ("version", ">u2")]
        for member in self._members(name, "max"):
            if member.kind == BASE and member.name == "TObject":
                fields.append(("TObject", TOBJECT))
            elif member.kind == INTEGERS:
                fields.append((member.name, [*fields[:2], ("length", ">i4"), ("values", ">i4", (length,))]))
            else:
                fields.append((member.name, member.number or self._layout(member.kind, 0)))
        return np.dtype(fields)


class _Source:
    """Bytes, read one after another."""

    def __init__(self, content: bytes) -> None:
        self._content, self._at = memoryview(content), 0

    def take(self, length: int) -> memoryview:
        if length < 0 or self._at + length > len(self._content):
            left = len(self._content) - self._at
            raise EOFError(f"unexpected end: {length:,} bytes expected, {left:,} left")
        self._at += length
        return self._content[self._at - length : self._at]

    def peek(self, length: int) -> memoryview:
        """Return so many bytes, or what is left, and stay."""
        return self._content[self._at : self._at + max(length, 0)]

    def array(self, dtype: DTypeLike, count: int) -> NDArray[Any]:
        found = np.dtype(dtype)
        return np.frombuffer(self.take(count * found.itemsize), found)

    def number(self, dtype: str) -> int:
        return int(self.array(dtype, 1)[0])

    def text(self) -> str:
        length = self.number("u1")
        return str(self.take(self.number(">i4") if length == 255 else length), "utf-8", "replace")

    def extents(self, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Pass over objects, and return where each begins and how many bytes it has."""
        first = 4 + int.from_bytes(self.peek(4), "big") - HAS_BYTE_COUNT
        block = self.peek(count * first)
        if first > 4 and len(block) == count * first:
            counts = np.frombuffer(block, [("bytes", ">u4"), ("rest", f"V{first - 4}")])
            if (counts["bytes"] == HAS_BYTE_COUNT + first - 4).all():
                start = self._at + first * np.arange(count)
                self.take(len(block))
                return start, np.full(count, first)
        start, size = np.empty(count, np.int64), np.empty(count, np.int64)
        for row in range(count):
            start[row] = self._at
            self.take(self.number(">u4") - HAS_BYTE_COUNT)
            size[row] = self._at - start[row]
        return start, size

    def gathered(self, start: NDArray[np.int64], size: int) -> memoryview | bytes:
        """Return objects of one size, one after another."""
        if len(start) * size == start[-1] + size - start[0]:
            return self._content[start[0] : start[-1] + size]
        return b"".join(self._content[each : each + size] for each in start.tolist())

    def version(self) -> int:
        """Read the version of a class; 0, and a checksum, of those that have none."""
        version = self.number(">u2")
        if not version:
            self.number(">u4")
        return version

    @contextmanager
    def part(self) -> Iterator[int]:
        """Read what has a byte count and a version, which is given."""
        count = self.number(">u4")
        if not count & HAS_BYTE_COUNT:
            raise ValueError("a version without a byte count")
        end = self._at + count - HAS_BYTE_COUNT
        yield self.number(">u2")
        if self._at != end:
            raise ValueError(f"a part that ends {self._at - end:+,} bytes off")

    def expect_end(self) -> None:
        if left := len(self._content) - self._at:
            raise ValueError(f"{left:,} bytes more than expected")


def _checked(objects: NDArray[np.void]) -> NDArray[np.void]:
    """Refuse objects, or objects in them, that lie in the file in another way."""
    layout = objects.dtype
    if "bytes" in (layout.names or ()) and (objects["bytes"] != HAS_BYTE_COUNT + layout.itemsize - 4).any():
        raise ValueError(f"objects of another size than {layout.itemsize} bytes")
    if "fBits" in (layout.names or ()) and (objects["fBits"] & IS_REFERENCED).any():
        raise ValueError("objects that others refer to")
    if "length" in (layout.names or ()) and (objects["length"] != objects["values"].shape[1]).any():
        raise ValueError("lists of another length than they have room for")
    for name in layout.names or ():
        if layout[name].names:
            _checked(objects[name])
    return objects


def _merged(groups: list[tuple[NDArray[np.int64], NDArray[np.void]]], count: int) -> Columns:
    """Put groups of objects, with the places of each, into one order."""
    columns: Columns = {}
    for name in groups[0][1].dtype.names or ():
        parts = [(chosen, objects[name]) for chosen, objects in groups]
        if "values" in (parts[0][1].dtype.names or ()):
            columns[name] = _merged_lists(parts, count)
        elif len(parts) == 1:
            columns[name] = parts[0][1]
        else:
            columns[name] = np.empty(count, parts[0][1].dtype)
            for chosen, values in parts:
                columns[name][chosen] = values
    return columns


def _merged_lists(parts: list[tuple[NDArray[np.int64], NDArray[np.void]]], count: int) -> Ragged:
    lengths = np.zeros(count, np.int64)
    for chosen, lists in parts:
        lengths[chosen] = lists["values"].shape[1]
    start = np.cumsum(lengths) - lengths
    joined = np.empty(lengths.sum(), np.int32)
    for chosen, lists in parts:
        joined[start[chosen][:, None] + np.arange(lists["values"].shape[1])] = lists["values"]
    return Ragged(lengths, joined)


def _texts(source: _Source, count: int) -> list[str]:
    if not count:
        return []
    with source.part():
        return [source.text() for _ in range(count)]


def _integers(source: _Source, count: int) -> Ragged:
    """Read lists; most often all are as long as the first, and then read at once."""
    with source.part():
        start = source.peek(4)
        length = int.from_bytes(start, "big")
        block = source.peek(4 * count * (1 + length))
        if len(start) == 4 and len(block) == 4 * count * (1 + length):
            rows = np.frombuffer(block, ">i4").reshape(count, 1 + length)
            if (rows[:, 0] == length).all():
                source.take(len(block))
                return Ragged(np.full(count, length), rows[:, 1:].ravel())
        each = [source.array(">i4", source.number(">i4")) for _ in range(count)]
        return Ragged(np.array([len(values) for values in each]), np.concatenate(each))
