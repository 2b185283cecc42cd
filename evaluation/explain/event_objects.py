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
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from nuzoo.evaluation.display.pixel_maps.event_views import ViewMap, event_views

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


def find_objects(row: Mapping[str, Any]) -> list[EventObject]:
    """Find the objects of a pixel-map row, the most energetic first; none in an empty event."""
    maps = event_views(row)
    by_rows = len({view.row_label for view in maps}) == 1
    first, *rest = [_prongs(view, by_rows) for view in maps]
    objects = []
    for prong in first:
        parts = [prong]
        for others in rest:
            if others:
                best = max(others, key=lambda other: np.minimum(parts[0].along, other.along).sum())
                others.remove(best)
                parts.append(best)
        objects.append(_merged(parts))
    objects += [_merged([prong]) for others in rest for prong in others]
    return sorted(objects, key=lambda found: -found.energy)


def vertex_of(view: ViewMap) -> tuple[float, float]:
    """Find x and y of the vertex in a view that is not empty, cm.

    It is the anchor pixel where the activity is around it, else the upstream end of the activity.
    """
    if (np.hypot(view.x, view.y) < 2 * CORE_CM).any():
        return 0.0, 0.0
    upstream = view.x <= np.quantile(view.x, 0.02)
    y = np.average(view.y[upstream], weights=view.energy[upstream])
    return float(view.x[upstream].mean()), float(y)


def _prongs(view: ViewMap, by_rows: bool) -> list[_Prong]:
    """Find the objects of one view, the most energetic first; the shared axis is that of rows or columns."""
    if not len(view.energy):
        return []
    vertex = vertex_of(view)
    x, y = view.x - vertex[0], view.y - vertex[1]
    far = np.hypot(x, y) > CORE_CM
    sector = np.floor((np.arctan2(y, x) + np.pi) / (2 * np.pi) * ANGLE_BINS).astype(np.int64) % ANGLE_BINS
    energy = np.bincount(sector[far], view.energy[far], ANGLE_BINS)
    owner = _owners(gaussian_filter1d(energy, SMOOTHING_BINS, mode="wrap"))[sector]
    shared = view.y if by_rows else view.x
    found = [far & (owner == number) for number in range(owner.max() + 1)]
    prongs = [
        _prong(view, mine, np.stack([x, y], axis=1)[mine], shared[mine]) for mine in found if mine.any()
    ]
    return sorted(prongs, key=lambda prong: -prong.energy)


def _owners(energy: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give for each bin of the angle the number of the peak that it belongs to."""
    turned = np.roll(energy, -int(energy.argmin()))
    peaks, _ = find_peaks(np.append(turned, turned[0]), prominence=LEAST_PEAK * energy.sum())
    if not len(peaks):
        peaks = np.array([turned.argmax()])
    valleys = [a + int(turned[a:b].argmin()) for a, b in pairwise(peaks)]
    owner = np.searchsorted(valleys, np.arange(len(energy)), side="right")
    return np.roll(owner, int(energy.argmin()))


def _prong(
    view: ViewMap, mine: NDArray[np.bool_], points: NDArray[np.float64], shared: NDArray[np.float64]
) -> _Prong:
    energy = view.energy[mine]
    axis = np.average(points, axis=0, weights=energy)
    distance = points @ (axis / (np.hypot(*axis) or 1.0))
    order = np.argsort(distance)
    fraction = np.cumsum(energy[order]) / energy.sum()
    near, far = np.interp([0.05, 0.95], fraction, distance[order])
    bins = np.floor(shared / SHARED_AXIS_BIN_CM).astype(np.int64)
    along = np.bincount(np.clip(bins + 512, 0, 1023), energy, 1024)
    density = float(0.9 * energy.sum() / max(far - near, CORE_CM))
    return _Prong(view.view.name, float(energy.sum()), density, view.index[mine], along / along.sum())


def _merged(parts: list[_Prong]) -> EventObject:
    energies = [part.energy for part in parts]
    density = np.average([part.density for part in parts], weights=energies)
    return EventObject(
        "shower" if density > SHOWER_MEV_PER_CM else "track",
        float(np.mean(energies)),
        {part.view: part.pixels for part in parts},
    )
