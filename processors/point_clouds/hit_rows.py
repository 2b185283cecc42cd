"""Hits of point-cloud events, read from rows of any form and checked against a detector."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.event_errors import UnitError
from nuzoo.files.events.event_schema import EventSchema, Ragged
from nuzoo.files.events.point_cloud_events import VOXEL, PointCloudGeometry
from nuzoo.processors.event_tables import read_hits, values_of
from nuzoo.processors.input_errors import ProcessorSettingError
from nuzoo.processors.point_clouds.merging import CELLS_PER_AXIS


@dataclass(frozen=True)
class HitRows:
    """The hits of events, one after the other.

    Attributes:
        event: (hits,) number of the event of each.
        counts: (events,) hits of each event.
        position: float64 (hits, 3), in the unit of positions.
        energy: float64 (hits,), MeV.
    """

    event: NDArray[np.int64]
    counts: NDArray[np.int64]
    position: NDArray[np.float64]
    energy: NDArray[np.float64]


def read_hit_rows(rows: Any, schema: EventSchema, layout: PointCloudGeometry) -> HitRows:
    """Read the hits.

    Args:
        rows: see `nuzoo.processors.event_tables.split_rows`; no `datasets.Dataset`.
        schema: of the events.
        layout: of the detector.

    Raises:
        UnitError: rows state positions in another unit.
        EventError: an event is not what the schema says.
    """
    if others := set(values_of(rows, "positions")) - {None, layout.positions}:
        raise UnitError(
            f"column 'positions': expected {layout.positions!r}, got {', '.join(map(repr, sorted(others)))}: "
            "convert the positions, or use a processor for events of that unit",
            column="positions",
        )
    hits: Mapping[str, Ragged] = read_hits(rows, schema)
    schema.check(hits)
    energy = hits["energy"]
    position = np.stack([hits[axis].values.astype(np.float64) for axis in "xyz"]).T  # axis by axis in memory
    return HitRows(energy.event, energy.counts, position, energy.values.astype(np.float64))


def taken(values: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    """Take ascending rows of an array: where these are all, the array itself."""
    return values if len(rows) == len(values) else values[rows]


def check_layout(layout: PointCloudGeometry) -> None:
    """Refuse a detector of no shape.

    Raises:
        ProcessorSettingError: a unit of positions that there is not, or sizes that are no such numbers.
    """
    sizes = [layout.shape, layout.pitch_mm, layout.origin_mm]
    problems = {
        "positions must be 'voxel' or 'mm'": layout.positions not in (VOXEL, "mm"),
        "shape, pitch_mm and origin_mm must hold 3 numbers each": any(len(one) != 3 for one in sizes)
        or not np.isfinite(np.array(sizes, dtype=float)).all(),
        f"shape must be of whole numbers from 1 to {CELLS_PER_AXIS}": any(
            not 1 <= size <= CELLS_PER_AXIS or size != int(size) for size in layout.shape
        ),
        "pitch_mm must be above 0": any(not pitch > 0 for pitch in layout.pitch_mm),
    }
    if wrong := [problem for problem, found in problems.items() if found]:
        raise ProcessorSettingError(
            f"{'; '.join(wrong)}. Got positions={layout.positions!r}, shape={layout.shape}, "
            f"pitch_mm={layout.pitch_mm}, origin_mm={layout.origin_mm}."
        )
