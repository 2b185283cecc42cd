"""Rows of any dataset: the features of `datasets` that a schema stands for, and Arrow columns to check."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, Features, Image, List, Value

from nuzoo.files.events.event_errors import DtypeError
from nuzoo.files.events.event_schema import Column, EventSchema, Ragged

Row = dict[str, Any]
"""One row: column name to value, None for what is not known."""


def row_features(schema: EventSchema) -> Features:
    """Return the features of a dataset with all columns of a schema.

    Pictures are not decoded when a row is read: that takes longer than all the rest of the row, and needs
    Pillow, which `datasets` does not bring. `rows.cast_column("display", datasets.Image())` decodes them.
    """
    return Features({column.name: column_feature(column) for column in schema.columns})


def column_feature(column: Column) -> Any:
    """Return the feature of one column."""
    if column.dtype == "picture":
        return Image(decode=False)
    if column.classes:
        entry = ClassLabel(names=list(column.classes))
    else:
        entry = Value("string" if column.dtype == "text" else column.dtype)
    if column.is_ragged:
        return List(entry)
    return entry if column.length == 1 else List(entry, length=column.length)


def ragged(column: Column, values: pa.Array) -> Ragged:
    """Return the numbers of an Arrow column, as a schema checks them.

    Args:
        column: Says what it holds.
        values: One entry for each event.

    Returns:
        Its numbers; of an event that does not know them, none.

    Raises:
        DtypeError: There is no list, or no number in a list.
    """
    known = np.asarray(values.is_valid())
    if column.required and not known.all():
        raise _absent(column, int(np.argmin(known)), "a list, empty where there is nothing")
    is_list = pa.types.is_nested(values.type)
    lengths = pc.fill_null(pc.list_value_length(values), 0) if is_list else known
    counts = np.asarray(lengths).astype(np.int64)
    entries = values.flatten() if is_list else values.drop_null()
    if entries.null_count:
        first = int(np.argmin(np.asarray(entries.is_valid())))
        raise _absent(column, int(np.searchsorted(np.cumsum(counts), first, side="right")), "a number")
    return Ragged(entries.to_numpy(zero_copy_only=False), counts)


def _absent(column: Column, event: int, expected: str) -> DtypeError:
    problem = f"expected {expected}, got null: write what is there"
    return DtypeError(f"column {column.name!r} of event {event}: {problem}", event, column.name, problem)
