"""From dense pixel maps and labels, as real files hold them, to pixel-map rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    MissingViewError,
    NotThisFormatError,
    ObjectArrayError,
    SourceFileError,
    UnknownLabelError,
    UnknownScaleError,
    WrongEventError,
)
from nuzoo.files.events.event_classes import EVENT_CLASSES
from nuzoo.files.events.event_errors import EventError
from nuzoo.files.events.event_schema import EventSchema, Ragged
from nuzoo.files.events.pixel_map_events import pixel_map_schema
from nuzoo.simulation.detectors import DETECTORS, Detector
from nuzoo.simulation.response.pixel_maps import PixelMapReadout

MapDetector = Detector[PixelMapReadout]

LABEL_NAMES = ("pids", "labels", "label")
"""What a column of labels may be called in a file."""

_LABEL_NUMBERS = {name.replace("_", ""): number for number, name in enumerate(EVENT_CLASSES)}


def map_detectors() -> list[MapDetector]:
    """Return the known detectors whose events are pixel maps."""
    return [each for each in DETECTORS.values() if isinstance(each.readout, PixelMapReadout)]


@cache
def map_schema(detector: MapDetector) -> EventSchema:
    """Return the columns of a detector's rows."""
    return pixel_map_schema(detector.geometry())


def known_columns(detector: MapDetector) -> list[str]:
    """Return the columns per event that a file may fill."""
    columns = map_schema(detector).columns
    return [column.name for column in columns if not column.is_ragged and column.dtype != "picture"]


def dense_shape(detector: MapDetector) -> tuple[int, int, int]:
    """Return (views, rows, columns) of a detector."""
    geometry = detector.geometry()
    return len(geometry["views"]), geometry["height"], geometry["width"]


def matching_detector(file: Path, shape: tuple[int, ...], detector: MapDetector | None) -> MapDetector:
    """Return the detector that maps of a shape belong to.

    Args:
        file: Where the maps are.
        shape: (views, rows, columns), or (rows, columns, views).
        detector: The one that was asked for; None finds the first known one of this shape.

    Raises:
        MissingViewError: Maps of the right size, too few of them.
        ArraySizeError: No known detector, or not the one asked for, has this shape.
    """
    candidates = [detector] if detector else map_detectors()
    shape = (shape[2], *shape[:2]) if _has_views_last(shape) else shape
    for candidate in candidates:
        if dense_shape(candidate) == shape:
            return candidate
    expected = " or ".join(f"{dense_shape(each)} for {each.name!r}" for each in candidates)
    remedy = "choose the detector the file was made with, or crop and pad its maps"
    for candidate in candidates:
        if dense_shape(candidate)[1:] == shape[1:] and shape[0] < dense_shape(candidate)[0]:
            views = ", ".join(candidate.geometry()["views"])
            raise MissingViewError(file, f"the views {views}: {expected}", f"{shape}", "add the missing view")
    raise ArraySizeError(file, f"(views, rows, columns) = {expected}", f"{shape}", remedy)


def _has_views_last(shape: tuple[int, ...]) -> bool:
    return shape[-1] < shape[-3]


def check_per_event(file: Path, column: Any, events: int) -> None:
    """Refuse a column of labels or event ids that is there and has not one value for each event.

    Raises:
        ArraySizeError: It has another shape than (events,).
    """
    if column is not None and column.shape != (events,):
        remedy = "save one value for each event"
        raise ArraySizeError(
            file, f"pids (or labels) and event_id of shape ({events},)", f"{column.shape}", remedy
        )


def energy_scale(file: Path | str, dtype: np.dtype[Any], mev_per_count: float | None) -> float:
    """MeV per unit of an array: 1 for floating-point numbers, `mev_per_count` for integers.

    Raises:
        ObjectArrayError: Python objects.
        NotThisFormatError: Neither floating-point numbers nor integers.
        UnknownScaleError: Integers, and no `mev_per_count`.
    """
    if dtype.hasobject:
        raise ObjectArrayError(
            file, "an array of numbers", "Python objects", "save the maps as float32 or uint8"
        )
    if dtype.kind not in "fiu":
        remedy = "save the maps as float32 (MeV) or uint8 (counts)"
        raise NotThisFormatError(file, "an array of energies or counts", f"dtype {dtype}", remedy)
    if dtype.kind == "f":
        return 1.0
    if mev_per_count is None:
        remedy = "give the energy of one count: mev_per_count, on the command line --mev-per-count"
        raise UnknownScaleError(file, "energies in MeV as floating-point numbers", f"{dtype} counts", remedy)
    return mev_per_count


def check_hits(where: Path | str, row: Row, detector: MapDetector) -> None:
    """Refuse an event whose pixels or energies are not what the columns of its detector hold.

    Raises:
        WrongEventError: With the column and its first wrong number.
    """
    schema = map_schema(detector)
    names = (column.name for column in schema.hits)
    try:
        schema.check({name: Ragged(row[name], np.array([len(row[name])])) for name in names}, stored=True)
    except EventError as error:
        raise WrongEventError(where, str(error.column), error.problem) from error


def label_number(file: Path | str, value: Any) -> int | None:
    """Return the number of a class.

    Args:
        file: Where the label is.
        value: "nuecc", "numucc" or "nc" (any case, underscores and blanks ignored), or 0, 1, 2 in that
            order; None and -1 are no label.

    Raises:
        UnknownLabelError: Anything else.
    """
    if value is None:
        return None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        number = _LABEL_NUMBERS.get("".join(value.split()).replace("_", "").lower())
        if number is not None:
            return number
    elif (
        isinstance(value, int | np.integer)
        and not isinstance(value, bool)
        and -1 <= value < len(EVENT_CLASSES)
    ):
        return None if value == -1 else int(value)
    expected = f"one of {', '.join(EVENT_CLASSES)} or their numbers 0 to {len(EVENT_CLASSES) - 1}"
    raise UnknownLabelError(file, expected, repr(value)[:80], "correct the label or remove it")


def numbered_id(file: Path, index: int) -> str:
    """Event id of event `index` of a file: `<folder>/<stem>#<index>`."""
    return f"{file.absolute().parent.name}/{file.stem}#{index}"


def blank_row(event_id: str, detector: MapDetector, source: str) -> Row:
    """Return a row that knows neither label nor truth."""
    known = {"event_id": event_id, "detector": detector.name, "source": source}
    return {**dict.fromkeys(known_columns(detector)), **known}


def view_columns(file: Path | str, maps: Iterable[NDArray[Any]], detector: MapDetector, scale: float) -> Row:
    """Return the columns `<view>_index` and `<view>_energy` of one event: its non-zero pixels.

    Args:
        file: Where the event is.
        maps: (rows, columns) per view, in the detector's order.
        detector: Gives the names of the views.
        scale: MeV per unit.

    Returns:
        For each view uint32 (k,) flat indices row * columns + column, rising, and float32 (k,) MeV.

    Raises:
        WrongEventError: An energy that is NaN, infinite (also after rounding to single precision), below
            zero or beyond belief.
    """
    columns: Row = {}
    for view, pixels in zip(detector.readout.views, maps, strict=True):
        flat = pixels.reshape(-1)
        index = np.flatnonzero(flat != 0)
        with np.errstate(over="ignore"):
            energy = (flat[index] * np.asarray(scale, np.float64)).astype(np.float32)
        columns[f"{view.name}_index"], columns[f"{view.name}_energy"] = index.astype(np.uint32), energy
    check_hits(file, columns, detector)
    return columns


def dense_rows(
    file: Path,
    first: int,
    maps: NDArray[Any],
    detector: MapDetector,
    mev_per_count: float | None,
    labels: Any = None,
    event_ids: Any = None,
) -> Iterator[Row | SourceFileError]:
    """Rows of consecutive events of one file; an event that is broken gives its error instead.

    Args:
        file: The file.
        first: Index of the first event within the file.
        maps: (events, views, rows, columns) or (events, rows, columns, views), MeV if floating-point,
            counts if integers.
        detector: Whose maps they are.
        mev_per_count: MeV of one count.
        labels: One for each event of the file, as `label_number` takes them; None where none are known.
        event_ids: One for each event of the file; made from the file's name if None.

    Yields:
        Rows and errors in the order of the events.
    """
    scale = energy_scale(file, maps.dtype, mev_per_count)
    part, nothing = slice(first, first + len(maps)), [None] * len(maps)
    columns = [nothing if column is None else column[part] for column in (labels, event_ids)]
    maps = np.moveaxis(maps, -1, -3) if _has_views_last(maps.shape) else maps
    for index, (event, label, event_id) in enumerate(zip(maps, *columns, strict=True), first):
        name = numbered_id(file, index) if event_id is None else _text(event_id)
        where = f"{file}#{index}"
        row = blank_row(name, detector, f"{file.name}#{index}")
        try:
            row |= view_columns(where, event, detector, scale) | {"label": label_number(where, label)}
        except SourceFileError as error:
            yield error
        else:
            yield row


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
