"""What a table of events looks like, and whether one does: the one place where hits are checked.

Readers, processors, the publishing of datasets and displays all ask the same `EventSchema`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.event_errors import (
    DtypeError,
    EventError,
    MissingColumnError,
    NonFiniteError,
    OrderError,
    RangeError,
    ShapeError,
    UnitError,
)

EVENT = "event"
"""`Column.per` of a column with one entry for each event."""


@dataclass(frozen=True)
class Bound:
    """The least or the largest number of a column.

    Attributes:
        value: it is allowed itself.
        remedy: what to do about a number beyond it.
    """

    value: float
    remedy: str = "correct it, or leave the event out"


@dataclass(frozen=True)
class Column:
    """A column of a table of events.

    Attributes:
        name: of the column.
        dtype: name of a NumPy type, or "text", "picture".
        text: what it holds, for people.
        unit: of its numbers.
        per: "event", or what its lists have an entry for, such as "hit": in an event, columns of the same
            word have lists of the same length.
        low: the least number.
        high: the largest number.
        ascending: the numbers of an event rise where it is stored, each is there once.
        classes: what the numbers count.
        length: entries of each event, of a column per event that holds a short vector.
        refers: its numbers are rows of the lists of this word in the same event, or less than 0 for none.
        required: an event without it is no event; else null stands for what is not known.
        recorded: a detector records it, though an event may not have it.
    """

    name: str
    dtype: str
    text: str
    unit: str = ""
    per: str = EVENT
    low: Bound | None = None
    high: Bound | None = None
    ascending: bool = False
    classes: tuple[str, ...] = ()
    length: int = 1
    refers: str = ""
    required: bool = False
    recorded: bool = False

    @property
    def is_ragged(self) -> bool:
        """Whether it holds a list of any length for each event."""
        return self.per != EVENT

    @property
    def is_integer(self) -> bool:
        """Whether its numbers are whole."""
        return "int" in self.dtype

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers at all."""
        return self.dtype not in ("text", "picture")

    @cached_property
    def bounds(self) -> tuple[Bound | None, Bound | None]:
        """The least and the largest number; of what counts classes, those of the first and the last."""
        if not self.classes:
            return self.low, self.high
        numbered = Bound(0, f"number the classes from 0: {', '.join(self.classes)}")
        return numbered, Bound(len(self.classes) - 1, numbered.remedy)

    @cached_property
    def bounds_of_size(self) -> tuple[Bound | None, Bound | None]:
        """The least and the largest number that the type of a column of whole numbers can hold."""
        if not self.is_integer:
            return None, None
        size = np.iinfo(self.dtype)
        remedy = f"it is stored as {self.dtype}; correct it, or write null where it is not known"
        return Bound(int(size.min), remedy), Bound(int(size.max), remedy)

    @cached_property
    def span(self) -> tuple[float, float]:
        """The least and the largest number that it can hold, infinite where nothing bounds it."""
        lows, highs = zip(self.bounds, self.bounds_of_size, strict=True)
        least = max((low.value for low in lows if low), default=-math.inf)
        return least, min((high.value for high in highs if high), default=math.inf)

    def holds(self, value: Any) -> bool:
        """Whether a value is a plain number that can stand here; `check_numbers` says what is wrong."""
        low, high = self.span
        kind = int if self.is_integer else float
        return type(value) is kind and low <= value <= high and abs(value) < math.inf

    @property
    def meaning(self) -> str:
        """What it holds, with its unit, for people."""
        order = ", ascending and unique" if self.ascending else ""
        return f"{self.text}{f', {self.unit}' if self.unit else ''}{order}"


@dataclass(frozen=True)
class Ragged:
    """The lists of a column, of event after event.

    Attributes:
        values: (n,) entries.
        counts: (events,) int64, entries of each event.
    """

    values: NDArray[Any]
    counts: NDArray[np.int64]

    @property
    def event(self) -> NDArray[np.int64]:
        """(n,) position of the event that each entry belongs to."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    def event_of(self, entry: int) -> int:
        """Return the position of the event that an entry belongs to, by its position in `values`."""
        return int(np.searchsorted(np.cumsum(self.counts), entry, side="right"))


@dataclass(frozen=True)
class EventSchema:
    """The columns of a table of events.

    Attributes:
        columns: in their order.
        whose: the detector, for messages.
    """

    columns: tuple[Column, ...]
    whose: str = ""

    def __getitem__(self, name: str) -> Column:
        return self.by_name[name]

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}

    @cached_property
    def hits(self) -> tuple[Column, ...]:
        """The columns of lists that every event has: what a detector recorded."""
        return tuple(column for column in self.columns if column.is_ragged and column.required)

    @cached_property
    def recorded(self) -> tuple[Column, ...]:
        """The columns of all that a detector recorded: `hits`, and what an event may not have."""
        return tuple(column for column in self.columns if column in self.hits or column.recorded)

    def with_classes(self, name: str, classes: tuple[str, ...]) -> "EventSchema":
        """Return the same columns, of which one counts other classes."""
        columns = (replace(each, classes=classes) if each.name == name else each for each in self.columns)
        return replace(self, columns=tuple(columns))

    def check(self, table: Mapping[str, Ragged], *, stored: bool = False) -> None:
        """Refuse numbers that are not what their columns say.

        Args:
            table: columns of numbers by name. Those of lists that are required must be there. An event that
                does not know a column has an empty list.
            stored: they are as they shall be stored, in order.

        Raises:
            EventError: with the first column and event that are wrong.
        """
        lengths: dict[str, _Lengths] = {}
        for column in self.columns:
            if column.name not in table:
                if column.is_ragged and column.required:
                    raise self._missing(column, table)
                continue
            lists = table[column.name]
            if column.is_ragged:
                lengths.setdefault(column.per, _Lengths(column, lists)).compare(column, lists)
            check_numbers(column, lists)
            if stored and column.ascending:
                _check_order(column, lists)
        for column in self.columns:
            if column.name in table and column.refers in lengths:
                _check_references(column, table[column.name], lengths[column.refers].counts)

    def _missing(self, column: Column, table: Mapping[str, Ragged]) -> EventError:
        return MissingColumnError(
            f"expected the columns {', '.join(c.name for c in self.hits)}"
            f"{f' of {self.whose}' if self.whose else ''}, got {', '.join(sorted(table)) or 'none'}: "
            "use what was made for the detector that recorded the event, or rename the columns",
            column=column.name,
        )


class _Lengths:
    """How many entries the lists of one word have in each event, by the first column that knows."""

    def __init__(self, column: Column, lists: Ragged) -> None:
        self.counts = lists.counts
        self._said_by = np.full(len(lists.counts), column.name, dtype=object)
        self._always_known = column.required

    def compare(self, column: Column, lists: Ragged) -> None:
        """Refuse lists of other lengths; take those of events that no column before knew."""
        name, counts = column.name, lists.counts
        if len(self.counts) != len(counts) or int(counts.sum()) != len(lists.values):
            raise ShapeError(
                f"column {name!r}: expected {int(counts.sum())} entries of {len(self.counts)} events, got "
                f"{len(lists.values)} of {len(counts)}: write all columns together",
                column=name,
            )
        known = np.full(len(counts), True) if column.required else counts > 0
        new = known & (self.counts == 0) & (not self._always_known)
        if (wrong := np.flatnonzero((self.counts != counts) & known & ~new)).size:
            event = int(wrong[0])
            problem = (
                f"expected as many entries as in {self._said_by[event]!r}, {self.counts[event]}, got "
                f"{counts[event]}: write both columns together"
            )
            raise ShapeError(f"column {name!r} of event {event}: {problem}", event, name, problem)
        self.counts, self._said_by[new] = np.where(new, counts, self.counts), name


def check_numbers(column: Column, lists: Ragged) -> None:
    """Refuse entries that a column cannot hold.

    Raises:
        EventError: with the first that is wrong.
    """
    values = lists.values
    if not len(values):
        return
    if column.is_integer and not np.issubdtype(values.dtype, np.integer):
        mend = "cast them, or exchange the columns if they are in the wrong order"
        raise _wrong(DtypeError, column, lists, 0, f"whole numbers ({column.text})", values.dtype, mend)
    if not column.is_integer:
        _check_floats(column, lists)
    _check_bounds(column, lists, column.bounds)
    if values.dtype != column.dtype:
        _check_bounds(column, lists, column.bounds_of_size)


def _check_bounds(column: Column, lists: Ragged, bounds: tuple[Bound | None, Bound | None]) -> None:
    values = lists.values
    sides = zip(bounds, (np.less, np.greater), ("at least", "at most"), strict=True)
    for bound, beyond, side in sides:
        if bound is not None and (wrong := beyond(values, bound.value)).any():
            first = int(np.argmax(wrong))
            expected = f"{side} {bound.value:.10g}{f' {column.unit}' if column.unit else ''}"
            raise _wrong(RangeError, column, lists, first, expected, values[first], bound.remedy)


def _check_floats(column: Column, lists: Ragged) -> None:
    values = lists.values
    if np.issubdtype(values.dtype, np.integer):
        expected = f"floating-point numbers in {column.unit or 'their unit'}"
        mend = "multiply them by the energy of one count, or convert to float if they are energies"
        raise _wrong(UnitError, column, lists, 0, expected, f"{values.dtype}, which holds counts", mend)
    if not np.issubdtype(values.dtype, np.floating):
        raise _wrong(DtypeError, column, lists, 0, "numbers", values.dtype, f"cast them to {column.dtype}")
    finite = np.isfinite(values)
    if not finite.all():
        first = int(np.argmin(finite))
        mend = "mask dead channels as zero, and look for a division by zero or an overflow upstream"
        raise _wrong(NonFiniteError, column, lists, first, "finite numbers", values[first], mend)


def _check_references(column: Column, lists: Ragged, rows: NDArray[np.int64]) -> None:
    beyond = lists.values >= rows[lists.event]
    if beyond.any():
        first = int(np.argmax(beyond))
        expected = f"numbers below the {rows[lists.event_of(first)]} of every {column.refers} of the event"
        mend = "number them in the event from 0, and write all columns together"
        raise _wrong(RangeError, column, lists, first, expected, lists.values[first], mend)


def _check_order(column: Column, lists: Ragged) -> None:
    values = lists.values
    falls = np.zeros(len(values), dtype=bool)
    falls[1:] = values[1:] <= values[:-1]
    starts = np.cumsum(lists.counts) - lists.counts
    falls[starts[lists.counts > 0]] = False
    if falls.any():
        first = int(np.argmax(falls))
        got = f"{values[first]} after {values[first - 1]}"
        mend = "sort the hits, and add up those at the same position"
        raise _wrong(OrderError, column, lists, first, "rising numbers, each once", got, mend)


def _wrong(
    kind: type[EventError], column: Column, lists: Ragged, entry: int, expected: str, got: Any, remedy: str
) -> EventError:
    event = lists.event_of(int(entry))
    inside = int(entry) - int(lists.counts[:event].sum())
    problem = f"expected {expected}, got {got} at entry {inside}: {remedy}"
    return kind(f"column {column.name!r} of event {event}: {problem}", event, column.name, problem)
