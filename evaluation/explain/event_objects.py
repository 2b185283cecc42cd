"""The tracks and showers of an event, found in its pixel maps: which pixels are one object's.

An object is what leaves the vertex in one direction. In each view the energy is taken by its angle about
the vertex; every peak, with the angles up to the minima beside it, is an object. It is a shower if it leaves
more energy on each centimetre than three minimum-ionising particles. Objects of two views are the same where
their energies lie alike along the axis that the views share. This is our own choice, made for masking and
not for physics; docs/results.md says how often it is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from nuzoo.evaluation.display.pixel_maps.event_views import ViewMap, event_views

if TYPE_CHECKING:
    from nuzoo.simulation.detectors import Detector

Kind = Literal["track", "shower"]

ANGLE_BINS = 240
SMOOTHING_BINS = 1.0
LEAST_PEAK = 0.02
"""Of the energy of a view: smaller peaks belong to their neighbours."""

CORE_CM = 2.0
"""Pixels as near to the vertex as that belong to no object."""

SHARED_AXIS_BIN_CM = 5.0
SHOWER_MEV_PER_CM = 7.0
"""Energy per length in the picture, over the middle 90 % of the energy, above which an object is a shower. A
minimum-ionising particle in liquid argon leaves 2.1 MeV/cm, more where it is foreshortened."""


@dataclass(frozen=True)
class EventObject:
    """A track or a shower.

    Attributes:
        kind: Which of the two.
        energy: MeV, the mean of the views that show it.
        pixels: Flat indices of its pixels, by view.
    """

    kind: Kind
    energy: float
    pixels: dict[str, NDArray[np.int64]]


@dataclass(frozen=True)
class _Prong:
    """An object in one view."""

    view: str
    energy: float
    density: float
    pixels: NDArray[np.int64]
    along: NDArray[np.float64]


def find_objects(row: Mapping[str, Any], detector: Detector) -> list[EventObject]:
    """Find the objects of an event.

    Args:
        row: Pixel-map row.
        detector: Its geometry.

    Returns:
        The objects, the most energetic first; none of an empty event.

    Raises:
        DisplayError: The row is not of this detector.
    """
    maps = event_views(row, detector)
    by_rows = len({view.row_label for view in maps}) == 1
    views = [_prongs(view, by_rows) for view in maps]
    objects = []
    rest = [list(prongs) for prongs in views]
    for first in rest[0]:
        parts = [first]
        for others in rest[1:]:
            if others:
                best = max(others, key=lambda prong: _overlap(parts[0].along, prong.along))
                others.remove(best)
                parts.append(best)
        objects.append(_merged(parts))
    objects += [_merged([prong]) for others in rest[1:] for prong in others]
    return sorted(objects, key=lambda found: -found.energy)


def core_pixels(row: Mapping[str, Any], detector: Detector) -> dict[str, NDArray[np.int64]]:
    """The pixels about the vertex, which are of no object.

    Args:
        row: Pixel-map row.
        detector: Its geometry.

    Returns:
        Flat indices by view.
    """
    core = {}
    for view in event_views(row, detector):
        if len(view.energy):
            x, y, _ = _from_vertex(view)
            near = np.hypot(x, y) <= CORE_CM
            core[view.name] = (view.row * view.columns + view.column)[near]
    return core


def _from_vertex(
    view: ViewMap,
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[float, float]]:
    """Of each pixel x and y from the vertex, cm, and the vertex from the anchor pixel."""
    x: NDArray[np.float64] = view.column_start + (view.column.astype(np.float64) + 0.5) * view.column_pitch
    y: NDArray[np.float64] = view.row_start + (view.row.astype(np.float64) + 0.5) * view.row_pitch
    vertex = _vertex(x, y, view.energy)
    return x - vertex[0], y - vertex[1], vertex


def _prongs(view: ViewMap, by_rows: bool) -> list[_Prong]:
    """The objects of one view, the most energetic first; the shared axis is that of rows or of columns."""
    if not len(view.energy):
        return []
    x, y, vertex = _from_vertex(view)
    far = np.hypot(x, y) > CORE_CM
    angle = np.arctan2(y, x)
    sector = np.floor((angle + np.pi) / (2 * np.pi) * ANGLE_BINS).astype(np.int64) % ANGLE_BINS
    energy = np.bincount(sector[far], view.energy[far], ANGLE_BINS)
    owner = _owners(gaussian_filter1d(energy, SMOOTHING_BINS, mode="wrap"))
    flat = view.row * view.columns + view.column
    prongs = []
    for number in range(owner.max() + 1):
        mine = far & (owner[sector] == number)
        if mine.any():
            shared = y[mine] + vertex[1] if by_rows else x[mine] + vertex[0]
            prongs.append(_prong(view.name, x[mine], y[mine], view.energy[mine], flat[mine], shared))
    return sorted(prongs, key=lambda prong: -prong.energy)


def _vertex(
    x: NDArray[np.float64], y: NDArray[np.float64], energy: NDArray[np.float64]
) -> tuple[float, float]:
    """The anchor pixel where the activity is around it, else the upstream end of the activity."""
    if (np.hypot(x, y) < 2 * CORE_CM).any():
        return 0.0, 0.0
    upstream = x <= np.quantile(x, 0.02)
    return float(x[upstream].mean()), float(np.average(y[upstream], weights=energy[upstream]))


def _owners(energy: NDArray[np.float64]) -> NDArray[np.int64]:
    """For each bin of the angle, the number of the peak that it belongs to."""
    turned = np.roll(energy, -int(energy.argmin()))
    peaks, _ = find_peaks(np.append(turned, turned[0]), prominence=LEAST_PEAK * energy.sum())
    if not len(peaks):
        peaks = np.array([turned.argmax()])
    valleys = [a + int(turned[a:b].argmin()) for a, b in pairwise(peaks)]
    owner = np.searchsorted(valleys, np.arange(len(energy)), side="right")
    return np.roll(owner, int(energy.argmin()))


def _prong(
    view: str,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    energy: NDArray[np.float64],
    pixels: NDArray[np.int64],
    shared: NDArray[np.float64],
) -> _Prong:
    points = np.stack([x, y], axis=1)
    axis = np.average(points, axis=0, weights=energy)
    distance = points @ (axis / (np.hypot(*axis) or 1.0))
    order = np.argsort(distance)
    fraction = np.cumsum(energy[order]) / energy.sum()
    near, far = np.interp([0.05, 0.95], fraction, distance[order])
    bins = np.floor(shared / SHARED_AXIS_BIN_CM).astype(np.int64)
    along = np.zeros(1024)
    np.add.at(along, np.clip(bins + 512, 0, 1023), energy)
    density = float(0.9 * energy.sum() / max(far - near, CORE_CM))
    return _Prong(view, float(energy.sum()), density, pixels, along / along.sum())


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Common part of two distributions along the shared axis, 0 to 1."""
    return float(np.minimum(one, other).sum())


def _merged(parts: list[_Prong]) -> EventObject:
    energies = [part.energy for part in parts]
    density = np.average([part.density for part in parts], weights=energies)
    return EventObject(
        "shower" if density > SHOWER_MEV_PER_CM else "track",
        float(np.mean(energies)),
        {part.view: part.pixels for part in parts},
    )
