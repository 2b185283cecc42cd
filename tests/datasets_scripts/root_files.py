"""Writes ROOT files with a tree of a split object, as ROOT lays them out: uproot writes none.

After the streamers of ROOT's `TFile`, `TStreamerInfo`, `TTree`, `TBranchElement` and `TBasket`; JSROOT
reads the same from them. Nothing is compressed; a branch has a basket an entry.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

BEGIN = 100
NEW_CLASS, HAS_BYTE_COUNT, MEMBERWISE, MAP_OFFSET = 0xFFFF_FFFF, 0x4000_0000, 0x4000, 2
BITS = 0x0300_0000
"""Of a `TObject` that is written."""

TOBJECT, INT, FLOAT, DOUBLE, UINT, OBJECT, STRING, STL = 66, 3, 5, 8, 13, 61, 365, 300
"""Types of members (`TVirtualStreamerInfo::EReadWrite`)."""

COLLECTION, OF_COLLECTION = 4, 41
"""Types of branches."""

STL_IN_FILES = 500
"""Type of collections in streamer infos of files."""

STREAMER_INFO = 9
"""Version of the class `TStreamerInfo`, which heads collections too."""


class Writer:
    """Bytes of objects; `at` is where they begin, from the begin of their key."""

    def __init__(self, at: int = 0) -> None:
        self.content, self._at = bytearray(), at
        self._places: dict[str, int] = {}

    def put(self, layout: str, *values) -> None:
        self.content += struct.pack(f">{layout}", *values)

    def text(self, text: str) -> None:
        encoded = text.encode()
        self.put("B", len(encoded)) if len(encoded) < 255 else self.put("Bi", 255, len(encoded))
        self.content += encoded

    @contextmanager
    def part(self, version: int) -> Iterator[None]:
        place = len(self.content)
        self.put("IH", 0, version)
        yield
        count = HAS_BYTE_COUNT | len(self.content) - place - 4
        self.content[place : place + 4] = struct.pack(">I", count)

    def tobject(self) -> None:
        self.put("HII", 1, 0, BITS)

    def named(self, name: str, title: str = "") -> None:
        with self.part(1):
            self.tobject()
            self.text(name)
            self.text(title)

    def pointer(self, of: str, write: Callable[[], None], name: str = "") -> None:
        """Write an object behind a pointer; a named one is written once, and then referred to."""
        if name in self._places:
            self.put("I", self._places[name])
            return
        place = len(self.content)
        if name:
            self._places[name] = place + self._at + MAP_OFFSET
        self.put("II", 0, NEW_CLASS)
        self.content += of.encode() + b"\0"
        write()
        count = HAS_BYTE_COUNT | len(self.content) - place - 4
        self.content[place : place + 4] = struct.pack(">I", count)

    @contextmanager
    def array(self, length: int) -> Iterator[None]:
        """Write a `TObjArray`; its objects follow."""
        with self.part(3):
            self.tobject()
            self.text("")
            self.put("ii", length, 0)
            yield


@dataclass(frozen=True)
class Member:
    """A member of a class, as its streamer info has it."""

    name: str
    kind: int
    of: str
    """Name of its type."""

    @property
    def element(self) -> str:
        others = {TOBJECT: "Base", OBJECT: "Object", STRING: "STLstring", STL: "STL"}
        return f"TStreamer{others.get(self.kind, 'BasicType')}"

    def write(self, out: Writer) -> None:
        if self.kind == STRING:
            with out.part(2):
                self._write_collection(out)
        elif self.kind == STL:
            self._write_collection(out)
        else:
            with out.part(3 if self.kind == TOBJECT else 2):
                self._write_element(out)
                if self.kind == TOBJECT:
                    out.put("i", 1)

    def _write_collection(self, out: Writer) -> None:
        with out.part(3):
            self._write_element(out)
            out.put(
                "ii", *((STRING, STRING) if self.kind == STRING else (4 if "map" in self.of else 1, OBJECT))
            )

    def _write_element(self, out: Writer) -> None:
        with out.part(4):
            out.named(self.name)
            out.put("9i", STL_IN_FILES if self.kind in (STL, STRING) else self.kind, *[0] * 8)
            out.text(self.of)


@dataclass(frozen=True)
class Class:
    """A class that a file describes."""

    name: str
    version: int
    members: tuple[Member, ...]

    def write(self, out: Writer) -> None:
        with out.part(STREAMER_INFO):
            out.named(self.name)
            out.put("Ii", 0, self.version)
            out.pointer("TObjArray", lambda: self._write_members(out))

    def _write_members(self, out: Writer) -> None:
        with out.array(len(self.members)):
            for member in self.members:
                out.pointer(member.element, partial(member.write, out))


@dataclass
class Branch:
    """A branch of a split object, with the bytes of its entries."""

    name: str
    of: str
    """The class whose member it is."""
    number: int
    """Of the member in its class."""
    kind: int
    entries: list[bytes]
    split: int = 0
    """`COLLECTION`, `OF_COLLECTION`, or neither."""
    objects: str = ""
    """Class of a collection's objects."""
    branches: list["Branch"] = field(default_factory=list)
    seeks: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    @property
    def title(self) -> str:
        collection, _, member = self.name.rpartition(".")
        if self.split == COLLECTION:
            return f"{self.name}_"
        return f"{member}[{collection}_]" if self.split == OF_COLLECTION else self.name


def write_tree(path: Path, name: str, top: Branch, classes: Sequence[Class]) -> Path:
    """Write a file with one tree, whose one branch holds an object."""
    out = _File(path.name)
    for branch in _all_of(top):
        for entry in branch.entries:
            out.add_basket(name, branch, entry)
    count = len(next(each for each in _all_of(top) if each.entries).entries)
    out.add("TTree", name, lambda writer: _write_tree(writer, name, top, count))
    out.add_streamer_infos(classes)
    path.write_bytes(out.finished())
    return path


def _all_of(branch: Branch) -> Iterator[Branch]:
    yield branch
    for each in branch.branches:
        yield from _all_of(each)


class _File:
    def __init__(self, name: str) -> None:
        self._name = name
        self.content = bytearray(BEGIN)
        self._keys: list[bytes] = []
        self._info = (0, 0)
        named = Writer()
        named.text(name)
        named.text("")
        self._head = len(self._key("TFile", name, 0, BEGIN)) + len(named.content)
        self.content += self._key("TFile", name, len(named.content) + 60, BEGIN) + named.content
        self._directory = len(self.content)
        self.content += bytes(60)

    @staticmethod
    def _key(of: str, name: str, length: int, at: int, title: str = "", more: int = 0) -> bytes:
        tail = Writer()
        for text in (of, name, title):
            tail.text(text)
        size = 26 + len(tail.content)
        numbers = (size + more + length, 4, length, 0, size + more, 1, at, BEGIN if at != BEGIN else 0)
        return struct.pack(">ihiIhhii", *numbers) + tail.content

    def add(
        self, of: str, name: str, write: Callable[[Writer], None], *, listed: bool = True
    ) -> tuple[int, int]:
        at, key = len(self.content), self._key(of, name, 0, len(self.content))
        writer = Writer(len(key))
        write(writer)
        key = self._key(of, name, len(writer.content), at)
        self.content += key + writer.content
        if listed:
            self._keys.append(key)
        return at, len(key) + len(writer.content)

    def add_basket(self, tree: str, branch: Branch, entry: bytes) -> None:
        at, more = len(self.content), 19
        head = len(self._key("TBasket", branch.name, 0, at, tree)) + more
        offsets = struct.pack(">iii", 2, head, 0)
        last = head + len(entry)
        self.content += self._key("TBasket", branch.name, len(entry) + len(offsets), at, tree, more)
        self.content += struct.pack(">HiiiiB", 3, 32000, 1000, 1, last, 0) + entry + offsets
        branch.seeks.append(at)
        branch.sizes.append(len(self.content) - at)

    def add_streamer_infos(self, classes: Sequence[Class]) -> None:
        def write(out: Writer) -> None:
            with out.part(5):
                out.tobject()
                out.text("")
                out.put("i", len(classes))
                for each in classes:
                    out.pointer("TStreamerInfo", partial(each.write, out))
                    out.text("")

        self._info = self.add("TList", "StreamerInfo", write, listed=False)

    def finished(self) -> bytes:
        def write_keys(out: Writer) -> None:
            out.put("i", len(self._keys))
            for key in self._keys:
                out.content += key

        keys, length = self.add("TFile", self._name, write_keys, listed=False)
        identity = struct.pack(">h16x", 1)
        directory = struct.pack(">hIIiiiii", 5, 0, 0, length, self._head, BEGIN, 0, keys) + identity
        self.content[self._directory : self._directory + len(directory)] = directory
        end = len(self.content)
        free, size = self.add(
            "TFile", self._name, lambda out: out.put("hii", 1, end, 2_000_000_000), listed=False
        )
        numbers = (62400, BEGIN, len(self.content), free, size, 1, self._head, 4, 0, *self._info)
        head = b"root" + struct.pack(">iiiiiiibiii", *numbers) + identity
        self.content[: len(head)] = head
        return bytes(self.content)


def _write_tree(out: Writer, name: str, top: Branch, entries: int) -> None:
    with out.part(20):
        out.named(name, "")
        with out.part(2):
            out.put("hhh", 1, 1, 1)
        with out.part(2):
            out.put("hh", 0, 1001)
        with out.part(2):
            out.put("hhf", 1, 1, 1.0)
        out.put("qqqqqd", entries, 0, 0, 0, 0, 1.0)
        out.put("iiiiIqqqqqq", 0, 25, 0, 1000, 0, 10**12, 10**12, 0, -(3 * 10**8), 0, 10**6)
        out.put("BB", 0, 0)
        _write_io_features(out)
        with out.array(1):
            _write_branch(out, top, entries, None)
        with out.array(0):
            pass
        out.put("I", 0)
        out.put("ii", 0, 0)
        out.put("IIII", 0, 0, 0, 0)


def _write_io_features(out: Writer) -> None:
    with out.part(0):
        out.put("IB", 0x1AA1_2F10, 0)


def _write_branch(out: Writer, branch: Branch, entries: int, collection: Branch | None) -> None:
    """Write a branch, or refer to it again; `collection` counts its objects."""
    out.pointer("TBranchElement", lambda: _write_new_branch(out, branch, entries, collection), branch.name)


def _write_new_branch(out: Writer, branch: Branch, entries: int, collection: Branch | None) -> None:
    baskets = len(branch.entries)
    room = max(10 - baskets, 1)
    with out.part(10):
        with out.part(13):
            out.named(branch.name, branch.title)
            with out.part(2):
                out.put("hh", 0, 1001)
            out.put("iiiiq", 0, 32000, 1000, baskets, entries)
            _write_io_features(out)
            out.put("iIiqqqq", 0, baskets + room, 0, entries, 0, 0, 0)
            with out.array(len(branch.branches)):
                for each in branch.branches:
                    below = branch if branch.split == COLLECTION else None
                    _write_branch(out, each, entries, below)
            with out.array(1 if baskets else 0):
                if baskets:
                    _write_leaf(out, branch, collection)
            with out.array(0):
                pass
            out.put(f"B{baskets + room}i", 1, *branch.sizes, *[0] * room)
            out.put(f"B{baskets + room}q", 1, *range(baskets), *[entries] * room)
            out.put(f"B{baskets + room}q", 1, *branch.seeks, *[0] * room)
            out.text("")
        for text in (branch.of, collection.objects if collection else branch.of, branch.objects):
            out.text(text)
        out.put("Ihiiii", 0, 1, branch.number, branch.split, branch.kind, 0)
        if collection:
            _write_branch(out, collection, entries, None)
        else:
            out.put("I", 0)
        out.put("I", 0)


def _write_leaf(out: Writer, branch: Branch, collection: Branch | None) -> None:
    def write() -> None:
        with out.part(1):
            with out.part(2):
                out.named(f"{branch.name}_" if branch.split == COLLECTION else branch.name, branch.title)
                out.put("iii??", 1, 4, 0, False, False)
                if collection:
                    _write_leaf(out, collection, None)
                else:
                    out.put("I", 0)
            out.put("ii", branch.number, branch.kind)

    out.pointer("TLeafElement", write, f"leaf {branch.name}")
