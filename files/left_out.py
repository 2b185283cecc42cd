"""What a command left out: a line for each reason at the end, and all of it in a file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self, TextIO

from nuzoo.files.names import LEFT_OUT_FILE
from nuzoo.files.plain_text import printable

NAMES_SHOWN = 3
REASONS_SHOWN = 10
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
"""Reasons that differ in their numbers alone are one reason."""


@dataclass(frozen=True)
class Omission:
    """Something that was left out.

    Attributes:
        file: Where it is.
        event: Which event of the file; empty where the file as a whole is meant.
        reason: What was expected, what came, how to mend it.
    """

    file: str
    event: str
    reason: str

    @property
    def name(self) -> str:
        """File and event in one."""
        return f"{self.file}#{self.event}" if self.event else self.file

    @classmethod
    def of(cls, source: object, error: Exception) -> Omission:
        """Take from an error what it says beside the place: `source`, a file, or `source#event`."""
        file, where = str(source), str(getattr(error, "file", source))
        reason = " ".join(str(error).removeprefix(where).lstrip(":, ").split())
        if where.startswith(f"{file}#"):
            return cls(file, where.removeprefix(f"{file}#"), reason)
        return cls(where, "", reason)

    @classmethod
    def of_row(cls, source: str, reason: str) -> Omission:
        """Take a row by what its column `source` says: a file, or `file#number`."""
        file, _, number = source.rpartition("#")
        return cls(file, number, reason) if file and number.isdecimal() else cls(source, "", reason)


class Reasons:
    """Why things were left out: of each reason a count and the first names, whatever there is of them."""

    def __init__(self, omissions: Iterable[Omission] = ()) -> None:
        self._alike: dict[str, tuple[list[Omission], int]] = {}
        for omission in omissions:
            self.add(omission)

    def __len__(self) -> int:
        return sum(count for _, count in self._alike.values())

    def add(self, omission: Omission) -> None:
        """Count one more."""
        first, count = self._alike.setdefault(NUMBER.sub("#", omission.reason), ([], 0))
        if count < NAMES_SHOWN:
            first.append(omission)
        self._alike[NUMBER.sub("#", omission.reason)] = first, count + 1

    def told(self) -> Iterator[str]:
        """Say what was left out: a line for each reason, with a count and the first names."""
        by_number = sorted(self._alike.values(), key=lambda alike: alike[1], reverse=True)
        for first, count in by_number[:REASONS_SHOWN]:
            names = ", ".join(printable(omission.name) for omission in first)
            more = ", …" if count > len(first) else ""
            yield f"left out {count:,} ({names}{more}): {printable(first[0].reason)}"
        if hidden := by_number[REASONS_SHOWN:]:
            yield f"left out {sum(count for _, count in hidden):,} for {len(hidden)} more reasons"


def told(omissions: Iterable[Omission]) -> Iterator[str]:
    """Say what was left out: a line for each reason, with a count and the first names."""
    return Reasons(omissions).told()


class OmissionTable:
    """A table with the columns file, event and reason, written while it grows; memory does not grow with it.

    It is there once the block ends, and one of an earlier run is gone.

    Args:
        path: Of the table; its folder is there when the first row is added.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._partial = path.with_name(f".{path.name}.partial")
        self._stream: TextIO | None = None
        self._keeps_earlier = False

    def add(self, omission: Omission) -> None:
        """Write one more row."""
        if self._stream is None:
            self._stream = self._partial.open("w", encoding="utf-8", errors="backslashreplace", newline="")
            csv.writer(self._stream, lineterminator="\n").writerow(each.name for each in fields(Omission))
        csv.writer(self._stream, lineterminator="\n").writerow(asdict(omission).values())

    def keep_earlier(self) -> None:
        """Leave the table of an earlier run as it is, and none of this one."""
        self._keeps_earlier = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        if self._stream is not None:
            self._stream.close()
        if self._keeps_earlier:
            self._partial.unlink(missing_ok=True)
        elif self._stream is not None:
            self._partial.replace(self.path)
        else:
            self.path.unlink(missing_ok=True)


def omissions_beside(output: Path) -> Path:
    """Return the table of what was left out of an output file: `p.left-out.csv` of `p.csv`.

    Raises:
        ValueError: The output has the name of such a table itself.
    """
    if output.name == LEFT_OUT_FILE or output.name.endswith(f".{LEFT_OUT_FILE}"):
        raise ValueError(
            f"{output}: expected another name than that of a list of what was left out, got one ending in "
            f"{LEFT_OUT_FILE}: choose another, such as predictions{output.suffix}"
        )
    return output.with_name(f"{output.stem}.{LEFT_OUT_FILE}")


def write_omissions(path: Path, omissions: Iterable[Omission]) -> Path | None:
    """Write all that was left out as a table with the columns file, event and reason.

    Args:
        path: Of the table; one of an earlier run is replaced, or removed where nothing was left out.
        omissions: What was left out.

    Returns:
        `path`; None where nothing was left out.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with OmissionTable(path) as table:
        for omission in omissions:
            table.add(omission)
    return path if path.exists() else None
