"""Parquet files with the columns of a pixel-map row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.dense_maps import (
    CHOOSE,
    blank_row,
    check_hits,
    check_no_counts,
    known_columns,
    map_detectors,
    map_schema,
)
from nuzoo.datasets_scripts.readers.known_files import stored_kind
from nuzoo.datasets_scripts.readers.labels import read_labels
from nuzoo.datasets_scripts.readers.reading import MapDetector, Reading
from nuzoo.datasets_scripts.readers.source_errors import (
    MissingViewError,
    NotThisFormatError,
    OtherDetectorError,
    SourceFileError,
    TooLargeError,
    TruncatedFileError,
    WrongEventError,
)
from nuzoo.files.events.event_truth import LABEL_COLUMN, SIMULATED_PREFIX

_MAGIC = b"PAR1"
_EVENTS_AT_ONCE = 128
_LARGEST_ROW_GROUP = 4 << 30


def read_parquet(file: Path, reading: Reading) -> Iterator[Row | SourceFileError]:
    """Stream the events of one Parquet file, in batches.

    Needed are `<view>_index` and `<view>_energy` (MeV) for each view; every other column is optional. Columns
    of classes are read whole: their names, where the file has them, decide.
    """
    import pyarrow.parquet as pq

    check_ends(file)
    with pq.ParquetFile(file) as content:
        schema = content.schema_arrow
        detector = _detector_of(file, schema.names, reading, _named_detector(content))
        _check_types(file, schema, detector)
        check_row_groups(file, content.metadata)
        check_no_counts(file, reading, "energies in MeV, as columns <view>_energy are")
        events = _Events(file, detector, reading, _classes(file, content, detector, reading))
        columns = events.scalars(schema.names) + [column.name for column in map_schema(detector).hits]
        for batch in content.iter_batches(_EVENTS_AT_ONCE, columns=columns, use_threads=False):
            yield from events.rows(batch)


def declared_names(file: Path, column: str = LABEL_COLUMN.name) -> tuple[str, ...] | None:
    """Return the names of the classes that a column of a Parquet file counts, None where it has none."""
    import pyarrow.parquet as pq

    return _names(pq.read_schema(file), column)


def _names(schema: Any, column: str) -> tuple[str, ...] | None:
    """Read the names of a `datasets.ClassLabel` as `datasets` stores them in the schema."""
    stored = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    feature = stored.get("info", {}).get("features", {}).get(column, {})
    names = feature.get("names") if isinstance(feature, dict) else None
    return tuple(map(str, names)) if isinstance(names, list) else None


def _classes(
    file: Path, content: Any, detector: MapDetector, reading: Reading
) -> dict[str, list[int | None]]:
    """Return the numbers of the classes of all events, for each column of classes."""
    found: dict[str, list[int | None]] = {}
    schema = content.schema_arrow
    for column in map_schema(detector).columns:
        if column.classes and not column.is_ragged and column.name in schema.names:
            values = content.read(columns=[column.name], use_threads=False)[column.name].to_pylist()
            of_column = reading if column == LABEL_COLUMN else reading.counting(column.classes)
            names = _names(schema, column.name)
            found[column.name] = read_labels(file, column.name, values, of_column, names)
    return found


def check_ends(file: Path) -> None:
    """Refuse a file that does not begin and end as Parquet does.

    Raises:
        SourceFileError: It does not.
    """
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


def _named_detector(content: Any) -> MapDetector | None:
    """Return the detector that the first event names, None if it names none that is known."""
    if "detector" not in content.schema_arrow.names:
        return None
    first = next(content.iter_batches(1, columns=["detector"]), None)
    name = first["detector"][0].as_py() if first else None
    return next((each for each in map_detectors() if each.name == name), None)


def _detector_of(file: Path, names: list[str], reading: Reading, named: MapDetector | None) -> MapDetector:
    def present(candidate: MapDetector) -> int:
        return sum(column.name in names for column in map_schema(candidate).hits)

    detector = reading.detector or named or max(map_detectors(reading), key=present)
    for column in map_schema(detector).hits:
        if column.name not in names:
            if (kind := stored_kind(names)) is not None:
                raise NotThisFormatError(file, "rows of pixel maps", kind.text, kind.remedy)
            got = ", ".join(names[:12]) or "no columns"
            remedy = f"{CHOOSE}, or add the view"
            raise MissingViewError(file, f"a column {column.name!r} for {detector.name!r}", got, remedy)
    return detector


def _check_types(file: Path, schema: Any, detector: MapDetector) -> None:
    """Classes are looked at one by one: they may be names."""
    import pyarrow.types as types

    for column in map_schema(detector).columns:
        if not column.is_number or column.name not in schema.names or column.classes:
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


def check_row_groups(file: Path, metadata: Any) -> None:
    """Refuse row groups that do not fit in memory.

    Raises:
        TooLargeError: One does not.
    """
    sizes = (metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    largest = max(sizes, default=0)
    if largest > _LARGEST_ROW_GROUP:
        expected = f"row groups of at most {_LARGEST_ROW_GROUP} bytes"
        raise TooLargeError(file, expected, f"{largest} bytes", "write the file with smaller row groups")


class _Events:
    """The rows of a file, batch by batch.

    Args:
        file: The file.
        detector: Whose events they are.
        reading: How they are read.
        classes: Numbers of the classes of all events, by column.
    """

    def __init__(
        self, file: Path, detector: MapDetector, reading: Reading, classes: dict[str, list[int | None]]
    ) -> None:
        self.file, self.detector, self.reading, self.classes = file, detector, reading, classes
        self.hits = {column.name: column.dtype for column in map_schema(detector).hits}
        self.read = 0

    def scalars(self, names: list[str]) -> list[str]:
        """Return the columns per event, of those that the file has, that are read with the hits."""
        return [name for name in known_columns(self.detector) if name in names and name not in self.classes]

    def rows(self, batch: Any) -> Iterator[Row | SourceFileError]:
        """Yield the rows and errors of a batch that follows on those before."""
        scalars = self.scalars(batch.schema.names)
        values = batch.select(scalars).to_pylist() if scalars else [{}] * batch.num_rows
        lists = {name: batch.column(name).to_numpy(zero_copy_only=False) for name in self.hits}
        for event, known in enumerate(values):
            try:
                yield self._row(known, {name: column[event] for name, column in lists.items()})
            except SourceFileError as error:
                yield error
            finally:
                self.read += 1

    def _row(self, known: Row, lists: dict[str, NDArray[Any] | None]) -> Row:
        index, where = self.read, f"{self.file}#{self.read}"
        row = blank_row(
            self.reading.numbered_id(self.file, index),
            self.detector,
            f"{self.reading.source(self.file)}#{index}",
        )
        row |= {name: value for name, value in known.items() if value is not None}
        row |= {name: str(row[name]) for name in ("event_id", "source")}
        row |= {name: numbers[index] for name, numbers in self.classes.items()}
        if row["detector"] != self.detector.name:
            expected = f"detector {self.detector.name!r}, as in the rest of the file"
            remedy = "write the events of each to a file of its own"
            raise OtherDetectorError(where, expected, repr(row["detector"]), remedy)
        check_claim(where, row)
        return row | self._hits(where, lists)

    def _hits(self, where: str, lists: dict[str, NDArray[Any] | None]) -> Row:
        hits = {}
        for name, values in lists.items():
            if values is None:
                remedy = "store an empty list for an empty view"
                raise MissingViewError(where, f"a list {name!r}", "null", remedy)
            with np.errstate(over="ignore"):
                hits[name] = values.astype(np.float32) if values.dtype.kind == "f" else values
        check_hits(where, hits, self.detector, self.reading)
        return {name: values.astype(self.hits[name]) for name, values in hits.items()}


def check_claim(where: str, row: Row) -> None:
    """Refuse an event that says it is of nuzoo's simulation, and has another name than it gave.

    Raises:
        WrongEventError: Name or detector are not those of the event that `source` tells.
    """
    source = row["source"]
    if source.startswith(SIMULATED_PREFIX):
        told = dict(word.partition("=")[::2] for word in source.split() if "=" in word)
        named = f"sim-{told.get('seed')}-{told.get('event')}", told.get("detector")
        if (row["event_id"], row["detector"]) != named:
            problem = (
                f"expected event {named[0]} of {named[1]}, which is what {source!r} made, got "
                f"{row['event_id']!r} of {row['detector']}: correct event_id and detector, or let source say "
                "where the event comes from"
            )
            raise WrongEventError(where, "source", problem)
