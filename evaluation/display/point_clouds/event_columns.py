"""A row of a point cloud as arrays that are checked, with what its detector says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.errors import DisplayError
from nuzoo.files.events.event_errors import MissingColumnError, UnitError
from nuzoo.files.events.event_schema import Ragged
from nuzoo.files.events.point_cloud_events import (
    KEYPOINT_KINDS,
    MM,
    VOXEL,
    PointCloudGeometry,
    point_cloud_schema,
)
from nuzoo.simulation.detectors import Detector, find_detector

MM_PER_CM = 10.0


@dataclass(frozen=True)
class EventColumns:
    """What an event knows of its hits, particles and interactions.

    Attributes:
        detector: That saw it.
        layout: Where hits can be.
        known: Arrays of the lists that have entries, by column.
        hits: Number of hits.
    """

    detector: Detector
    layout: PointCloudGeometry
    known: Mapping[str, NDArray[Any]]
    hits: int

    @property
    def origin(self) -> NDArray[np.float64]:
        """Lower corner of the detector, cm (3,)."""
        return np.array(self.layout.origin_mm) / MM_PER_CM

    @property
    def pitch(self) -> NDArray[np.float64]:
        """Edges of a voxel, cm (3,)."""
        return np.array(self.layout.pitch_mm) / MM_PER_CM

    def hit_places(self) -> NDArray[np.float64]:
        """Give the middle of each hit, cm (n, 3): of its voxel where positions are numbers of voxels."""
        if not self.hits:
            return np.empty((0, 3))
        half = 0.5 if self.layout.positions == VOXEL else 0.0
        return self._placed("", half)

    def vertices(self) -> NDArray[np.float64] | None:
        """Give the vertex of each interaction, cm (k, 3); None where they are not known."""
        return (
            self._placed("interaction_")
            if all(f"interaction_{axis}" in self.known for axis in "xyz")
            else None
        )

    def track_ends(self) -> NDArray[np.float64]:
        """Give the ends of tracks among the points of interest, cm (n, 3)."""
        if "keypoint_kind" not in self.known:
            return np.empty((0, 3))
        return self._placed("keypoint_")[self.known["keypoint_kind"] == KEYPOINT_KINDS.index("track_end")]

    def placed(self, position: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn positions (n, 3) of the event into cm; those in voxels count from the first one's corner."""
        if self.layout.positions == MM:
            return position / MM_PER_CM
        return self.origin + position * self.pitch

    def _placed(self, word: str, add: float = 0.0) -> NDArray[np.float64]:
        position = np.stack([self.known[f"{word}{axis}"].astype(np.float64) for axis in "xyz"], axis=1)
        return self.placed(position + add)


def event_columns(row: Mapping[str, Any]) -> EventColumns:
    """Take the columns of an event out of a dataset row.

    Raises:
        UnknownDetectorError: There is no such detector.
        DisplayError: It is not one that is seen in three dimensions.
        EventError: A column is missing or wrong.
    """
    detector = find_detector(str(row.get("detector")))
    geometry = detector.geometry()
    if "positions" not in geometry:
        raise DisplayError(
            f"event {row.get('event_id')}: expected a detector that is seen in three dimensions, got "
            f"{detector.name}: name the detector that recorded these hits"
        )
    geometry["positions"] = _unit(row)
    schema = point_cloud_schema(geometry)
    columns = {
        column.name: np.asarray(row[column.name])
        for column in schema.columns
        if column.is_ragged and row.get(column.name) is not None
    }
    schema.check({name: Ragged(of, np.array([len(of)])) for name, of in columns.items()})
    known = {name: of for name, of in columns.items() if len(of)}
    return EventColumns(detector, PointCloudGeometry.of(geometry), known, len(columns["energy"]))


def _unit(row: Mapping[str, Any]) -> str:
    """Say what positions are given in."""
    unit = row.get("positions")
    expected = f"column 'positions': expected {VOXEL} or {MM}, got {unit!r}: say what x, y and z are given in"
    if unit is None:
        raise MissingColumnError(expected, column="positions")
    if unit not in (VOXEL, MM):
        raise UnitError(expected, column="positions")
    return str(unit)
