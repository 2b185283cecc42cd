"""Trees of ROOT files, some entries at a time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nuzoo.datasets_scripts.readers.source_errors import naming_errors
from nuzoo.datasets_scripts.sources.given import EXTRA, MissingReaderError

AT_ONCE = 100
"""Entries that are read together: the next one is most often asked for next."""


def open_root(path: Path) -> Any:
    """Open a ROOT file.

    Raises:
        MissingReaderError: uproot is not installed.
        SourceFileError: It is broken.
    """
    try:
        import uproot
    except ImportError as error:
        raise MissingReaderError(
            f"{path}: expected the package uproot to read a ROOT file, got none: `{EXTRA}`"
        ) from error
    with naming_errors(path, "a ROOT file"):
        return uproot.open(path)


class TreeColumns:
    """Columns of a tree.

    Args:
        path: Of the file.
        tree: Name of the tree.
        columns: Names of branches.
        optional: Of branches that there may be too.

    Raises:
        SourceFileError: The tree lacks one of them, or is broken.
    """

    def __init__(self, path: Path, tree: str, columns: Sequence[str], optional: Sequence[str] = ()) -> None:
        self.path, self.name = path, tree
        with naming_errors(path, f"a tree {tree} with {', '.join(columns)}"):
            self.tree = open_root(path)[tree]
            known = {branch.name for branch in self.tree.itervalues()} if optional else set()
            chosen = (*columns, *(column for column in optional if column in known))
            self.branches = {column: self.tree[column] for column in chosen}
            if lengths := {int(each.num_entries) for each in self.branches.values()} - {len(self)}:
                raise ValueError(f"{len(self):,} entries, and {lengths.pop():,} in a branch")
        self._first, self._held = 0, dict[str, Any]()

    def __len__(self) -> int:
        return int(self.tree.num_entries)

    def row(self, entry: int) -> dict[str, Any]:
        """Return what the columns have in an entry."""
        first = entry - entry % AT_ONCE
        with naming_errors(f"{self.path}#{entry}", f"an entry of the tree {self.name}"):
            if not self._held or first != self._first:
                span = {"entry_start": first, "entry_stop": min(first + AT_ONCE, len(self))}
                self._held = {
                    column: branch.array(library="np", **span) for column, branch in self.branches.items()
                }
                self._first = first
            return {column: values[entry - first] for column, values in self._held.items()}


class BranchBytes:
    """What the entries of a branch have, as bytes; a basket is unpacked once.

    Args:
        branch: Of uproot.

    Raises:
        ValueError: It has not as many entries as its tree says.
    """

    def __init__(self, branch: Any) -> None:
        self._branch, self._first = branch, list(branch.entry_offsets)
        if self._first[-1] != branch.tree.num_entries:
            raise ValueError(f"{branch.tree.num_entries:,} entries, and {self._first[-1]:,} of {branch.name}")
        self._held = -1
        self._basket: Any = None

    def __getitem__(self, entry: int) -> bytes:
        number = bisect_right(self._first, entry) - 1
        if number != self._held:
            self._held, self._basket = number, self._branch.basket(number)
        place, offsets = entry - self._first[number], self._basket.byte_offsets
        if offsets is None:
            length = len(self._basket.data) // self._basket.num_entries
            offsets = range(0, len(self._basket.data) + 1, length)
        return bytes(self._basket.data[offsets[place] : offsets[place + 1]])


class SplitCollection:
    """A collection of objects of which each member has a branch of its own.

    Args:
        tree: Of uproot.
        name: Of the collection's branch, which counts its objects.
        members: Those that are read.

    Raises:
        KeyError: There is no such branch.
    """

    def __init__(self, tree: Any, name: str, members: Sequence[str]) -> None:
        self._counts = BranchBytes(tree[name])
        self._members = {member: BranchBytes(tree[f"{name}.{member}"]) for member in members}

    def __getitem__(self, entry: int) -> tuple[int, dict[str, bytes]]:
        """Return how many objects an entry has, and the bytes of their members."""
        count = int.from_bytes(self._counts[entry], "big")
        return count, {member: held[entry] for member, held in self._members.items()}
