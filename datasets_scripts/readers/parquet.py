"""Parquet files with the columns of a pixel-map row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.readers.dense_maps import (
    TRUTH_COLUMNS,
    Row,
    blank_row,
    check_energies,
    label_number,
    numbered_id,
)
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    MissingViewError,
    NotThisFormatError,
    SourceFileError,
    TooLargeError,
    TruncatedFileError,
    UnknownDetectorError,
)
from nuzoo.simulation.detectors import DETECTORS, Detector, View

_MAGIC = b"PAR1"
_SCALARS = ("event_id", "detector", "label", *TRUTH_COLUMNS, "source")
_EVENTS_AT_ONCE = 128
_LARGEST_ROW_GROUP = 4 << 30


def read_parquet(
    file: Path, detector: Detector | None, mev_per_count: float | None
) -> Iterator[Row | SourceFileError]:
    """The events of one Parquet file, streamed in batches.

    Needed are `<view>_index` and `<view>_energy` (MeV) for each view; every other column is optional.

    Args:
        file: The file.
        detector: Whose events they are; None takes the one whose views the columns are named after.
        mev_per_count: Not used: the energies are in MeV.

    Yields:
        A row for each event, or the error of an event that is broken.

    Raises:
        SourceFileError: The file is broken as a whole.
    """
    import pyarrow.parquet as pq

    _check_ends(file)
    with pq.ParquetFile(file) as content:
        schema = content.schema_arrow
        detector = _detector_of(file, schema.names, detector)
        _check_types(file, schema, detector)
        _check_row_groups(file, content.metadata)
        scalars = [name for name in _SCALARS if name in schema.names]
        columns = scalars + [f"{view.name}_{part}" for view in detector.views for part in ("index", "energy")]
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


def _detector_of(file: Path, names: list[str], detector: Detector | None) -> Detector:
    def present(candidate: Detector) -> int:
        return sum(f"{view.name}_index" in names for view in candidate.views)

    detector = detector or max(DETECTORS.values(), key=present)
    for view in detector.views:
        for column in (f"{view.name}_index", f"{view.name}_energy"):
            if column not in names:
                got = ", ".join(names[:12]) or "no columns"
                remedy = "choose the detector the file was made with, or add the view"
                raise MissingViewError(file, f"a column {column!r} for {detector.name!r}", got, remedy)
    return detector


def _check_types(file: Path, schema: Any, detector: Detector) -> None:
    import pyarrow.types as types

    def check(name: str, good: bool, expected: str) -> None:
        if not good:
            got = f"{schema.field(name).type}"
            raise NotThisFormatError(file, f"{expected} in column {name!r}", got, "convert the column")

    for view in detector.views:
        for part, is_number in (("index", types.is_integer), ("energy", types.is_floating)):
            name = f"{view.name}_{part}"
            kind = schema.field(name).type
            is_list = types.is_list(kind) or types.is_large_list(kind)
            check(name, is_list and is_number(kind.value_type), "lists of numbers")
    for name in TRUTH_COLUMNS:
        if name in schema.names:
            kind = schema.field(name).type
            kind = kind.value_type if name == "vertex" and types.is_nested(kind) else kind
            check(name, types.is_integer(kind) or types.is_floating(kind) or types.is_null(kind), "numbers")


def _check_row_groups(file: Path, metadata: Any) -> None:
    sizes = (metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    largest = max(sizes, default=0)
    if largest > _LARGEST_ROW_GROUP:
        expected = f"row groups of at most {_LARGEST_ROW_GROUP} bytes"
        raise TooLargeError(file, expected, f"{largest} bytes", "write the file with smaller row groups")


def _rows(
    file: Path, first: int, batch: Any, scalars: list[str], detector: Detector
) -> Iterator[Row | SourceFileError]:
    values = batch.select(scalars).to_pylist() if scalars else [{}] * batch.num_rows
    views = {
        f"{view.name}_{part}": _lists(batch.column(f"{view.name}_{part}"))
        for view in detector.views
        for part in ("index", "energy")
    }
    for event, known in enumerate(values):
        index = first + event
        where = f"{file}#{index}"
        row = blank_row(numbered_id(file, index), detector, f"{file.name}#{index}")
        try:
            row |= {name: value for name, value in known.items() if value is not None}
            row["event_id"] = str(row["event_id"])
            _check_name(where, row["detector"], detector)
            row["label"] = label_number(where, row["label"])
            for view in detector.views:
                row |= _view(
                    where, view, *(views[f"{view.name}_{part}"][event] for part in ("index", "energy"))
                )
        except SourceFileError as error:
            yield error
        else:
            yield row


def _lists(column: Any) -> list[NDArray[Any] | None]:
    numbers = column.values.to_numpy(zero_copy_only=False)
    offsets = column.offsets.to_numpy()
    present = column.is_valid().to_numpy(zero_copy_only=False)
    return [
        numbers[begin:end] if valid else None
        for begin, end, valid in zip(offsets[:-1], offsets[1:], present, strict=True)
    ]


def _check_name(where: str, name: str, detector: Detector) -> None:
    if name != detector.name:
        expected = f"detector {detector.name!r}; known are {', '.join(DETECTORS)}"
        raise UnknownDetectorError(where, expected, repr(name), "choose the detector the row was made with")


def _view(where: str, view: View, index: NDArray[Any] | None, energy: NDArray[Any] | None) -> Row:
    if index is None or energy is None:
        raise MissingViewError(where, f"view {view.name!r}", "null", "store an empty list for an empty view")
    size = view.rows * view.columns
    rises = len(index) == 0 or (index[0] >= 0 and index[-1] < size and bool(np.all(index[1:] > index[:-1])))
    if len(index) != len(energy) or not rises:
        expected = f"as many energies as pixels of view {view.name!r}, numbered 0 to {size - 1} and rising"
        got = f"{len(index)} pixels, {len(energy)} energies" + (
            "" if rises else ", numbers out of order or range"
        )
        raise ArraySizeError(where, expected, got, "sort the pixels and add up those that occur twice")
    with np.errstate(over="ignore"):
        energy = energy.astype(np.float32)
    check_energies(where, energy)
    return {f"{view.name}_index": index.astype(np.uint32), f"{view.name}_energy": energy}
