"""Events without some of their pixels, to see what a classifier makes of the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.errors import RegionError
from nuzoo.evaluation.display.pixel_maps.event_views import event_views, views_of
from nuzoo.evaluation.explain.event_objects import CORE_CM, vertex_of
from nuzoo.simulation.detectors import find_detector

Pixels = Mapping[str, NDArray[np.int64]]
"""Flat indices by view."""


def without(row: Mapping[str, Any], pixels: Pixels) -> dict[str, Any]:
    """Take the energy out of some pixels of an event; only its maps, name and detector stay."""
    masked = {name: row[name] for name in ("event_id", "detector") if name in row}
    for name in (view.name for view in views_of(find_detector(row["detector"]))):
        index, energy = np.asarray(row[f"{name}_index"]), np.asarray(row[f"{name}_energy"])
        left = ~np.isin(index, pixels.get(name, ()))
        masked |= {f"{name}_index": index[left].tolist(), f"{name}_energy": energy[left].tolist()}
    return masked


def elsewhere(row: Mapping[str, Any], pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Choose a control: another patch of each view with as much energy, as far as the rest has it.

    It grows about an active pixel that is drawn at random, nearest pixels first. The pixels about the vertex
    are of no object, and of no control.

    Args:
        row: Pixel-map row.
        pixels: Which the control leaves alone.
        rng: Random numbers.
    """
    control = {}
    for shown in event_views(row):
        taken = np.isin(shown.index, pixels.get(shown.view.name, ()))
        wanted = shown.energy[taken].sum()
        if not wanted:
            continue
        x, y = vertex_of(shown)
        rest = np.flatnonzero(~taken & (np.hypot(shown.x - x, shown.y - y) > CORE_CM))
        if not len(rest):
            continue
        seed = rng.choice(rest)
        distance = np.hypot(
            (shown.row[rest] - shown.row[seed]) * shown.view.row_pitch_mm / 10,
            (shown.column[rest] - shown.column[seed]) * shown.view.column_pitch_mm / 10,
        )
        nearest = rest[np.argsort(distance, kind="stable")]
        number = int(np.searchsorted(np.cumsum(shown.energy[nearest]), wanted, side="right"))
        control[shown.view.name] = np.sort(shown.index[nearest[: max(number, 1)]])
    return control


def rectangle(row: Mapping[str, Any], text: str) -> Pixels:
    """Find the active pixels in a rectangle that a user gives.

    Args:
        row: Pixel-map row.
        text: "view:row0,column0,row1,column1", the last ones excluded.

    Raises:
        RegionError: It is no such text, no view of the detector, or outside of its map.
    """
    name, _, corners = text.partition(":")
    views = {shown.view.name: shown for shown in event_views(row)}
    numbers = corners.split(",")
    if name not in views or len(numbers) != 4 or not all(n.strip().isdigit() for n in numbers):
        raise RegionError(
            "expected a region view:row0,column0,row1,column1 with a view of "
            f"{', '.join(views)}, got {text!r}"
        )
    shown, view = views[name], views[name].view
    top, left, bottom, right = map(int, numbers)
    if not (top < bottom <= view.rows and left < right <= view.columns):
        raise RegionError(f"expected a region inside of {view.rows} × {view.columns} pixels, got {text!r}")
    inside = (shown.row >= top) & (shown.row < bottom) & (shown.column >= left) & (shown.column < right)
    return {name: shown.index[inside]}
