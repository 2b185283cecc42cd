"""Parquet files with the columns of a point-cloud row."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.cloud_reading import (
    CloudReading,
    above_threshold,
    blank_cloud,
    cloud_detectors,
    cloud_schema,
)
from nuzoo.datasets_scripts.readers.known_files import Described, without_points
from nuzoo.datasets_scripts.readers.parquet import check_claim, check_ends, check_row_groups
from nuzoo.datasets_scripts.readers.source_errors import OtherDetectorError, SourceFileError, WrongEventError
from nuzoo.simulation.detectors import LARTPC_CUBE, Detector

_NEEDED = ("x", "y", "z", "energy")
_EVENTS_AT_ONCE = 16


def read_cloud_parquet(file: Path, reading: CloudReading) -> Iterator[Row | SourceFileError]:
    """Stream the events of one Parquet file, in small batches.

    Needed are `x`, `y`, `z` and `energy`; every other column is optional.
    """
    import pyarrow.parquet as pq

    check_ends(file)
    with pq.ParquetFile(file) as content:
        names = content.schema_arrow.names
        if not set(_NEEDED) <= set(names):
            held = {name: Described((content.metadata.num_rows,), "") for name in names}
            raise without_points(file, held, f"columns {', '.join(_NEEDED)}")
        reading.check_wanted(file, "rows as nuzoo stores them")
        reading.check_charge(file)
        _tell_unnamed(file, names, reading)
        check_row_groups(file, content.metadata)
        read = 0
        for batch in content.iter_batches(_EVENTS_AT_ONCE, use_threads=False):
            for event in range(batch.num_rows):
                try:
                    yield _row(file, read, batch, event, reading)
                except SourceFileError as error:
                    yield error
                read += 1


def _row(file: Path, index: int, batch: Any, event: int, reading: CloudReading) -> Row:
    where = f"{file}#{index}"
    detector = _detector_of(where, batch, event, reading)
    row = blank_cloud(reading.numbered_id(file, index), detector, f"{reading.source(file)}#{index}")
    for column in cloud_schema(detector).columns:
        if column.name not in batch.schema.names or column.dtype == "picture":
            continue
        value = batch.column(column.name)[event]
        if not value.is_valid:
            if column.is_ragged and column.required:
                problem = "expected a list, got null: store an empty list where there is no hit"
                raise WrongEventError(where, column.name, problem)
        elif column.is_ragged and hasattr(value, "values"):
            row[column.name] = value.values.to_numpy(zero_copy_only=False)
        else:
            row[column.name] = value.as_py()
    stated = detector.geometry()["positions"]
    if row["positions"] != stated:
        problem = f"expected {stated!r}, as of {detector.name}, got {row['positions']!r}: convert positions"
        raise WrongEventError(where, "positions", problem)
    row |= {name: str(row[name]) for name in ("event_id", "source")}
    check_claim(where, row)
    return above_threshold(where, row, detector, reading)


def _tell_unnamed(file: Path, names: Collection[str], reading: CloudReading) -> None:
    """Note what rows do not say of themselves."""
    usual = reading.whose(LARTPC_CUBE.name)
    if "detector" not in names and reading.detector is None:
        reading.note(f"rows name no detector: taken as {usual.name}; --detector names another", file)
    if "positions" not in names:
        reading.note(f"rows do not say what positions are: taken as {usual.geometry()['positions']}", file)


def _detector_of(where: str, batch: Any, event: int, reading: CloudReading) -> Detector:
    """Return the detector that an event names; one that names none is of the one asked for."""
    named = batch.column("detector")[event].as_py() if "detector" in batch.schema.names else None
    asked = reading.detector
    if named is None or (asked is not None and named == asked.name):
        return reading.whose(LARTPC_CUBE.name)
    if asked is not None:
        raise OtherDetectorError(where, f"an event of {asked.name!r}", repr(named), "name its own detector")
    known = cloud_detectors()
    if named not in known:
        remedy = "give --detector FILE, its description"
        raise OtherDetectorError(where, f"an event of {' or '.join(known)}", repr(named), remedy)
    return known[named]
