"""From dense pixel maps and labels, as real files hold them, to pixel-map rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.pixel_map_rows import LABELS
from nuzoo.datasets_scripts.readers.source_errors import (
    ArraySizeError,
    MissingViewError,
    NegativeEnergyFileError,
    NonFiniteEnergyError,
    NotThisFormatError,
    ObjectArrayError,
    SourceFileError,
    UnknownDetectorError,
    UnknownLabelError,
    UnknownScaleError,
)
from nuzoo.simulation.detectors import DETECTORS, Detector

Row = dict[str, Any]
"""One pixel-map row: column name to value, None where the file does not tell."""

TRUTH_COLUMNS = (
    "neutrino_energy",
    "neutrino_pdg",
    "interaction_mode",
    "lepton_pdg",
    "lepton_energy",
    "inelasticity",
    "vertex",
    "n_protons",
    "n_neutrons",
    "n_charged_pions",
    "n_neutral_pions",
    "deposited_energy",
)
"""Columns that only a file with truth fills."""

_LABEL_NUMBERS = {name.replace("_", ""): number for number, name in enumerate(LABELS)}


def detector_named(name: str) -> Detector:
    """The detector of that name.

    Raises:
        UnknownDetectorError: No such detector.
    """
    if name not in DETECTORS:
        raise UnknownDetectorError(
            "detector", f"one of {', '.join(DETECTORS)}", repr(name), "name a known one"
        )
    return DETECTORS[name]


def dense_shape(detector: Detector) -> tuple[int, int, int]:
    """(views, rows, columns) of a detector whose views have one size."""
    view = detector.views[0]
    return len(detector.views), view.rows, view.columns


def matching_detector(file: Path, shape: tuple[int, ...], detector: Detector | None) -> Detector:
    """The detector that maps of a shape belong to.

    Args:
        file: Where the maps are.
        shape: (views, rows, columns).
        detector: The one that was asked for; None finds the first known one of this shape.

    Raises:
        MissingViewError: Maps of the right size, too few of them.
        ArraySizeError: No known detector, or not the one asked for, has this shape.
    """
    candidates = [detector] if detector else list(DETECTORS.values())
    for candidate in candidates:
        if dense_shape(candidate) == shape:
            return candidate
    expected = " or ".join(f"{dense_shape(each)} for {each.name!r}" for each in candidates)
    remedy = "choose the detector the file was made with, or crop and pad its maps"
    for candidate in candidates:
        if len(shape) == 3 and dense_shape(candidate)[1:] == shape[1:] and shape[0] < len(candidate.views):
            views = ", ".join(view.name for view in candidate.views)
            raise MissingViewError(file, f"the views {views}: {expected}", f"{shape}", "add the missing view")
    raise ArraySizeError(file, f"(views, rows, columns) = {expected}", f"{shape}", remedy)


def views_first(maps: NDArray[Any]) -> NDArray[Any]:
    """Moves views that come last, (..., rows, columns, views), to (..., views, rows, columns)."""
    return np.moveaxis(maps, -1, -3) if maps.shape[-1] < maps.shape[-3] else maps


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


def sparse_view(file: Path | str, pixels: NDArray[Any], scale: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """The non-zero pixels of one view.

    Args:
        file: Where the view is.
        pixels: (rows, columns).
        scale: MeV per unit.

    Returns:
        uint32 (k,) flat indices row * columns + column, rising, and float32 (k,) energies in MeV.

    Raises:
        NonFiniteEnergyError: NaN or infinity, also after rounding to single precision.
        NegativeEnergyFileError: An energy below zero.
    """
    flat = pixels.reshape(-1)
    index = np.flatnonzero(flat != 0)
    with np.errstate(over="ignore"):
        energy = (flat[index] * np.asarray(scale, np.float64)).astype(np.float32)
    check_energies(file, energy)
    return index.astype(np.uint32), energy


def check_energies(file: Path | str, energy: NDArray[Any]) -> None:
    """Refuses energies that are not finite or below zero.

    Raises:
        NonFiniteEnergyError: NaN or infinity.
        NegativeEnergyFileError: An energy below zero.
    """
    finite = np.isfinite(energy)
    if not finite.all():
        got = f"{energy.size - np.count_nonzero(finite)} energies that are NaN or infinite"
        raise NonFiniteEnergyError(file, "finite energies", got, "set dead pixels to 0")
    if energy.size and energy.min() < 0:
        got = f"an energy of {energy.min():g}"
        raise NegativeEnergyFileError(
            file, "energies of 0 or more", got, "clip noise below the pedestal at 0"
        )


def label_number(file: Path | str, value: Any) -> int | None:
    """The number of a class.

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
    elif isinstance(value, int | np.integer) and not isinstance(value, bool) and -1 <= value < len(LABELS):
        return None if value == -1 else int(value)
    expected = f"one of {', '.join(LABELS)} or their numbers 0 to {len(LABELS) - 1}"
    raise UnknownLabelError(file, expected, repr(value)[:80], "correct the label or remove it")


def numbered_id(file: Path, index: int) -> str:
    """Event id of event `index` of a file: `<folder>/<stem>#<index>`."""
    return f"{file.absolute().parent.name}/{file.stem}#{index}"


def blank_row(event_id: str, detector: Detector, source: str) -> Row:
    """A row that knows neither label nor truth."""
    return {
        "event_id": event_id,
        "detector": detector.name,
        "label": None,
        **dict.fromkeys(TRUTH_COLUMNS),
        "source": source,
    }


def view_columns(file: Path | str, maps: Iterable[NDArray[Any]], detector: Detector, scale: float) -> Row:
    """The columns `<view>_index` and `<view>_energy` of one event.

    Args:
        file: Where the event is.
        maps: (rows, columns) per view, in the detector's order.
        detector: Gives the names of the views.
        scale: MeV per unit.
    """
    columns: Row = {}
    for view, pixels in zip(detector.views, maps, strict=True):
        columns[f"{view.name}_index"], columns[f"{view.name}_energy"] = sparse_view(file, pixels, scale)
    return columns


def dense_rows(
    file: Path,
    first: int,
    maps: NDArray[Any],
    detector: Detector,
    mev_per_count: float | None,
    labels: Iterable[Any] | None = None,
    event_ids: Iterable[Any] | None = None,
) -> Iterator[Row | SourceFileError]:
    """Rows of consecutive events of one file; an event that is broken gives its error instead.

    Args:
        file: The file.
        first: Index of the first event within the file.
        maps: (events, views, rows, columns), MeV if floating-point, counts if integers.
        detector: Whose maps they are.
        mev_per_count: MeV of one count.
        labels: One per event, as `label_number` takes them.
        event_ids: One per event; made from the file's name if None.

    Yields:
        Rows and errors in the order of the events.
    """
    scale = energy_scale(file, maps.dtype, mev_per_count)
    labels = [None] * len(maps) if labels is None else labels
    event_ids = [None] * len(maps) if event_ids is None else event_ids
    for index, (event, label, event_id) in enumerate(zip(maps, labels, event_ids, strict=True), first):
        name = numbered_id(file, index) if event_id is None else _text(event_id)
        where = f"{file}#{index}"
        row = blank_row(name, detector, f"{file.name}#{index}")
        try:
            row |= view_columns(where, event, detector, scale) | {"label": label_number(where, label)}
        except SourceFileError as error:
            yield error
        else:
            yield row


def events_at_once(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """How many events of a shape make a slice of about 32 MiB."""
    return max(1, (32 << 20) // max(1, math.prod(shape) * dtype.itemsize))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
