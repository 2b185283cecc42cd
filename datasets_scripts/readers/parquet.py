"""Parquet files with the columns of a pixel-map row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.dense_maps import (
    MapDetector,
    blank_row,
    check_hits,
    known_columns,
    label_number,
    map_detectors,
    map_schema,
    numbered_id,
)
from nuzoo.datasets_scripts.readers.source_errors import (
    MissingViewError,
    NotThisFormatError,
    OtherDetectorError,
    SourceFileError,
    TooLargeError,
    TruncatedFileError,
)
from nuzoo.files.events.event_truth import LABEL_COLUMN

_MAGIC = b"PAR1"
_EVENTS_AT_ONCE = 128
_LARGEST_ROW_GROUP = 4 << 30


def read_parquet(
    file: Path, detector: MapDetector | None, mev_per_count: float | None
) -> Iterator[Row | SourceFileError]:
    """Stream the events of one Parquet file, in batches.

    Needed are `<view>_index` and `<view>_energy` (MeV) for each view; every other column is optional.
    """
    import pyarrow.parquet as pq

    _check_ends(file)
    with pq.ParquetFile(file) as content:
        schema = content.schema_arrow
        detector = _detector_of(file, schema.names, detector)
        _check_types(file, schema, detector)
        _check_row_groups(file, content.metadata)
        scalars = [name for name in known_columns(detector) if name in schema.names]
        columns = scalars + [column.name for column in map_schema(detector).hits]
        first = 0
        for batch in content.iter_batches(_EVENTS_AT_ONCE, columns=columns, use_threads=False):
            yield from _rows(file, first, batch, scalars, detector)
            first += batch.num_rows


def _check_ends(file: Path) -> None:
    with file.open("rb") as stream:
        begin = stream.read(len(_MAGIC))
        end = stream.seek(0, 2)
        stream.seek(max(0, end - len(_MAGIC)))
        finish = stream.read()
    if begin != _MAGIC:
        remedy = "check that the file is what its name says"
        raise NotThisFormatError(file, f"a Parquet file beginning with {_MAGIC!r}", repr(begin), remedy)
    if finish != _MAGIC or end < 3 * len(_MAGIC):
        raise TruncatedFileError(
            file, f"a Parquet file ending in {_MAGIC!r}", repr(finish), "copy the file again"
        )


def _detector_of(file: Path, names: list[str], detector: MapDetector | None) -> MapDetector:
    def present(candidate: MapDetector) -> int:
        return sum(column.name in names for column in map_schema(candidate).hits)

    detector = detector or max(map_detectors(), key=present)
    for column in map_schema(detector).hits:
        if column.name not in names:
            got = ", ".join(names[:12]) or "no columns"
            remedy = "choose the detector the file was made with, or add the view"
            raise MissingViewError(file, f"a column {column.name!r} for {detector.name!r}", got, remedy)
    return detector


def _check_types(file: Path, schema: Any, detector: MapDetector) -> None:
    """Labels are looked at one by one: they may be names."""
    import pyarrow.types as types

    for column in map_schema(detector).columns:
        if not column.is_number or column.name not in schema.names or column == LABEL_COLUMN:
            continue
        kind = schema.field(column.name).type
        is_list = types.is_list(kind) or types.is_large_list(kind)
        if column.is_ragged:
            is_number = types.is_integer if column.is_integer else types.is_floating
            good, expected = is_list and is_number(kind.value_type), "lists of numbers"
        else:
            kind = kind.value_type if column.length > 1 and types.is_nested(kind) else kind
            good = types.is_integer(kind) or types.is_floating(kind) or types.is_null(kind)
            expected = "numbers"
        if not good:
            got = f"{schema.field(column.name).type}"
            raise NotThisFormatError(file, f"{expected} in column {column.name!r}", got, "convert the column")


def _check_row_groups(file: Path, metadata: Any) -> None:
    sizes = (metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    largest = max(sizes, default=0)
    if largest > _LARGEST_ROW_GROUP:
        expected = f"row groups of at most {_LARGEST_ROW_GROUP} bytes"
        raise TooLargeError(file, expected, f"{largest} bytes", "write the file with smaller row groups")


def _rows(
    file: Path, first: int, batch: Any, scalars: list[str], detector: MapDetector
) -> Iterator[Row | SourceFileError]:
    values = batch.select(scalars).to_pylist() if scalars else [{}] * batch.num_rows
    names = [column.name for column in map_schema(detector).hits]
    lists = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in names}
    for event, known in enumerate(values):
        index = first + event
        where = f"{file}#{index}"
        row = blank_row(numbered_id(file, index), detector, f"{file.name}#{index}")
        try:
            row |= {name: value for name, value in known.items() if value is not None}
            row["event_id"] = str(row["event_id"])
            if row["detector"] != detector.name:
                expected = f"detector {detector.name!r}, as in the rest of the file"
                remedy = "write the events of each to a file of its own"
                raise OtherDetectorError(where, expected, repr(row["detector"]), remedy)
            row["label"] = label_number(where, row["label"])
            row |= _hits(where, {name: column[event] for name, column in lists.items()}, detector)
        except SourceFileError as error:
            yield error
        else:
            yield row


def _hits(where: str, lists: dict[str, NDArray[Any] | None], detector: MapDetector) -> Row:
    hits = {}
    for name, values in lists.items():
        if values is None:
            remedy = "store an empty list for an empty view"
            raise MissingViewError(where, f"a list {name!r}", "null", remedy)
        with np.errstate(over="ignore"):
            hits[name] = values.astype(np.float32) if values.dtype.kind == "f" else values
    check_hits(where, hits, detector)
    return {name: values.astype(map_schema(detector)[name].dtype) for name, values in hits.items()}
