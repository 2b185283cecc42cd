"""What each part of a detector recorded in a batch of events, read from rows of any form and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.detector_event_columns import DATA_VERSION
from nuzoo.files.events.event_errors import MissingColumnError, RangeError, ShapeError
from nuzoo.files.events.event_schema import Column, EventSchema, Ragged, check_numbers
from nuzoo.processors.event_tables import as_numpy, is_table, read_hits, split_rows

CAL, AHCAL, MUON = "cal", "ahcal", "muon"
ECAL_ENERGY = "ecal_energy"
MUON_MOMENTUM = ("muon_px", "muon_py", "muon_pz")
NO_ECAL = (
    "networks read all parts of the detector; write 0 where a tower has no energy, or leave the event out"
)
LEAST_POINTS = 3
"""Points on a muon track that is fitted rather than guessed (arXiv 2604.07037)."""


@dataclass(frozen=True)
class RecordedParts:
    """The lists of a batch of events, of event after event.

    Attributes:
        lists: columns of hits of the 3DCal and the AHCAL, and of those muon tracks that are used, by name.
        ecal: float64 (events, towers), MeV.
        muon_count: int64 (events,), tracks that were found.
    """

    lists: Mapping[str, Ragged]
    ecal: NDArray[np.float64]
    muon_count: NDArray[np.int64]

    def cells(self, word: str) -> NDArray[np.int64]:
        """Give the numbers of cells (hits, 3) of a part."""
        return np.stack([self.lists[f"{word}_{axis}"].values.astype(np.int64) for axis in "xyz"], axis=1)

    def values(self, name: str) -> NDArray[np.float64]:
        """Give the entries of a column, (n,)."""
        return self.ecal.ravel() if name == ECAL_ENERGY else self.lists[name].values.astype(np.float64)

    def offset(self, name: str) -> NDArray[np.int64]:
        """Say where the entries of each event end in a column, (events,)."""
        return np.cumsum(self.lists[name].counts)


def read_parts(rows: Any, schema: EventSchema) -> RecordedParts:
    """Read what was recorded.

    Args:
        rows: see `nuzoo.processors.event_tables.split_rows`; no `datasets.Dataset`.
        schema: of the events.

    Returns:
        Of muon tracks, those with a chi2 above 0 and `LEAST_POINTS` or more points; where nobody counted its
        points a track has enough. An event that does not count its tracks has those that are stored.

    Raises:
        EventError: an event is not what the schema says.
    """
    lists = read_hits(rows, schema)
    schema.check(lists)
    stored = lists["muon_chi2"].counts
    read_dense(rows, schema["data_version"], unknown=np.full(len(stored), DATA_VERSION))  # refuses others
    ecal = read_dense(rows, schema[ECAL_ENERGY], remedy=NO_ECAL).reshape(len(stored), -1)
    counted = read_dense(rows, schema["muon_count"], unknown=stored)[:, 0]
    _refuse_uncounted(counted, stored)
    fitted = _enough_points(rows, schema["muon_n_points"], stored) & (lists["muon_chi2"].values > 0)
    kept = np.bincount(lists["muon_chi2"].event[fitted], minlength=len(stored))
    tracks = {name: Ragged(of.values[fitted], kept) for name, of in lists.items() if name.startswith(MUON)}
    return RecordedParts({**lists, **tracks}, ecal.astype(np.float64), counted.astype(np.int64))


def _refuse_uncounted(counted: NDArray[Any], stored: NDArray[np.int64]) -> None:
    for event in np.flatnonzero(counted < stored)[:1].tolist():
        problem = (
            f"expected at least the {stored[event]} muon tracks that are stored, got {counted[event]}: count "
            "all tracks, or leave the column out"
        )
        raise RangeError(f"column 'muon_count' of event {event}: {problem}", event, "muon_count", problem)


def read_dense(
    rows: Any,
    column: Column,
    unknown: Sequence[Any] | NDArray[Any] | None = None,
    remedy: str = "leave the event out, or ask for something else",
) -> NDArray[Any]:
    """Read a column with as many numbers for each event, (events, numbers).

    Args:
        rows: see `read_parts`.
        column: of the schema.
        unknown: what stands for the numbers of each event that does not have any; None, for all or for one
            of them, refuses such.
        remedy: what to do about an event that is refused for this.

    Raises:
        EventError: an event does not have it, or not such numbers as the schema says.
    """
    found = []
    for event, value in enumerate(values_of_events(rows, column.name)):
        if value is None and unknown is not None:
            value = unknown[event]
        if value is None:
            many = "a number" if column.length == 1 else f"{column.length} numbers"
            problem = f"expected {many} ({column.text}), got none: {remedy}"
            raise MissingColumnError(
                f"column {column.name!r} of event {event}: {problem}", event, column.name, problem
            )
        values = np.atleast_1d(as_numpy(value))
        if values.shape != (column.length,):
            raise ShapeError(
                f"column {column.name!r} of event {event}: expected {column.length} numbers, got shape "
                f"{values.shape}: use a processor for the detector that recorded the event",
                event,
                column.name,
            )
        found.append(values.astype(np.int64) if values.dtype == bool else values)
    stacked = np.stack(found) if found else np.empty((0, column.length))
    check_numbers(column, Ragged(stacked.ravel(), np.full(len(stacked), column.length)))
    return stacked


def read_lists(rows: Any, schema: EventSchema, names: Sequence[str]) -> dict[str, Ragged]:
    """Read and check columns of lists that not every event has to have.

    Args:
        rows: see `read_parts`.
        schema: of the events.
        names: of the columns; each event must have them all.

    Raises:
        EventError: an event does not have them, or not such as the schema says.
    """
    per = {schema[name].per for name in names}
    of_length = {column.per: column.name for column in schema.hits if column.per in per}
    needed = {*names, *of_length.values()}
    asked = replace(
        schema,
        columns=tuple(
            replace(column, required=True)
            for column in schema.columns
            if column.is_ragged and column.name in needed
        ),
    )
    lists = read_hits(rows, asked)
    asked.check(lists)
    return lists


def values_of_events(rows: Any, name: str) -> list[Any]:
    """Give what each event says in a column, None where it says nothing."""
    if is_table(rows):
        return list(rows.column(name).to_pylist()) if name in rows.column_names else [None] * rows.num_rows
    return [row.get(name) for row in rows]


def as_rows(rows: Any, schema: EventSchema) -> Any:
    """Take rows apart, see `split_rows`; an Arrow table stays one."""
    return rows if is_table(rows) else split_rows(rows, schema)


def _enough_points(rows: Any, column: Column, stored: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which tracks have enough points, (tracks,)."""
    lists = values_of_events(rows, column.name)
    points = [
        as_numpy(values) if values is not None and len(values) else np.full(tracks, LEAST_POINTS)
        for values, tracks in zip(lists, stored, strict=True)
    ]
    counts = np.array([len(one) for one in points], dtype=np.int64)
    joined = np.concatenate([np.empty(0, np.int64), *points])
    if (wrong := np.flatnonzero(counts != stored)).size:
        event = int(wrong[0])
        raise ShapeError(
            f"column {column.name!r} of event {event}: expected a number for each of {stored[event]} tracks, "
            f"got {counts[event]}: write all columns of tracks together",
            event,
            column.name,
        )
    check_numbers(column, Ragged(joined, counts))
    enough: NDArray[np.bool_] = joined >= LEAST_POINTS
    return enough
