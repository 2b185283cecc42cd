"""Tables that are written as their rows come: Parquet, CSV, or a line of JSON for each."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.files.atomic import replacing
from nuzoo.files.events.event_schema import Column, EventSchema
from nuzoo.files.output_folder import check_output
from nuzoo.pipelines.predictions import TRUTH

if TYPE_CHECKING:
    import pyarrow as pa

    from nuzoo.pipelines.event_pipeline import EventPipeline

ROWS_AT_A_TIME = 1024

Row = dict[str, Any]
Write = Callable[[list[Row]], None]


def check_table_path(path: Path) -> None:
    """Refuse a file that a table cannot be written to, before there is one.

    Raises:
        ValueError: it has another ending, or is a folder.
        UnusableOutputError: its folder cannot be written to.
    """
    if path.suffix not in _WRITERS:
        raise ValueError(
            f"{path}: expected a name ending in {', '.join(_WRITERS)}, got {path.suffix or 'none'}"
        )
    if path.is_dir():
        raise ValueError(f"{path}: expected the name of a file, got a folder")
    check_output(path.parent)


def write_table(rows: Iterable[Row], path: Path, types: Mapping[str, pa.DataType]) -> int:
    """Write rows with the same columns to a file, see `check_table_path`, whole or not at all.

    Args:
        rows: at least one; no more than some are held at a time.
        path: of the file.
        types: of the columns that may be null; those of the others are seen in the first rows.

    Returns:
        How many there were.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    written, iterator = 0, iter(rows)
    with replacing(path) as partial, _WRITERS[path.suffix](partial, types) as write:
        while some := list(islice(iterator, ROWS_AT_A_TIME)):
            write(some)
            written += len(some)
    return written


def types_of(pipeline: EventPipeline, schema: EventSchema) -> dict[str, pa.DataType]:
    """Give the types of those columns beside predictions whose first entries may be null or empty lists.

    Args:
        pipeline: what predicts.
        schema: of the events.
    """
    found = {TRUTH[name]: _type_of(column) for name, column in schema.by_name.items() if name in TRUTH}
    if pipeline.per_hit:
        found |= {column.name: _type_of(column) for column in schema.hits}
    return found | list_types(pipeline)


def list_types(pipeline: EventPipeline) -> dict[str, pa.DataType]:
    """Give the types of the lists of what a pipeline says of an event."""
    import pyarrow as pa

    return {name: pa.list_(_entry(kind)) for name, kind in pipeline.list_columns.items()}


def _type_of(column: Column) -> pa.DataType:
    import pyarrow as pa

    entry = _entry("text" if column.classes else column.dtype)
    return pa.list_(entry) if column.is_ragged else entry


def _entry(kind: str) -> pa.DataType:
    import pyarrow as pa

    return pa.string() if kind == "text" else pa.from_numpy_dtype(kind)


@contextmanager
def _parquet(path: Path, types: Mapping[str, pa.DataType]) -> Iterator[Write]:
    from pyarrow import parquet

    with _arrow(parquet.ParquetWriter, path, types) as write:
        yield write


@contextmanager
def _csv(path: Path, types: Mapping[str, pa.DataType]) -> Iterator[Write]:
    import pyarrow as pa
    from pyarrow import csv

    flat = {name: pa.string() if pa.types.is_nested(kind) else kind for name, kind in types.items()}
    with _arrow(csv.CSVWriter, path, flat) as write:
        yield lambda rows: write([_flat(row) for row in rows])


@contextmanager
def _jsonl(path: Path, types: Mapping[str, pa.DataType]) -> Iterator[Write]:
    with path.open("w", encoding="utf-8") as file:
        yield lambda rows: file.writelines(f"{_json(row)}\n" for row in rows)


@contextmanager
def _arrow(writer: Any, path: Path, types: Mapping[str, pa.DataType]) -> Iterator[Write]:
    """Write tables to one file, all by the schema of the first."""
    import pyarrow as pa

    open_files: list[tuple[Any, pa.Schema]] = []

    def write(rows: list[Row]) -> None:
        if not open_files:
            seen = pa.Table.from_pylist(rows).schema
            schema = pa.schema([field.with_type(types.get(field.name, field.type)) for field in seen])
            open_files.append((writer(path, schema), schema))
        file, schema = open_files[0]
        file.write_table(pa.Table.from_pylist(rows, schema))

    try:
        yield write
    finally:
        for file, _ in open_files:
            file.close()


def _flat(row: Row) -> Row:
    """Write the lists of a row as JSON, since a table of text has none."""
    return {name: _json(value) if isinstance(value, list) else value for name, value in row.items()}


def _json(value: Any) -> str:
    return json.dumps(_plain(value), allow_nan=False)


def _plain(value: Any) -> Any:
    """Take values of NumPy for those of Python, and what is no number for null, as JSON has them."""
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


_WRITERS: dict[str, Callable[[Path, Mapping[str, pa.DataType]], AbstractContextManager[Write]]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".jsonl": _jsonl,
}
