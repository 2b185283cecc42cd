"""From dense pixel maps and labels, as real files hold them, to pixel-map rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.labels import LabelColumn, read_labels
from nuzoo.datasets_scripts.readers.reading import MapDetector, Reading
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    MissingViewError,
    NotThisFormatError,
    ObjectArrayError,
    SourceFileError,
    UnknownScaleError,
    WrongEventError,
)
from nuzoo.files.events.event_errors import EventError
from nuzoo.files.events.event_schema import EventSchema, Ragged
from nuzoo.files.events.event_truth import LABEL_COLUMN
from nuzoo.files.events.pixel_map_events import DUST_MEV, MOST_LIT, check_plausible, pixel_map_schema
from nuzoo.simulation.detectors import DETECTORS
from nuzoo.simulation.response.pixel_maps import PixelMapReadout

CHOOSE = "choose the detector the file was made with (--detector NAME, or --detector FILE of one's own)"


def map_detectors(reading: Reading | None = None) -> list[MapDetector]:
    """Return the detectors with pixel maps: the one asked for, else the usual and the known ones."""
    if reading is not None and reading.detector is not None:
        return [reading.detector]
    usual = [reading.usual_detector] if reading is not None and reading.usual_detector is not None else []
    known = [each for each in DETECTORS.values() if isinstance(each.readout, PixelMapReadout)]
    return [*usual, *(each for each in known if each not in usual)]


@cache
def map_schema(detector: MapDetector) -> EventSchema:
    """Return the columns of a detector's rows."""
    return pixel_map_schema(detector.geometry())


@cache
def schema_counting(detector: MapDetector, classes: tuple[str, ...]) -> EventSchema:
    """Return the same where labels count these classes."""
    return map_schema(detector).with_classes(LABEL_COLUMN.name, classes)


def known_columns(detector: MapDetector) -> list[str]:
    """Return the columns per event that a file may fill."""
    columns = map_schema(detector).columns
    return [column.name for column in columns if not column.is_ragged and column.dtype != "picture"]


def dense_shape(detector: MapDetector) -> tuple[int, int, int]:
    """Return (views, rows, columns) of a detector."""
    geometry = detector.geometry()
    return len(geometry["views"]), geometry["height"], geometry["width"]


def matching_detector(file: Path, shape: tuple[int, ...], reading: Reading) -> MapDetector:
    """Return the detector that maps of a shape belong to.

    Args:
        file: Where the maps are.
        shape: (views, rows, columns), or (rows, columns, views).
        reading: Gives the detectors that it may be; the first one of this shape is taken.

    Raises:
        MissingViewError: Maps of the right size, too few of them.
        ArraySizeError: No known detector, or not the one asked for, has this shape.
    """
    candidates = map_detectors(reading)
    shape = (shape[2], *shape[:2]) if _has_views_last(shape) else shape
    for candidate in candidates:
        if dense_shape(candidate) == shape:
            return candidate
    expected = " or ".join(f"{dense_shape(each)} for {each.name!r}" for each in candidates)
    remedy = f"{CHOOSE}, or crop and pad its maps"
    for candidate in candidates:
        if dense_shape(candidate)[1:] == shape[1:] and shape[0] < dense_shape(candidate)[0]:
            views = ", ".join(candidate.geometry()["views"])
            raise MissingViewError(file, f"the views {views}: {expected}", f"{shape}", "add the missing view")
    raise ArraySizeError(file, f"(views, rows, columns) = {expected}", f"{shape}", remedy)


def _has_views_last(shape: tuple[int, ...]) -> bool:
    return shape[-1] < shape[-3]


def check_per_event(file: Path, name: str, column: Any, events: int) -> None:
    """Refuse a column of labels or event ids that is there and has not one value for each event.

    Raises:
        ArraySizeError: It has another shape than (events,) or (events, 1).
    """
    if column is not None and column.shape not in ((events,), (events, 1)):
        remedy = f"save one value of {name!r} for each event, or leave it out"
        raise ArraySizeError(file, f"{name!r} of shape ({events},)", f"{column.shape}", remedy)


def check_numbers(file: Path | str, dtype: np.dtype[Any]) -> None:
    """Refuse arrays that hold neither energies nor counts.

    Raises:
        ObjectArrayError: Python objects.
        NotThisFormatError: Neither floating-point numbers nor integers.
    """
    if dtype.hasobject:
        raise ObjectArrayError(
            file, "an array of numbers", "Python objects", "save the maps as float32 or uint8"
        )
    if dtype.kind not in "fiu":
        remedy = "save the maps as float32 (MeV) or uint8 (counts)"
        raise NotThisFormatError(file, "an array of energies or counts", f"dtype {dtype}", remedy)


def energy_scale(file: Path | str, dtype: np.dtype[Any], reading: Reading) -> float:
    """MeV per unit of an array: 1 for floating-point numbers, that of a count for integers.

    Raises:
        SourceFileError: Neither energies nor counts, see `check_numbers`.
        UnknownScaleError: Integers of unknown energy, or floating-point numbers that are said to be counts.
    """
    check_numbers(file, dtype)
    if dtype.kind == "f":
        check_no_counts(file, reading, f"{dtype} numbers, which are MeV")
        reading.note("floating-point maps are in MeV", file)
        return 1.0
    scale = reading.count_energy()
    if scale is None:
        remedy = (
            "give the energy of one count: mev_per_count, on the command line --mev-per-count, or --detector "
            "FILE of a detector that says it"
        )
        raise UnknownScaleError(file, "energies in MeV as floating-point numbers", f"{dtype} counts", remedy)
    reading.note(f"one count is {scale:g} MeV", file)
    return scale


def check_no_counts(file: Path | str, reading: Reading, got: str) -> None:
    """Refuse energies in MeV of which the user says that they are counts.

    Raises:
        UnknownScaleError: There is `reading.mev_per_count`.
    """
    if reading.mev_per_count is not None:
        expected = f"counts (whole numbers) of {reading.mev_per_count:g} MeV, as --mev-per-count says"
        remedy = "leave --mev-per-count out if they are MeV, or save the counts as integers"
        raise UnknownScaleError(file, expected, got, remedy)


def check_hits(where: Path | str, row: Row, detector: MapDetector, reading: Reading) -> None:
    """Refuse an event whose pixels or energies are not what the columns of its detector hold.

    Raises:
        WrongEventError: With the column and its first wrong number.
    """
    schema = map_schema(detector)
    names = (column.name for column in schema.hits)
    try:
        schema.check({name: Ragged(row[name], np.array([len(row[name])])) for name in names}, stored=True)
        for view in detector.readout.views:
            check_plausible(view.name, row[f"{view.name}_energy"], view.rows * view.columns)
    except EventError as error:
        raise WrongEventError(where, str(error.column), error.problem) from error
    lit = [(len(row[f"{view.name}_index"]), view.rows * view.columns) for view in detector.readout.views]
    if not any(pixels for pixels, _ in lit):
        reading.note("warning: no pixel holds energy: an answer to an empty event says nothing", where)
    if any(pixels > MOST_LIT * size for pixels, size in lit):
        reading.note(
            f"warning: more than {MOST_LIT:.0%} of the pixels hold energy, most of them below "
            f"{DUST_MEV:g} MeV: apply a threshold",
            where,
        )


def blank_row(event_id: str, detector: MapDetector, source: str) -> Row:
    """Return a row that knows neither label nor truth."""
    known = {"event_id": event_id, "detector": detector.name, "source": source}
    return {**dict.fromkeys(known_columns(detector)), **known}


def view_columns(
    file: Path | str, maps: Iterable[NDArray[Any]], detector: MapDetector, scale: float, reading: Reading
) -> Row:
    """Return the columns `<view>_index` and `<view>_energy` of one event: its non-zero pixels.

    Args:
        file: Where the event is.
        maps: (rows, columns) per view, in the detector's order.
        detector: Gives the names of the views.
        scale: MeV per unit.
        reading: Takes what is remarkable.

    Returns:
        For each view uint32 (k,) flat indices row * columns + column, rising, and float32 (k,) MeV.

    Raises:
        WrongEventError: An energy that is NaN, infinite (also after rounding to single precision), below
            zero or beyond belief, or too many of them.
    """
    columns: Row = {}
    for view, pixels in zip(detector.readout.views, maps, strict=True):
        flat = pixels.reshape(-1)
        index = np.flatnonzero(flat != 0)
        with np.errstate(over="ignore"):
            energy = (flat[index] * np.asarray(scale, np.float64)).astype(np.float32)
        columns[f"{view.name}_index"], columns[f"{view.name}_energy"] = index.astype(np.uint32), energy
    check_hits(file, columns, detector, reading)
    return columns


@dataclass(frozen=True)
class DenseFile:
    """What is known of a file of dense maps before its events are read.

    Attributes:
        path: The file.
        detector: Whose maps they are.
        scale: MeV per unit.
        labels: One for each event, None for no label.
        event_ids: One for each event; made from the file's name if None.
        reading: How it is read.
    """

    path: Path
    detector: MapDetector
    scale: float
    labels: Sequence[int | None]
    event_ids: Any
    reading: Reading

    def rows(self, first: int, maps: NDArray[Any]) -> Iterator[Row | SourceFileError]:
        """Rows of consecutive events; an event that is broken gives its error instead.

        Args:
            first: Index of the first event within the file.
            maps: (events, views, rows, columns) or (events, rows, columns, views).

        Yields:
            Rows and errors in the order of the events.
        """
        maps = np.moveaxis(maps, -1, -3) if _has_views_last(maps.shape) else maps
        for index, event in enumerate(maps, first):
            name = (
                self.reading.numbered_id(self.path, index)
                if self.event_ids is None
                else _text(self.event_ids[index])
            )
            row = blank_row(name, self.detector, f"{self.reading.source(self.path)}#{index}")
            where = f"{self.path}#{index}"
            try:
                row |= view_columns(where, event, self.detector, self.scale, self.reading)
            except SourceFileError as error:
                yield error
            else:
                yield row | {"label": self.labels[index]}


def dense_file(
    path: Path,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    reading: Reading,
    *,
    labels: LabelColumn | None = None,
    event_ids: Any = None,
) -> DenseFile:
    """Decide what the numbers of a file mean.

    Args:
        path: The file.
        shape: (events, views, rows, columns) or (events, rows, columns, views).
        dtype: Of the maps.
        reading: How it is read.
        labels: The column of labels, if there is one.
        event_ids: (events,) if there are any.

    Raises:
        SourceFileError: No known detector, no scale, or columns that do not fit.
    """
    scale = energy_scale(path, dtype, reading)
    detector = matching_detector(path, shape[1:], reading)
    check_per_event(path, "event_id", event_ids, shape[0])
    numbers: Sequence[int | None] = [None] * shape[0]
    if labels is not None:
        try:
            check_per_event(path, labels.name, labels.values, shape[0])
        except ArraySizeError as error:
            reading.go_without(error)
        else:
            values = np.asarray(labels.values).reshape(-1)
            numbers = read_labels(path, labels.name, values, reading, labels.names)
    ids = None if event_ids is None else np.asarray(event_ids).reshape(-1)
    return DenseFile(path, detector, scale, numbers, ids, reading)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
