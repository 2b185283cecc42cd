"""A row of a detector event as arrays that are checked, with the parts of its detector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.errors import DisplayError
from nuzoo.evaluation.display.detector_events.detector_parts import DetectorParts
from nuzoo.files.events.detector_event_columns import CHARM_CLASSES, FLAVOURS
from nuzoo.files.events.detector_events import detector_event_schema
from nuzoo.files.events.event_errors import MissingColumnError, ShapeError
from nuzoo.files.events.event_schema import Column, Ragged, check_numbers
from nuzoo.simulation.detectors import Detector, find_detector
from nuzoo.simulation.response.sub_detectors import SubDetectorReadout

ECAL_ENERGY = "ecal_energy"
CLASSES = {"flavour": FLAVOURS, "charm": CHARM_CLASSES}


@dataclass(frozen=True)
class EventColumns:
    """What an event knows.

    Attributes:
        detector: That saw it.
        parts: Of that detector.
        known: Arrays of the columns of numbers that are there, by name.
    """

    detector: Detector[Any]
    parts: DetectorParts
    known: Mapping[str, NDArray[Any]]

    def has(self, *names: str) -> bool:
        """Whether all of some columns are there; a list of truth that is empty beside hits is not."""
        return all(name in self.known for name in names)

    def stacked(self, word: str) -> NDArray[Any]:
        """Give the columns `<word>x`, `<word>y` and `<word>z` as one array (n, 3)."""
        return np.stack([self.known[f"{word}{axis}"] for axis in "xyz"], axis=-1)

    def value(self, name: str) -> Any:
        """Give a number of the event; None where it is not known."""
        return self.known[name][0] if name in self.known else None

    def name_of(self, column: str) -> str | None:
        """Name the class of the event by one of `CLASSES`; None where it is not known."""
        number = self.value(column)
        return None if number is None else CLASSES[column][int(number)]


def event_columns(row: Mapping[str, Any]) -> EventColumns:
    """Take the columns of an event out of a dataset row.

    Raises:
        UnknownDetectorError: There is no such detector.
        DisplayError: It is not one of several parts.
        EventError: A column is missing or wrong.
    """
    detector = find_detector(str(row.get("detector")))
    if not isinstance(detector.readout, SubDetectorReadout):
        raise DisplayError(
            f"event {row.get('event_id')}: expected a detector of several parts, got {detector.name}: name "
            "the detector that recorded these hits"
        )
    schema = detector_event_schema(detector.geometry())
    read: dict[str, Ragged] = {}
    for column in schema.columns:
        value = row.get(column.name)
        if column.is_number and value is not None:
            values = np.atleast_1d(np.asarray(_numbered(column, value)))
            read[column.name] = Ragged(values, np.array([len(values)]))
    schema.check(read)
    _check_towers(read, schema[ECAL_ENERGY])
    return EventColumns(
        detector,
        DetectorParts(detector.readout.sandwich),
        {name: lists.values for name, lists in read.items() if _is_known(schema[name], lists)},
    )


def _numbered(column: Column, value: Any) -> Any:
    """Turn a class that is given by its name into its number."""
    if column.classes and isinstance(value, str):
        return column.classes.index(value) if value in column.classes else -1
    return value


def _is_known(column: Column, lists: Ragged) -> bool:
    """Whether a column says something: an empty list of truth does not."""
    return bool(column.required or len(lists.values))


def _check_towers(read: Mapping[str, Ragged], column: Column) -> None:
    if column.name not in read:
        expected = f"column {column.name!r}: expected the energy of each of {column.length} towers, got none"
        raise MissingColumnError(f"{expected}: write 0 where there was none", column=column.name)
    if (got := len(read[column.name].values)) != column.length:
        expected = f"column {column.name!r}: expected the energy of each of {column.length} towers, got {got}"
        raise ShapeError(f"{expected}: use the detector that recorded the event", column=column.name)
    check_numbers(column, read[column.name])
