"""Trees of ROOT files, some entries at a time."""

from __future__ import annotations

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

    Raises:
        SourceFileError: The tree lacks one of them, or is broken.
    """

    def __init__(self, path: Path, tree: str, columns: Sequence[str]) -> None:
        self.path, self.name = path, tree
        with naming_errors(path, f"a tree {tree} with {', '.join(columns)}"):
            self.tree = open_root(path)[tree]
            self.branches = {column: self.tree[column] for column in columns}
        self._first, self._held = 0, dict[str, Any]()

    def __len__(self) -> int:
        return int(self.tree.num_entries)

    def row(self, entry: int) -> dict[str, Any]:
        """Return what the columns have in an entry."""
        first = entry - entry % AT_ONCE
        if not self._held or first != self._first:
            with naming_errors(f"{self.path}#{entry}", f"an entry of the tree {self.name}"):
                span = {"entry_start": first, "entry_stop": min(first + AT_ONCE, len(self))}
                self._held = {
                    column: branch.array(library="np", **span) for column, branch in self.branches.items()
                }
            self._first = first
        return {column: values[entry - first] for column, values in self._held.items()}
