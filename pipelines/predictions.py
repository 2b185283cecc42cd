"""What a model says of many rows: refusals row by row, and a file of the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from nuzoo.files.atomic import replacing
from nuzoo.files.events.event_errors import EventError
from nuzoo.files.output_folder import check_output
from nuzoo.pipelines.event_pipeline import EventPipeline

EVENTS_AT_A_TIME = 64
SUFFIXES = (".parquet", ".csv", ".jsonl")

Row = dict[str, Any]
Refusal = tuple[str, Exception]


def predict_rows(pipeline: EventPipeline, rows: Iterable[Row], refused: list[Refusal]) -> Iterator[Row]:
    """Ask a model about rows, some at a time.

    Args:
        pipeline: the model.
        rows: any number, with `event_id` and `source`.
        refused: source and error of each row that cannot be read are added.

    Yields:
        For each other row `event_id`, the columns of its result, and `source`.
    """
    iterator = iter(rows)
    while some := list(islice(iterator, EVENTS_AT_A_TIME)):
        for row, result in _results(pipeline, some, refused):
            yield {"event_id": row["event_id"], **pipeline.as_row(result), "source": row["source"]}


def _results(pipeline: EventPipeline, rows: list[Row], refused: list[Refusal]) -> Iterator[tuple[Row, Row]]:
    try:
        yield from zip(rows, pipeline(rows), strict=True)
    except EventError as error:
        if len(rows) == 1:
            refused.append((rows[0]["source"], error))
            return
        for row in rows:
            yield from _results(pipeline, [row], refused)


def check_table_path(path: Path) -> None:
    """Refuse a file that a table cannot be written to, before there is one.

    Raises:
        ValueError: it has another ending, or is a folder.
        UnusableOutputError: its folder cannot be written to.
    """
    if path.suffix not in SUFFIXES:
        raise ValueError(f"{path}: expected a name ending in {', '.join(SUFFIXES)}")
    if path.is_dir():
        raise ValueError(f"{path}: expected the name of a file, got a folder")
    check_output(path.parent)


def write_table(rows: list[Row], path: Path) -> None:
    """Write rows with the same columns to a file, see `check_table_path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        if path.suffix == ".jsonl":
            partial.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            return
        import pyarrow as pa
        from pyarrow import csv, parquet

        if path.suffix == ".parquet":
            parquet.write_table(pa.Table.from_pylist(rows), partial)
        else:
            csv.write_csv(pa.Table.from_pylist([_flat(row) for row in rows]), partial)


def _flat(row: Row) -> Row:
    """Write the lists of a row as JSON, since a table of text has none."""
    return {name: json.dumps(value) if isinstance(value, list) else value for name, value in row.items()}
