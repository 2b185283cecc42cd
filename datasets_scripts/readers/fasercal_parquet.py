"""Parquet files with the columns of a detector event, as nuzoo stores them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.parquet import check_claim, check_ends, check_row_groups
from nuzoo.datasets_scripts.readers.source_errors import (
    NotThisFormatError,
    OtherDetectorError,
    SourceFileError,
    WrongEventError,
)

if TYPE_CHECKING:
    from nuzoo.datasets_scripts.readers.fasercal import FaserCalReading

_EVENTS_AT_ONCE = 16
_NAMES_SHOWN = 12


def read_fasercal_parquet(file: Path, reading: FaserCalReading) -> Iterator[Row | SourceFileError]:
    """Stream the events of one Parquet file, in small batches; columns that are no hits are optional."""
    import pyarrow.parquet as pq

    check_ends(file)
    with pq.ParquetFile(file) as content:
        names = content.schema_arrow.names
        if missing := [column.name for column in reading.schema.hits if column.name not in names]:
            got = ", ".join(names[:_NAMES_SHOWN]) or "no columns"
            remedy = "give files with the columns of a dataset of detector events"
            raise NotThisFormatError(file, f"the columns {', '.join(missing)}", got, remedy)
        check_row_groups(file, content.metadata)
        wanted = [one.name for one in reading.schema.columns if one.name in names and one.dtype != "picture"]
        read = 0
        for batch in content.iter_batches(_EVENTS_AT_ONCE, columns=wanted, use_threads=False):
            for event in range(batch.num_rows):
                try:
                    yield _row(file, read, batch, event, reading)
                except SourceFileError as error:
                    yield error
                read += 1


def _row(file: Path, index: int, batch: Any, event: int, reading: FaserCalReading) -> Row:
    where = f"{file}#{index}"
    row: Row = {
        "event_id": reading.numbered_id(file, index),
        "detector": reading.detector.name,
        "source": f"{reading.source(file)}#{index}",
    }
    for column in reading.schema.columns:
        value = batch.column(column.name)[event] if column.name in batch.schema.names else None
        if value is None or not value.is_valid:
            if column.is_ragged and column.required:
                problem = "expected a list, got null: store an empty list where there is no hit"
                raise WrongEventError(where, column.name, problem)
            row.setdefault(column.name, None)
        elif column.is_ragged:
            row[column.name] = value.values.to_numpy(zero_copy_only=False)
        else:
            row[column.name] = value.as_py()
    if row["detector"] != reading.detector.name:
        expected, got = f"an event of {reading.detector.name!r}", repr(row["detector"])
        raise OtherDetectorError(where, expected, got, "give --detector, or name the detector of the event")
    check_claim(where, row)
    return reading.checked_row(where, row)
