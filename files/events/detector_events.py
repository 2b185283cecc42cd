"""Events of a detector with several sub-detectors: their schema, and what its columns must say together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.detector_event_columns import (
    CAL_STATUS,
    MATCHED,
    DetectorEventGeometry,
    detector_event_columns,
)
from nuzoo.files.events.event_errors import EventError, OrderError, RangeError, ShapeError
from nuzoo.files.events.event_schema import EventSchema, Ragged

LINK_TOLERANCE = 1e-3
"""How far the weights of the links of a hit may be from a sum of 1: they are stored as float32."""

_AXES = ("x", "y", "z")


@dataclass(frozen=True)
class DetectorEventSchema(EventSchema):
    """The columns, and what several of them say together.

    Attributes:
        layers_per_module: layers of cubes along z of one module of the 3DCal.
        muon_tracks: the most tracks that an event stores.
    """

    layers_per_module: int = 20
    muon_tracks: int = 10

    def check(self, table: Mapping[str, Ragged], *, stored: bool = False) -> None:
        """Refuse numbers that are not what their columns say, or contradict each other.

        Args:
            table: see `EventSchema.check`.
            stored: see `EventSchema.check`.

        Raises:
            EventError: with the first column and event that are wrong.
        """
        super().check(table, stored=stored)
        if all(f"cal_{axis}" in table for axis in _AXES):
            _check_cells(table)
        if "cal_module" in table:
            self._check_modules(table["cal_z"], table["cal_module"])
        if "muon_charge" in table:
            self._check_tracks(table["muon_charge"])
        if all(name in table for name in ("cal_status", "cal_link_count", "link_weight")):
            _check_links(table["cal_status"], table["cal_link_count"], table["link_weight"])

    def _check_tracks(self, charge: Ragged) -> None:
        if (wrong := np.flatnonzero(charge.counts > self.muon_tracks)).size:
            event = int(wrong[0])
            problem = (
                f"expected {self.muon_tracks} tracks at most, got {charge.counts[event]}: store the first of "
                "them in all columns of tracks, and in muon_count how many there are"
            )
            raise ShapeError(
                f"column 'muon_charge' of event {event}: {problem}", event, "muon_charge", problem
            )

    def _check_modules(self, z: Ragged, module: Ragged) -> None:
        if not len(module.values):
            return
        wrong = np.flatnonzero(z.values // self.layers_per_module != module.values)
        if wrong.size:
            first = int(wrong[0])
            raise _wrong(
                RangeError,
                "cal_module",
                z,
                first,
                f"module {z.values[first] // self.layers_per_module} of layer {z.values[first]}",
                module.values[first],
                "number the layers of all modules one after the other, without gaps",
            )


def detector_event_schema(geometry: Mapping[str, Any]) -> DetectorEventSchema:
    """Return the columns of an event: what each sub-detector recorded, and the truth.

    Args:
        geometry: see `DetectorEventGeometry.of`.

    Returns:
        Of hits, those of the cubes, of the AHCAL and the muon tracks. Links are flat: those of the first hit,
        then of the second and so on, `cal_link_count` of each.
    """
    layout = DetectorEventGeometry.of(geometry)
    columns = detector_event_columns(layout)
    return DetectorEventSchema(columns, layout.detector or "", layout.layers_per_module, layout.muon_tracks)


def _check_cells(table: Mapping[str, Ragged]) -> None:
    """Refuse two hits of one cube."""
    x, y, z = (table[f"cal_{axis}"].values.astype(np.int64) for axis in _AXES)
    lists = table["cal_z"]
    again = _first_again((x, y, z), lists.counts)
    if again is not None:
        got = f"({x[again]}, {y[again]}, {z[again]}) again"
        raise _wrong(OrderError, "cal_x", lists, again, "each cube once", got, "add up hits of one cube")


def _first_again(axes: Sequence[NDArray[np.int64]], counts: NDArray[np.int64]) -> int | None:
    """Find the first hit of a cube that its event has had before.

    Hits write their number into their cube; who reads another one shares it. That takes no sorting.
    """
    if not len(axes[0]):
        return None
    box = [int(axis.max()) + 1 for axis in axes]
    cube = np.ravel_multi_index(tuple(axes), box)
    written, number, start = np.empty(prod(box), np.int64), np.arange(len(cube)), 0
    for end in np.cumsum(counts).tolist():
        own = cube[start:end]
        written[own] = number[start:end]
        if (written[own] != number[start:end]).any():
            _, first = np.unique(own, return_index=True)
            return start + int(np.setdiff1d(np.arange(len(own)), first)[0])
        start = end
    return None


def _check_links(status: Ragged, count: Ragged, weight: Ragged) -> None:
    """Refuse links that do not add up: their number, their weights, or those of hits that have none."""
    per_event = np.bincount(count.event, count.values, len(count.counts)).astype(np.int64)
    if (wrong := np.flatnonzero(per_event != weight.counts)).size:
        event = int(wrong[0])
        problem = (
            f"expected as many links as cal_link_count says, {per_event[event]}, got {weight.counts[event]}: "
            "write both columns together"
        )
        raise ShapeError(f"column 'link_weight' of event {event}: {problem}", event, "link_weight", problem)
    if not len(status.values):
        return
    links = count.values
    if (wrong := np.flatnonzero((status.values == MATCHED) != (links > 0))).size:
        first = int(wrong[0])
        expected = "links of matched hits, and none of ghosts and unmatched ones"
        got = f"{links[first]} of a hit that is {CAL_STATUS[status.values[first]]}"
        raise _wrong(RangeError, "cal_link_count", status, first, expected, got, "correct its status")
    hit = np.repeat(np.arange(len(links)), links)
    total = np.bincount(hit, weight.values, len(links))
    if (wrong := np.flatnonzero((links > 0) & (np.abs(total - 1) > LINK_TOLERANCE))).size:
        first = int(wrong[0])
        expected, got = "weights of the links of a hit that sum to 1", f"{total[first]:.6g}"
        raise _wrong(RangeError, "link_weight", status, first, expected, got, "divide them by their sum")


def _wrong(
    kind: type[EventError], name: str, hits: Ragged, hit: int, expected: str, got: Any, remedy: str
) -> EventError:
    event = hits.event_of(hit)
    problem = f"expected {expected}, got {got} at hit {hit - int(hits.counts[:event].sum())}: {remedy}"
    return kind(f"column {name!r} of event {event}: {problem}", event, name, problem)
