"""What a model says of many rows: refusals row by row, and what is known of the truth beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from nuzoo.files.events.event_errors import EventError
from nuzoo.files.events.event_schema import Column, EventSchema
from nuzoo.files.left_out import Omission

if TYPE_CHECKING:
    from nuzoo.pipelines.event_pipeline import EventPipeline

EVENTS_AT_A_TIME = 64

TRUTH = {
    "label": "true_label",
    "flavour": "true_flavour",
    "charm": "true_charm",
    "neutrino_energy": "neutrino_energy",
}
"""What is told of the truth, by column of a row: name of the column beside the predictions."""

Row = dict[str, Any]


def predict_rows(
    pipeline: EventPipeline, rows: Iterable[Row], left_out: list[Omission], schema: EventSchema
) -> Iterator[Row]:
    """Ask a model about rows, some at a time.

    Args:
        pipeline: the model.
        rows: any number, with `event_id` and `source`.
        left_out: each row that cannot be read is added.
        schema: of the rows.

    Yields:
        For each other row `event_id`, the columns of its result, beside results of hits these themselves,
        those of `TRUTH` that such events can have, and `source`.
    """
    hits = [column.name for column in schema.hits] if pipeline.per_hit else []
    iterator = iter(rows)
    while some := list(islice(iterator, EVENTS_AT_A_TIME)):
        for row, result in answered(pipeline, some, left_out):
            told = pipeline.as_row(result) | {name: np.asarray(row[name]).tolist() for name in hits}
            yield {"event_id": row["event_id"], **told, **truth_of(row, schema), "source": row["source"]}


def answered(pipeline: EventPipeline, rows: list[Row], left_out: list[Omission]) -> Iterator[tuple[Row, Row]]:
    """Give each row with its result; a row that cannot be read costs no other one, and is added."""
    try:
        results = pipeline(rows)
    except EventError as error:
        if len(rows) == 1:
            left_out.append(omission(rows[0], error))
            return
        middle = len(rows) // 2
        for half in (rows[:middle], rows[middle:]):
            yield from answered(pipeline, half, left_out)
    else:
        yield from zip(rows, results, strict=True)


def omission(row: Row, error: Exception) -> Omission:
    """Say that an event was left out, and why: of an `EventError` without its place among others."""
    reason = str(getattr(error, "problem", error))
    if (column := getattr(error, "column", None)) is not None and reason != str(error):
        reason = f"column {column}: {reason}"
    return Omission(str(row.get("source", "")), str(row.get("event_id", "")), reason)


def truth_of(row: Row, schema: EventSchema) -> Row:
    """Give what a row knows of the truth, by the names in `TRUTH`: classes by name, None for the unknown."""
    told = {TRUTH[name]: column for name, column in schema.by_name.items() if name in TRUTH}
    return {name: _named(row.get(column.name), column) for name, column in told.items()}


def _named(value: Any, column: Column) -> Any:
    if value is None or value != value:
        return None
    if isinstance(value, list):
        return [_named(entry, column) for entry in value]
    return column.classes[int(value)] if column.classes and not isinstance(value, str) else value
