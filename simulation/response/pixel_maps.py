"""Pixel maps: drifted charge in projections onto planes of pixels, one for each view."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.event_truth import TRUTH_COLUMNS
from nuzoo.simulation.errors import DetectorError
from nuzoo.simulation.event_types import Deposits, Vector
from nuzoo.simulation.materials import Material
from nuzoo.simulation.response.charge import (
    ION_PAIR_ENERGY,
    MIP_DEDX,
    Cloud,
    Drift,
    drifted,
    ionisation_electrons,
    recombination,
)
from nuzoo.simulation.response.readout import Readout

if TYPE_CHECKING:
    from nuzoo.simulation.detectors import Detector
    from nuzoo.simulation.simulate import SimulatedEvent

ENERGY_STEP = 1 / 1024
"""MeV: stored energies are multiples of it, a thirtieth of the pixels' noise, so that files compress."""

COLUMNS_OF_TRUTH = {column.name for column in TRUTH_COLUMNS}

FOLLOWING_PIXELS = 20
FOLLOWERS = 10
"""An activity begins where at least that many of the following pixels of an axis hold charge; set so that
windows begin as they do in the DUNE CVN files."""


class Anchor(Enum):
    """Where a view's window is placed on an axis.

    VERTEX: The anchor pixel holds the interaction vertex.
    MEAN: The anchor pixel holds the mean position of the active pixels.
    FIRST: The anchor pixel holds the first active pixel that others follow closely, so that a stray hit
        far upstream does not move the window.
    ORIGIN: The anchor pixel begins at zero of the detector's coordinates, so that the window stays where it
        is for all events.
    """

    VERTEX = "vertex"
    MEAN = "mean"
    FIRST = "first"
    ORIGIN = "origin"

    @property
    def is_fixed(self) -> bool:
        """Whether the window is placed before it is known which pixels are active."""
        return self in (Anchor.VERTEX, Anchor.ORIGIN)


class Entry(Enum):
    """What one entry of a pixel map is.

    CHARGE: The charge that a pixel collected.
    HITS: The charge of a pulse, at the pulse's time: the picture that hit finding on wires leaves.
    """

    CHARGE = "charge"
    HITS = "hits"


@dataclass(frozen=True)
class View:
    """A projection onto a plane of pixels.

    Attributes:
        name: Name of the view, and prefix of its columns in a dataset.
        row_axis: Unit vector along which rows count up.
        column_axis: Unit vector along which columns count up.
        row_pitch_mm: Edge of a pixel along the rows' axis.
        column_pitch_mm: Edge of a pixel along the columns' axis.
        rows: Height of the window in pixels.
        columns: Width of the window in pixels.
        row_anchor: How the window is placed along the rows.
        column_anchor: How the window is placed along the columns.
        anchor_pixel: Row and column that the anchors name.
    """

    name: str
    row_axis: Vector
    column_axis: Vector
    row_pitch_mm: float
    column_pitch_mm: float
    rows: int
    columns: int
    row_anchor: Anchor
    column_anchor: Anchor
    anchor_pixel: tuple[int, int]


@dataclass(frozen=True)
class Electronics:
    """From collected charge to what is stored.

    Attributes:
        noise: Standard deviation of a pixel's noise, electrons.
        threshold: Smallest charge that is stored, electrons.
        saturation_mev: Largest stored energy; None where the range is not limited.
        entry: What one entry is.
    """

    noise: float
    threshold: float
    saturation_mev: float | None
    entry: Entry


@dataclass(frozen=True)
class SparseView:
    """The pixels of one view that hold energy.

    Attributes:
        index: uint32 (k,), row * columns + column, increasing.
        energy: float32 (k,), MeV.
    """

    index: NDArray[np.uint32]
    energy: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class PixelMapReadout(Readout["SimulatedEvent"]):
    """What a detector that is seen in projections records: enough to read its files, not to simulate it.

    Attributes:
        views: The projections, all of one size.
        mev_per_count: MeV of one count in files of counts; None where there are none.
    """

    views: tuple[View, ...]
    mev_per_count: float | None = None

    def geometry(self) -> dict[str, Any]:
        """Say what recorded events look like, as plain data."""
        return {
            "views": [view.name for view in self.views],
            "height": self.views[0].rows,
            "width": self.views[0].columns,
            "pixel_pitch_mm": [[view.row_pitch_mm, view.column_pitch_mm] for view in self.views],
        }

    def summary(self) -> str:
        """Say in a line what it records, with units."""
        first, names = self.views[0], ", ".join(view.name for view in self.views)
        pitches = dict.fromkeys(f"{view.row_pitch_mm:g} × {view.column_pitch_mm:g}" for view in self.views)
        return f"views {names} of {first.rows} × {first.columns} pixels of {', '.join(pitches)} mm"

    def facts(self) -> dict[str, str]:
        """Say what a card says of it: property and value, with units."""
        facts = {
            f"view {view.name}": (
                f"{view.rows} × {view.columns} pixels of {view.row_pitch_mm:g} × {view.column_pitch_mm:g} mm"
            )
            for view in self.views
        }
        if self.mev_per_count is not None:
            facts["one count of an 8-bit map"] = (
                f"{self.mev_per_count:g} MeV, unless `nuzoo convert --mev-per-count` says otherwise"
            )
        return facts

    def check(self, detector: Detector) -> None:
        """Refuse a detector whose views differ in size, or have names that no table can hold."""
        if len({(view.rows, view.columns) for view in self.views}) != 1:
            raise DetectorError(f"{detector.name}: expected views, all of one size")
        names = [view.name for view in self.views]
        if len({name.lower() for name in names}) != len(names):
            raise DetectorError(
                f"{detector.name}: expected views of different names, in small letters too, got "
                f"{', '.join(names)}"
            )
        if taken := [name for name in names if {f"{name}_index", f"{name}_energy"} & COLUMNS_OF_TRUTH]:
            raise DetectorError(
                f"{detector.name}: expected views whose columns are none of the truth, got "
                f"{', '.join(taken)}: name them otherwise"
            )

    def respond(self, event: SimulatedEvent) -> dict[str, NDArray[Any]]:
        """Refuse to record an event."""
        raise DetectorError(
            f"{event.detector.name}: expected drift and electronics to simulate it, got none: describe them"
        )


@dataclass(frozen=True, kw_only=True)
class DriftReadout(PixelMapReadout):
    """The readout of a time projection chamber: charge drifts to anodes and is seen in projections.

    Attributes:
        drift: Transport of the charge.
        electronics: Noise, threshold, range.
    """

    drift: Drift
    electronics: Electronics

    def summary(self) -> str:
        """Say in a line what it records, with units."""
        anodes = ", ".join(f"{anode / 100:g}" for anode in self.drift.anodes)
        return f"{super().summary()}; {self.drift.field:g} kV/cm to x = {anodes} m"

    def facts(self) -> dict[str, str]:
        """Say what a card says of it: property and value, with units."""
        drift, electronics = self.drift, self.electronics
        return {
            "anodes": f"x = {', '.join(f'{anode / 100:g}' for anode in drift.anodes)} m",
            "drift field": f"{drift.field:g} kV/cm, {drift.velocity:g} mm/µs, lifetime {drift.lifetime:g} ms",
            "diffusion after 1 m": (
                f"{drift.transverse_diffusion:g} mm across, {drift.longitudinal_diffusion:g} mm along"
            ),
            "noise and threshold": f"{electronics.noise:g} and {electronics.threshold:g} electrons",
        } | super().facts()

    def check(self, detector: Detector) -> None:
        """Refuse a detector in which diffusion is wider than a pixel as well."""
        super().check(detector)
        anodes = sorted(self.drift.anodes)
        between = [(right - left) / 2 for left, right in pairwise(anodes)]
        longest = max(abs(detector.low[0] - anodes[0]), abs(detector.high[0] - anodes[-1]), *between)
        widest = max(self.drift.transverse_diffusion, self.drift.longitudinal_diffusion)
        finest = min(min(view.row_pitch_mm, view.column_pitch_mm) for view in self.views)
        if widest * math.sqrt(longest / 100) > 0.75 * finest:
            raise DetectorError(
                f"{detector.name}: diffusion must stay below 0.75 pixels, charge is shared with the next "
                "pixels only; use a coarser pitch"
            )

    def respond(self, event: SimulatedEvent) -> dict[str, NDArray[Any]]:
        """Record an event as the columns `<view>_index` and `<view>_energy`."""
        maps = pixel_maps(
            deepcopy(event.rng), event.transported.deposits, self, event.detector.material, event.vertex
        )
        return {
            f"{name}_{part}": values
            for name, view in maps.items()
            for part, values in (("index", view.index), ("energy", view.energy))
        }


def pixel_maps(
    rng: np.random.Generator,
    deposits: Deposits,
    readout: DriftReadout,
    material: Material,
    vertex: NDArray[np.float64],
) -> dict[str, SparseView]:
    """Make the pixel map of every view.

    Args:
        rng: Draws the noise.
        deposits: In the detector's coordinates.
        readout: Drift, electronics, views.
        material: Of the detector.
        vertex: (3,) cm, where windows with a vertex anchor are centred.

    Returns:
        For each view's name its pixels.
    """
    drift = readout.drift
    cloud = drifted(deposits, ionisation_electrons(deposits, material.density, drift.field), drift)
    mev_per_electron = ION_PAIR_ENERGY / float(recombination(MIP_DEDX, material.density, drift.field))
    return {
        view.name: _view_map(rng, cloud, view, readout.electronics, mev_per_electron, vertex)
        for view in readout.views
    }


def _view_map(
    rng: np.random.Generator,
    cloud: Cloud,
    view: View,
    electronics: Electronics,
    mev_per_electron: float,
    vertex: NDArray[np.float64],
) -> SparseView:
    from nuzoo.simulation.response.pixel_kernels import CDF, collect, projected, read_hits, read_pixels

    axes = np.array([view.row_axis, view.column_axis])
    pitch = np.array([view.row_pitch_mm, view.column_pitch_mm]) / 10
    projection = axes / pitch[:, None]
    start, end = projected(cloud.start, projection), projected(cloud.end, projection)
    low, high = _canvas(view, start, end, projection @ vertex)
    canvas = np.zeros((high[1] - low[1], high[0] - low[0]))
    width = np.sqrt(projected(cloud.variance, projection**2))
    touched = collect(canvas, start - low, end - low, width, cloud.charge, cloud.points, CDF)
    read = read_pixels if electronics.entry is Entry.CHARGE else read_hits
    rows, columns, collected = read(rng, canvas, touched, electronics.noise, electronics.threshold)
    return _window(view, rows, columns, collected * mev_per_electron, electronics.saturation_mev)


def _canvas(
    view: View, start: NDArray[np.float64], end: NDArray[np.float64], vertex: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last-but-one row and column that charge is collected on, from the detector's origin."""
    from nuzoo.simulation.response.pixel_kernels import bounds

    if len(start):
        low, high = bounds(start, end)
    else:
        low, high = np.zeros(2, np.int64), np.ones(2, np.int64)
    window, anchors = np.array([view.rows, view.columns]), (view.row_anchor, view.column_anchor)
    held = np.where([anchor is Anchor.ORIGIN for anchor in anchors], 0.0, vertex)
    first = np.floor(held).astype(np.int64) - np.array(view.anchor_pixel)
    fixed = np.array([anchor.is_fixed for anchor in anchors])
    return np.where(fixed, first, low), np.where(fixed, first + window, high)


def _window(
    view: View,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    energy: NDArray[np.float64],
    saturation_mev: float | None,
) -> SparseView:
    """Place the window by its anchors and keep what it shows."""
    rows = placed(rows, view.row_anchor, view.anchor_pixel[0])
    columns = placed(columns, view.column_anchor, view.anchor_pixel[1])
    _, index, total = in_window(view, rows, columns, energy)
    if saturation_mev is not None:
        total = np.minimum(total, saturation_mev)
    total = np.maximum(np.rint(total / ENERGY_STEP), 1) * ENERGY_STEP
    return SparseView(index.astype(np.uint32), total.astype(np.float32))


def in_window(
    view: View, rows: NDArray[np.int64], columns: NDArray[np.int64], energy: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.float64]]:
    """Add up what a window shows.

    Args:
        view: Whose window it is.
        rows: (n,) of the window; some may be outside of it.
        columns: (n,), likewise.
        energy: (n,), MeV.

    Returns:
        Which are inside (n,); the flat indices (k,) of their pixels, increasing, and the energy of each.
    """
    inside = (rows >= 0) & (rows < view.rows) & (columns >= 0) & (columns < view.columns)
    index, position = np.unique(rows[inside] * view.columns + columns[inside], return_inverse=True)
    total = np.bincount(position, weights=energy[inside], minlength=len(index)).astype(np.float64)
    return inside, index, total


def placed(positions: NDArray[np.int64], anchor: Anchor, anchor_pixel: int) -> NDArray[np.int64]:
    """Return the pixels of a window that active pixels are in, along one axis; some may be outside of it.

    Args:
        positions: (k,) numbers of pixels, counted from anywhere; from the first of the window where that is
            fixed.
        anchor: What places the window.
        anchor_pixel: The pixel of the window that the anchor names.
    """
    if anchor.is_fixed or len(positions) == 0:
        return positions
    reference = _first_followed(positions) if anchor is Anchor.FIRST else round(float(positions.mean()))
    return positions - reference + anchor_pixel


def _first_followed(positions: NDArray[np.int64]) -> int:
    occupied = np.unique(positions)
    followers = np.searchsorted(occupied, occupied + FOLLOWING_PIXELS) - np.arange(len(occupied)) - 1
    return int(occupied[np.argmax(followers >= FOLLOWERS)])
