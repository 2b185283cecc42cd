"""Events without some of their pixels, to see what a classifier makes of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.errors import RegionError
from nuzoo.evaluation.core.inference import view_names
from nuzoo.evaluation.display.pixel_maps.event_views import event_views
from nuzoo.evaluation.explain.event_objects import core_pixels

if TYPE_CHECKING:
    from nuzoo.simulation.detectors import Detector

Pixels = Mapping[str, NDArray[np.int64]]


def without(row: Mapping[str, Any], pixels: Pixels) -> dict[str, Any]:
    """The event with no energy in some pixels.

    Args:
        row: Pixel-map row.
        pixels: Flat indices by view.

    Returns:
        A row with the maps, the event's name and its detector.
    """
    masked = {name: row[name] for name in ("event_id", "detector") if name in row}
    for name in view_names(row):
        index, energy = np.asarray(row[f"{name}_index"]), np.asarray(row[f"{name}_energy"])
        left = ~np.isin(index, pixels.get(name, np.empty(0, dtype=np.int64)))
        masked |= {f"{name}_index": index[left].tolist(), f"{name}_energy": energy[left].tolist()}
    return masked


def elsewhere(
    row: Mapping[str, Any], detector: Detector, pixels: Pixels, rng: np.random.Generator
) -> dict[str, NDArray[np.int64]]:
    """A control: another patch of each view with as much energy, as far as the rest of the event has it.

    It grows about an active pixel that is drawn at random, nearest pixels first. The pixels about the vertex
    are of no object, and of no control.

    Args:
        row: Pixel-map row.
        detector: Its geometry.
        pixels: Flat indices by view, which the control leaves alone.
        rng: Random numbers.

    Returns:
        Flat indices by view.
    """
    control = {}
    core = core_pixels(row, detector)
    for view in event_views(row, detector):
        flat = view.row * view.columns + view.column
        taken = np.isin(flat, pixels.get(view.name, np.empty(0, dtype=np.int64)))
        wanted, rest = view.energy[taken].sum(), np.flatnonzero(~taken & ~np.isin(flat, core[view.name]))
        if not wanted or not len(rest):
            continue
        seed = rng.choice(rest)
        distance = np.hypot(
            (view.row[rest] - view.row[seed]) * view.row_pitch,
            (view.column[rest] - view.column[seed]) * view.column_pitch,
        )
        nearest = rest[np.argsort(distance, kind="stable")]
        number = int(np.searchsorted(np.cumsum(view.energy[nearest]), wanted, side="right"))
        control[view.name] = np.sort(flat[nearest[: max(number, 1)]])
    return control


def rectangle(row: Mapping[str, Any], detector: Detector, text: str) -> dict[str, NDArray[np.int64]]:
    """The active pixels in a rectangle that a user gives.

    Args:
        row: Pixel-map row.
        detector: Its geometry.
        text: "view:row0,column0,row1,column1", the last ones excluded.

    Returns:
        Flat indices by view.

    Raises:
        RegionError: It is no such text, no view of the detector, or outside of its map.
    """
    name, _, corners = text.partition(":")
    views = {view.name: view for view in event_views(row, detector)}
    numbers = corners.split(",")
    if name not in views or len(numbers) != 4 or not all(n.strip().isdigit() for n in numbers):
        raise RegionError(
            "expected a region view:row0,column0,row1,column1 with a view of "
            f"{', '.join(views)}, got {text!r}"
        )
    view = views[name]
    top, left, bottom, right = map(int, numbers)
    if not (top < bottom <= view.rows and left < right <= view.columns):
        raise RegionError(f"expected a region inside of {view.rows} × {view.columns} pixels, got {text!r}")
    inside = (view.row >= top) & (view.row < bottom) & (view.column >= left) & (view.column < right)
    return {name: (view.row * view.columns + view.column)[inside]}
