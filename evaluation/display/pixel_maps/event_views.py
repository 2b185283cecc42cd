"""An event's pixel maps with their place in space, as displays need them.

Coordinates are cm from the centre of the anchor pixel. In simulated events that holds the vertex, the mean of
the active pixels or the first of them, as the detector's view says; of other events nobody has said so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.errors import DisplayError
from nuzoo.evaluation.display.energy_scale import scale_of
from nuzoo.files.events.event_schema import Ragged
from nuzoo.files.events.event_truth import SIMULATED_PREFIX
from nuzoo.files.events.pixel_map_events import pixel_map_schema
from nuzoo.simulation.detectors import Detector, find_detector
from nuzoo.simulation.response.pixel_maps import Anchor, PixelMapReadout, View

ENERGY_IN_WINDOW = 0.995
"""Fraction of the energy that a zoomed window contains along each axis: noise stays outside."""

MARGIN = 0.08
"""Space around the activity, in units of its extent."""

SMALLEST_WINDOW_CM = 30.0

ORIGIN = {"vertex": "vertex", "mean": "mean pixel", "first": "first pixel", "origin": "origin"}
"""What the anchor of a view is called on an axis."""


@dataclass(frozen=True)
class ViewMap:
    """One view of one event.

    Attributes:
        view: Of the detector.
        index: Flat index of each active pixel, (k,); so `row` and `column`.
        x: From the anchor pixel to the middle of each active one, along the columns, cm (k,).
        y: The same along the rows.
        energy: MeV, (k,).
        extent: Edges of the whole map in cm from the anchor pixel: left, right, bottom, top.
        row_label: Name of the vertical axis.
        column_label: Name of the horizontal axis.
    """

    view: View
    index: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    energy: NDArray[np.float64]
    extent: tuple[float, float, float, float]
    row_label: str
    column_label: str

    def dense(self) -> NDArray[np.float64]:
        """Give the energies as (rows, columns), NaN where there is none."""
        image = np.full((self.view.rows, self.view.columns), np.nan)
        image[self.row, self.column] = self.energy
        return image

    def activity(self) -> tuple[float, float, float, float]:
        """Find the window around the activity in cm: left, right, bottom, top; the whole map if empty."""
        if not self.energy.sum() > 0:
            return self.extent
        left, right, bottom, top = self.extent
        return *_window(self.x, self.energy, left, right), *_window(self.y, self.energy, bottom, top)


def views_of(detector: Detector) -> tuple[View, ...]:
    """Give the views of a detector; none of one that makes no pixel maps."""
    return detector.readout.views if isinstance(detector.readout, PixelMapReadout) else ()


def event_views(row: Mapping[str, Any]) -> list[ViewMap]:
    """Take the pixel maps out of a dataset row, one for each view of its detector.

    Raises:
        UnknownDetectorError: There is no such detector.
        DisplayError: It is not one that is seen in pixel maps.
        EventError: A view is missing, or the maps do not fit the detector.
    """
    detector = find_detector(row["detector"])
    views = views_of(detector)
    if not views:
        raise DisplayError(
            f"event {row.get('event_id')}: expected a detector that is seen in pixel maps, got "
            f"{detector.name}: name the detector that recorded these hits"
        )
    columns = {
        name: np.asarray(row[name])
        for view in views
        for name in (f"{view.name}_index", f"{view.name}_energy")
        if row.get(name) is not None
    }
    schema = pixel_map_schema(detector.geometry())
    schema.check({name: Ragged(of, np.array([len(of)])) for name, of in columns.items()})
    is_placed = str(row.get("source", "")).startswith(SIMULATED_PREFIX) or row.get("vertex") is not None
    return [
        _view_map(view, columns[f"{view.name}_index"], columns[f"{view.name}_energy"], is_placed)
        for view in views
    ]


def _view_map(view: View, index: NDArray[Any], energy: NDArray[Any], is_placed: bool) -> ViewMap:
    index = index.astype(np.int64)
    row, column = index // view.columns, index % view.columns
    row_pitch, column_pitch = view.row_pitch_mm / 10, view.column_pitch_mm / 10
    bottom = -(view.anchor_pixel[0] + 0.5) * view.row_pitch_mm / 10
    left = -(view.anchor_pixel[1] + 0.5) * view.column_pitch_mm / 10
    return ViewMap(
        view=view,
        index=index,
        row=row,
        column=column,
        x=left + (column + 0.5) * column_pitch,
        y=bottom + (row + 0.5) * row_pitch,
        energy=energy.astype(np.float64),
        extent=(left, left + view.columns * column_pitch, bottom, bottom + view.rows * row_pitch),
        row_label=_axis_label(view, view.row_axis, view.row_anchor, view.anchor_pixel[0], is_placed),
        column_label=_axis_label(view, view.column_axis, view.column_anchor, view.anchor_pixel[1], is_placed),
    )


def _axis_label(view: View, axis: Sequence[float], anchor: Anchor, pixel: int, is_placed: bool) -> str:
    origin = f"the {ORIGIN[anchor.value]}" if is_placed else f"pixel {pixel}"
    return f"{axis_name(axis, view.name)} from {origin}"


def energy_range(views: Sequence[ViewMap]) -> tuple[float, float]:
    """Give the ends of a logarithmic colour scale in MeV, common to all views of an event."""
    return scale_of(np.concatenate([view.energy for view in views]))


def axis_name(direction: Sequence[float], view: str) -> str:
    """Name a map's axis: x, y, z if it lies along one, else the view's wire coordinate."""
    for name, component in zip("xyz", direction, strict=True):
        if abs(abs(component) - 1) < 1e-6:
            return name
    return f"{view} wires"


def _window(
    position: NDArray[np.floating[Any]], energy: NDArray[np.float64], low: float, high: float
) -> tuple[float, float]:
    """Find the ends of the activity along an axis, with a margin, within the map's own ends."""
    order = np.argsort(position)
    inside = np.cumsum(energy[order]) / energy.sum()
    tail = (1 - ENERGY_IN_WINDOW) / 2
    first = position[order][np.searchsorted(inside, tail)]
    last = position[order][np.searchsorted(inside, 1 - tail)]
    margin = max(MARGIN * (last - first), (SMALLEST_WINDOW_CM - (last - first)) / 2)
    return max(low, first - margin), min(high, last + margin)
