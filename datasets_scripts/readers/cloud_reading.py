"""How files of point clouds are read, and the check that each of their events passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.event_values import checked_values
from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.reading import FileReading
from nuzoo.datasets_scripts.readers.source_errors import (
    NotThisFormatError,
    SourceFileError,
    TooFewHitsError,
    UnknownScaleError,
    WrongEventError,
    naming_errors,
)
from nuzoo.files.events.event_errors import OrderError, ShapeError
from nuzoo.files.events.event_schema import EventSchema, Ragged
from nuzoo.files.events.point_cloud_events import VOXEL, point_cloud_schema
from nuzoo.simulation.detectors import DETECTORS, Detector, find_detector
from nuzoo.simulation.errors import UnknownDetectorError

AXES = ("x", "y", "z")
_FAR = 2**31
"""Voxels that no detector has."""
PLAUSIBLE_MEV = (0.01, 100.0)
"""Median energies of the hits of an event; a minimum-ionising particle leaves 0.6 MeV in 3 mm of argon."""
_FEWEST_HITS = 10
"""Events of fewer hits may have any median."""


@dataclass(frozen=True)
class CloudReading(FileReading):
    """How files of point clouds are to be read.

    Attributes:
        detector: Whose events these are; None for that of the format.
        formats: Names of the formats that are wanted; none for all.
        energy_threshold: Hits of this many MeV or less are left out; None for the usual one of the format.
        min_points: Events with fewer hits than this, before the threshold, are passed over.
        vertices: Files whose vertices are not those of their hits are refused.
        mev_per_charge: MeV of one unit of charge; None for the usual one of the format.
    """

    detector: Detector | None = None
    formats: tuple[str, ...] = ()
    energy_threshold: float | None = None
    min_points: int = 0
    vertices: bool = False
    mev_per_charge: float | None = None

    def whose(self, usual: str) -> Detector:
        """Return the detector that was asked for, else the usual one of a format."""
        return self.detector or find_detector(usual)

    def threshold(self, usual: float = 0.0) -> float:
        """Return the threshold that was asked for, else the usual one of a format, MeV."""
        return usual if self.energy_threshold is None else self.energy_threshold

    def check_wanted(self, file: Path, text: str, name: str = "") -> None:
        """Refuse a file of another format than is asked for.

        Args:
            file: The file.
            text: What it is, for people.
            name: Of its format; empty of one that no dataset is made of.

        Raises:
            NotThisFormatError: It is not wanted.
        """
        if self.formats and name not in self.formats:
            remedy = f"give --format {name}, or read it with nuzoo.datasets_scripts.readers"
            if not name:
                remedy = "leave it out: nuzoo display draws it, and a dataset of nuzoo's needs no conversion"
            raise NotThisFormatError(file, f"files of {' or '.join(self.formats)}", text, remedy)

    def check_charge(self, file: Path) -> None:
        """Refuse energies in MeV of which the user says that they are charges.

        Raises:
            UnknownScaleError: There is `mev_per_charge`.
        """
        if self.mev_per_charge is not None:
            expected = f"charges of {self.mev_per_charge:g} MeV, as --mev-per-charge says"
            raise UnknownScaleError(file, expected, "energies in MeV", "leave --mev-per-charge out")

    def above(self, where: Path | str, energy: NDArray[Any], usual: float = 0.0) -> NDArray[np.bool_]:
        """Say which hits are above the threshold; note where none is."""
        threshold = self.threshold(usual)
        kept: NDArray[np.bool_] = energy > threshold
        if energy.size and not kept.any():
            self.note(f"no hit is above {threshold:g} MeV: events are empty", where)
        return kept

    def check_enough(self, where: Path | str, points: int) -> None:
        """Pass an event over that has too few hits.

        Raises:
            TooFewHitsError: It has.
        """
        if points < self.min_points:
            expected = f"at least {self.min_points:,} points"
            raise TooFewHitsError(where, expected, f"{points:,}", "lower min_points to have it")

    def go_without(self, error: SourceFileError, where: Path | str) -> None:
        """Remember that the truth of an event cannot be read; raise the error where it is asked for."""
        if self.truth:
            raise error
        self.note(f"truth stays unknown: {str(error).removeprefix(str(where)).lstrip(':, ')}", where)


def cloud_detectors() -> dict[str, Detector]:
    """Return the known detectors that are seen as point clouds, by name."""
    return {name: each for name, each in DETECTORS.items() if "positions" in each.geometry()}


def cloud_detector(name: str) -> Detector:
    """Find a detector that is seen as point clouds.

    Raises:
        UnknownDetectorError: There is none of this name, or it is seen otherwise.
    """
    detector = find_detector(name)
    if "positions" not in detector.geometry():
        names = ", ".join(cloud_detectors())
        raise UnknownDetectorError(
            f"detector: expected one of point clouds ({names}), got {name!r}: take one of these"
        )
    return detector


@cache
def cloud_schema(detector: Detector) -> EventSchema:
    """Return the columns of a detector's rows."""
    return point_cloud_schema(detector.geometry())


def blank_cloud(event_id: str, detector: Detector, source: str) -> Row:
    """Return a row that says whose it is and nothing else."""
    identity = {"event_id": event_id, "detector": detector.name, "source": source}
    return {**identity, "positions": detector.geometry()["positions"]}


def truth_columns(schema: EventSchema) -> set[str]:
    """Return the columns that a detector does not record."""
    return {column.name for column in schema.columns if column.is_number and not column.required}


def whole_positions(where: Path | str, positions: NDArray[Any]) -> dict[str, NDArray[np.int64]]:
    """Return voxel numbers as whole numbers.

    Args:
        where: The event.
        positions: (hits, 3), of any type.

    Raises:
        WrongEventError: Some are not whole.
    """
    if positions.dtype.kind not in "iufb":
        problem = f"expected whole numbers of voxels, got {positions.dtype}: save them as int16"
        raise WrongEventError(where, AXES[0], problem)
    rounded = np.rint(positions, dtype=np.float64)
    whole = (rounded == positions) & np.isfinite(positions)
    if (wrong := np.argwhere(~whole)).size:
        hit, axis = map(int, wrong[0])
        problem = (
            f"expected whole numbers of voxels, got {positions[hit, axis]} at entry {hit}: divide positions "
            "in mm by the pitch, and round down"
        )
        raise WrongEventError(where, AXES[axis], problem)
    numbers = np.clip(rounded, -_FAR, _FAR).astype(np.int64)
    return dict(zip(AXES, numbers.T, strict=True))


def checked_energy(where: Path | str, energy: NDArray[Any]) -> NDArray[Any]:
    """Return the energies of all hits, before any threshold, which would hide NaN and what is below zero.

    Raises:
        WrongEventError: One is NaN, infinite or negative; or they are in another unit than MeV.
    """
    finite = np.isfinite(energy)
    if not finite.all():
        hit = int(np.argmin(finite))
        problem = f"expected finite numbers, got {energy[hit]} at entry {hit}: make the event again"
        raise WrongEventError(where, "energy", problem)
    if energy.size and energy.min() < 0:
        hit = int(np.argmin(energy))
        problem = (
            f"expected at least 0, got {energy[hit]} at entry {hit}: subtract the pedestal, or set it to 0"
        )
        raise WrongEventError(where, "energy", problem)
    _check_unit(where, energy)
    return energy


def _check_unit(where: Path | str, energy: NDArray[Any]) -> None:
    low, high = PLAUSIBLE_MEV
    median = float(np.median(energy)) if energy.size >= _FEWEST_HITS else low
    if not low <= median <= high:
        problem = (
            f"expected hits with a median of {low:g} to {high:g} MeV, got {median:.3g}: convert energies "
            "to MeV"
        )
        raise WrongEventError(where, "energy", problem)


def above_threshold(where: Path | str, row: Row, detector: Detector, reading: CloudReading) -> Row:
    """Return a row of a file that holds all hits as they are, without those that are not wanted.

    Raises:
        WrongEventError: See `checked_energy`.
        TooFewHitsError: There are fewer hits than are asked for.
    """
    energy = np.asarray(row["energy"])
    if energy.ndim != 1 or energy.dtype.kind not in "iuf":
        return row
    checked_energy(where, energy)
    reading.check_enough(where, energy.size)
    if reading.energy_threshold is None:
        return row
    kept = reading.above(where, energy)
    per_hit = (column.name for column in cloud_schema(detector).columns if column.per == "hit")
    of_hits = {name: np.asarray(row[name]) for name in per_hit if row.get(name) is not None}
    return row | {name: of[kept] for name, of in of_hits.items() if of.shape == kept.shape}


def checked_cloud(row: Row, schema: EventSchema) -> Row:
    """Return a row as it is stored.

    Raises:
        EventError: A number that its column cannot hold, lists that do not fit, or two hits in one voxel.
    """
    lists: dict[str, NDArray[Any]] = {}
    for column in schema.columns:
        if column.is_ragged and row.get(column.name) is not None:
            values = np.asarray(row[column.name])
            if values.ndim != 1:
                problem = f"expected a flat list, got shape {values.shape}: write one number an entry"
                raise ShapeError(f"column {column.name!r}: {problem}", 0, column.name, problem)
            with np.errstate(over="ignore"):
                lists[column.name] = (
                    values.astype(column.dtype)
                    if values.dtype.kind == "f" and not (column.is_integer)
                    else values
                )
    schema.check(
        {name: Ragged(values, np.array([values.size])) for name, values in lists.items()}, stored=True
    )
    if row["positions"] == VOXEL:
        _check_once(lists, schema)
    stored = {name: values.astype(schema[name].dtype) for name, values in lists.items()}
    return checked_values(row | stored, schema)


def rows_of(
    file: Path, events: Iterable[int], expected: str, row: Callable[[int, str], Row]
) -> Iterator[Row | SourceFileError]:
    """Yield the row of each event of a file that holds many, or its error.

    Args:
        file: The file.
        events: Their numbers.
        expected: What each is, for messages.
        row: Reads an event, by its number and where it is.
    """
    for index in events:
        where = f"{file}#{index}"
        try:
            with naming_errors(where, expected):
                made = row(index, where)
        except SourceFileError as error:
            yield error
        else:
            yield made


def _check_once(lists: dict[str, NDArray[Any]], schema: EventSchema) -> None:
    key = np.zeros(len(lists["x"]), np.int64)
    for axis in AXES:
        high = schema[axis].high
        assert high is not None, "positions are bounded"
        key = key * (int(high.value) + 1) + lists[axis]
    order = np.argsort(key, kind="stable")
    twice = np.flatnonzero(np.diff(key[order]) == 0)
    if twice.size:
        first, second = (int(order[twice[0] + step]) for step in (0, 1))
        voxel = ", ".join(str(lists[axis][first]) for axis in AXES)
        problem = (
            f"expected each voxel once, got ({voxel}) at entries {first} and {second}: add up the energies "
            "of hits in one voxel"
        )
        raise OrderError(f"column 'x': {problem}", 0, "x", problem)
