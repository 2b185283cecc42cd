"""What a command left out: a line for each reason at the end, and all of it in a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from nuzoo.files.atomic import write_atomically

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
        """Take from an error what it says beside the place, which is `source`: a file, or `file#event`."""
        where = str(getattr(error, "file", source))
        reason = " ".join(str(error).removeprefix(where).lstrip(":, ").split())
        file, _, event = where.rpartition("#")
        return cls(file, event, reason) if file else cls(where, "", reason)


def told(omissions: Sequence[Omission]) -> Iterator[str]:
    """Say what was left out: a line for each reason, with a count and the first names."""
    reasons: dict[str, list[Omission]] = {}
    for omission in omissions:
        reasons.setdefault(NUMBER.sub("#", omission.reason), []).append(omission)
    by_number = sorted(reasons.values(), key=len, reverse=True)
    for alike in by_number[:REASONS_SHOWN]:
        names = ", ".join(omission.name for omission in alike[:NAMES_SHOWN])
        more = ", …" if len(alike) > NAMES_SHOWN else ""
        yield f"left out {len(alike):,} ({names}{more}): {alike[0].reason}"
    if hidden := by_number[REASONS_SHOWN:]:
        yield f"left out {sum(map(len, hidden)):,} for {len(hidden)} more reasons"


def write_omissions(path: Path, omissions: Iterable[Omission]) -> Path | None:
    """Write all that was left out as a table with the columns file, event and reason.

    Args:
        path: Of the table; one of an earlier run is replaced, or removed where nothing was left out.
        omissions: What was left out.

    Returns:
        `path`; None where nothing was left out.
    """
    rows = [asdict(omission) for omission in omissions]
    if not rows:
        path.unlink(missing_ok=True)
        return None
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, [field.name for field in fields(Omission)], lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.getvalue())
    return path
