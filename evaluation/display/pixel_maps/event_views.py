"""An event's pixel maps with their place in space, as displays need them.

Coordinates are cm from the centre of the anchor pixel, which holds the vertex, the mean of the active
pixels or the first of them, as the detector's view says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.errors import DisplayError

if TYPE_CHECKING:
    from nuzoo.simulation.detectors import Detector, View

ENERGY_IN_WINDOW = 0.995
"""Fraction of the energy that a zoomed window contains along each axis: noise stays outside."""

MARGIN = 0.08
"""Space around the activity, in units of its extent."""

SMALLEST_WINDOW_CM = 30.0

ORIGIN = {"vertex": "vertex", "mean": "mean pixel", "first": "first pixel"}
"""What the anchor of a view is called on an axis."""

ENERGY_DECADES = 3.0
"""Largest dynamic range of the colour scale."""

BRIGHTEST_FRACTION = 0.999
"""Quantile of the pixel energies at the top of the colour scale: single pixels do not set it."""


@dataclass(frozen=True)
class ViewMap:
    """One view of one event.

    Attributes:
        name: Of the view.
        rows: Pixels vertically.
        columns: Pixels horizontally.
        row: Of each active pixel, (k,).
        column: Of each active pixel, (k,).
        energy: MeV, (k,).
        row_pitch: cm.
        column_pitch: cm.
        row_start: Lower edge of row 0, cm.
        column_start: Lower edge of column 0, cm.
        row_label: Name of the vertical axis.
        column_label: Name of the horizontal axis.
    """

    name: str
    rows: int
    columns: int
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    energy: NDArray[np.float64]
    row_pitch: float
    column_pitch: float
    row_start: float
    column_start: float
    row_label: str
    column_label: str

    def dense(self) -> NDArray[np.float64]:
        """Energies as (rows, columns), NaN where there is none."""
        image = np.full((self.rows, self.columns), np.nan)
        image[self.row, self.column] = self.energy
        return image

    def extent(self) -> tuple[float, float, float, float]:
        """Edges of the whole map in cm from the anchor pixel: left, right, bottom, top."""
        left, bottom = self.column_start, self.row_start
        right = left + self.columns * self.column_pitch
        return left, right, bottom, bottom + self.rows * self.row_pitch

    def activity(self) -> tuple[float, float, float, float]:
        """Window around the activity in cm: left, right, bottom, top; the whole map if empty."""
        if not self.energy.sum() > 0:
            return self.extent()
        left, right, bottom, top = self.extent()
        x = left + (self.column + 0.5) * self.column_pitch
        y = bottom + (self.row + 0.5) * self.row_pitch
        return *_window(x, self.energy, left, right), *_window(y, self.energy, bottom, top)


def event_views(row: Mapping[str, Any], detector: Detector) -> list[ViewMap]:
    """Take the pixel maps out of a dataset row.

    Args:
        row: Pixel-map row; its `detector`, if given, must be the detector's name.
        detector: Geometry.

    Returns:
        One map for each view of the detector.

    Raises:
        DisplayError: A view is missing, or the maps do not fit the detector.
    """
    name = row.get("detector")
    if name is not None and name != detector.name:
        raise DisplayError(
            f"event {row.get('event_id')} is of detector {name!r}, the geometry given is of "
            f"{detector.name!r}; use DETECTORS[row['detector']]"
        )
    return [_view_map(row, view) for view in detector.views]


def _view_map(row: Mapping[str, Any], view: View) -> ViewMap:
    columns = (f"{view.name}_index", f"{view.name}_energy")
    missing = [column for column in columns if row.get(column) is None]
    if missing:
        raise DisplayError(f"event {row.get('event_id')} lacks {missing} of view {view.name!r}")
    index = np.asarray(row[columns[0]], dtype=np.int64)
    energy = np.asarray(row[columns[1]], dtype=np.float64)
    if len(index) != len(energy) or (
        len(index) and not 0 <= index.min() <= index.max() < view.rows * view.columns
    ):
        raise DisplayError(
            f"view {view.name!r} of event {row.get('event_id')} should have as many indices as "
            f"energies, all below {view.rows} x {view.columns}; it has {len(index)} and "
            f"{len(energy)}, the largest index is {index.max(initial=0)}"
        )
    return ViewMap(
        name=view.name,
        rows=view.rows,
        columns=view.columns,
        row=index // view.columns,
        column=index % view.columns,
        energy=energy,
        row_pitch=view.row_pitch_mm / 10,
        column_pitch=view.column_pitch_mm / 10,
        row_start=-(view.anchor_pixel[0] + 0.5) * view.row_pitch_mm / 10,
        column_start=-(view.anchor_pixel[1] + 0.5) * view.column_pitch_mm / 10,
        row_label=f"{axis_name(view.row_axis, view.name)} from the {ORIGIN[view.row_anchor.value]}",
        column_label=f"{axis_name(view.column_axis, view.name)} from the {ORIGIN[view.column_anchor.value]}",
    )


def energy_range(views: Sequence[ViewMap]) -> tuple[float, float]:
    """Ends of a logarithmic colour scale in MeV, common to all views of an event."""
    energy = np.concatenate([view.energy for view in views])
    energy = energy[energy > 0]
    if len(energy) == 0:
        return 0.1, 10.0
    high = float(np.quantile(energy, BRIGHTEST_FRACTION))
    low = max(float(np.quantile(energy, 0.02)), high / 10**ENERGY_DECADES)
    return min(low, high / 3), high


def axis_name(direction: Sequence[float], view: str) -> str:
    """Name of a map's axis: x, y, z if it lies along one, else the view's wire coordinate."""
    for name, component in zip("xyz", direction, strict=True):
        if abs(abs(component) - 1) < 1e-6:
            return name
    return f"{view} wires"


def _window(
    position: NDArray[np.floating[Any]], energy: NDArray[np.float64], low: float, high: float
) -> tuple[float, float]:
    """Ends of the activity along an axis, with a margin, within the map's own ends."""
    order = np.argsort(position)
    inside = np.cumsum(energy[order]) / energy.sum()
    tail = (1 - ENERGY_IN_WINDOW) / 2
    first = position[order][np.searchsorted(inside, tail)]
    last = position[order][np.searchsorted(inside, 1 - tail)]
    margin = max(MARGIN * (last - first), (SMALLEST_WINDOW_CM - (last - first)) / 2)
    return max(low, first - margin), min(high, last + margin)
