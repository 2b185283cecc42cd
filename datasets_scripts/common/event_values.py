"""What is known of an event beside its hits, checked row by row before it is stored."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.files.events.event_errors import DtypeError, EventError, ShapeError
from nuzoo.files.events.event_schema import Column, EventSchema, Ragged, check_numbers


def checked_values(row: Row, schema: EventSchema) -> Row:
    """Return the row with the numbers per event as their columns store them.

    Whole numbers may come as floating point; NaN stands for what is not known, as in pandas.

    Args:
        row: Of one event.
        schema: What its columns can hold.

    Raises:
        EventError: A number that its column cannot hold, a vector of another length, or no number.
    """
    columns = (column for column in schema.columns if column.is_number and not column.is_ragged)
    return row | {column.name: _checked(column, row[column.name]) for column in columns if column.name in row}


def _checked(column: Column, value: Any) -> Any:
    if value is None or (column.length == 1 and isinstance(value, float) and math.isnan(value)):
        return None
    if column.length == 1 and column.holds(value):
        return value
    entries = np.atleast_1d(np.asarray(value))
    if entries.shape != (column.length,):
        raise _wrong(ShapeError, column, f"{column.length} numbers", f"{entries.shape[0]}")
    if entries.dtype.kind not in "iuf":
        raise _wrong(DtypeError, column, "numbers", repr(value)[:80])
    if column.is_integer and entries.dtype.kind == "f" and (entries == np.rint(entries)).all():
        entries = entries.astype(np.int64)
    if not column.is_integer:
        entries = entries.astype(np.float64)
    check_numbers(column, Ragged(entries, np.array([column.length])))
    return entries.astype(column.dtype) if column.length > 1 else entries[0].item()


def _wrong(kind: type[EventError], column: Column, expected: str, got: str) -> EventError:
    problem = f"expected {expected}, got {got}: correct it, or write null where it is not known"
    return kind(f"column {column.name!r}: {problem}", 0, column.name, problem)
