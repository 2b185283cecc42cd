"""Detector response: energy deposits → drifted charge → pixel maps.

Recombination follows the modified box model as ArgoNeuT measured it (JINST 8 (2013) P08005), drift the
attenuation and diffusion of the `Drift` data. Energies are reconstructed as for a minimum-ionising particle:
charge times W_ion, divided by the recombination factor at 2.1 MeV/cm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuzoo.simulation.detectors import Anchor, Detector, Drift, Electronics, Readout, View
from nuzoo.simulation.event_types import Deposits

ION_PAIR_ENERGY = 23.6e-6
"""MeV per electron-ion pair in liquid argon."""

BOX_ALPHA = 0.93
BOX_BETA = 0.212
"""kV/cm (g/cm²)/MeV; both from ArgoNeuT, JINST 8 (2013) P08005."""

MIP_DEDX = 2.1
"""MeV/cm: where the energy scale is calibrated."""

STOPPED_ELECTRON_DEDX = 3.0
"""MeV/cm given to electrons below the tracking cut: an estimate for the last half MeV of their range."""

STOPPED_HADRON_DEDX = 60.0
"""MeV/cm given to nuclear fragments that stop where they are made: an estimate for slow protons."""

SMALLEST_DEDX = 1.0
"""MeV/cm; the box model is not used below, where its logarithm would turn over."""

POINT_SPACING = 0.1
"""cm between the points that stand for a segment."""

CDF_RANGE = 4.0
CDF_STEPS = 1024
"""A table of the normal distribution from -4 to 4 standard deviations."""

_CDF = np.array(
    [
        0.5 * math.erfc((CDF_RANGE - 2 * CDF_RANGE * i / CDF_STEPS) / math.sqrt(2))
        for i in range(CDF_STEPS + 1)
    ]
)

ENERGY_STEP = 1 / 1024
"""MeV: stored energies are multiples of it, a thirtieth of the pixels' noise, so that files compress."""

SAMPLE_SIGMAS = 3.0
"""A sample belongs to a pulse when it is that many times the noise, a usual cut of hit finders."""

FOLLOWING_PIXELS = 20
FOLLOWERS = 10
"""An activity begins where at least that many of the following pixels of an axis hold charge; set so that
windows begin as they do in the DUNE CVN files."""

LONGEST_PULSE = 3
"""Rows after which hit finding cuts a long pulse; set so that hits stand alone as in the DUNE CVN files."""


@dataclass(frozen=True)
class SparseView:
    """The pixels of one view that hold energy.

    Attributes:
        index: uint32 (k,), row * columns + column, increasing.
        energy: float32 (k,), MeV.
    """

    index: NDArray[np.uint32]
    energy: NDArray[np.float32]


def recombination(dedx: NDArray[np.float64] | float, density: float, field: float) -> NDArray[np.float64]:
    """Share of the ionisation that escapes recombination, by the modified box model.

    Args:
        dedx: MeV/cm; below `SMALLEST_DEDX` it is taken as that.
        density: g/cm³.
        field: kV/cm.
    """
    box = BOX_BETA * np.maximum(dedx, SMALLEST_DEDX) / (density * field)
    return np.log(BOX_ALPHA + box) / box


def pixel_maps(
    rng: np.random.Generator, deposits: Deposits, detector: Detector, vertex: NDArray[np.float64]
) -> dict[str, SparseView]:
    """Makes the pixel map of every view.

    Args:
        rng: Draws the noise.
        deposits: In the detector's coordinates.
        detector: Geometry, drift, electronics, views.
        vertex: (3,) cm, where windows with a vertex anchor are centred.

    Returns:
        For each view's name its pixels.
    """
    cloud = drifted(deposits, ionisation_electrons(deposits, detector), detector.drift)
    mev_per_electron = ION_PAIR_ENERGY / float(
        recombination(MIP_DEDX, detector.material.density, detector.drift.field)
    )
    return {
        view.name: _view_map(rng, cloud, view, detector.electronics, mev_per_electron, vertex)
        for view in detector.views
    }


def ionisation_electrons(deposits: Deposits, detector: Detector) -> NDArray[np.float64]:
    """Electrons (n,) that each segment frees and that do not recombine."""
    length = np.linalg.norm(deposits.end - deposits.start, axis=1)
    stopped = np.where(np.isin(np.abs(deposits.pdg), (11, 22)), STOPPED_ELECTRON_DEDX, STOPPED_HADRON_DEDX)
    with np.errstate(divide="ignore", invalid="ignore"):
        dedx = np.where(length > 1e-4, deposits.energy / length, stopped)
    escaped = recombination(dedx, detector.material.density, detector.drift.field)
    return deposits.energy / ION_PAIR_ENERGY * escaped


@dataclass(frozen=True)
class Cloud:
    """Charge at the anodes, one straight and diffused line for each deposit.

    Attributes:
        start: float64 (n, 3), cm.
        end: float64 (n, 3), cm.
        charge: float64 (n,), electrons.
        variance: float64 (n, 3), cm² by diffusion along x, y and z.
        points: int64 (n,), equidistant points that stand for the line.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    charge: NDArray[np.float64]
    variance: NDArray[np.float64]
    points: NDArray[np.int64]


def drifted(deposits: Deposits, electrons: NDArray[np.float64], drift: Drift) -> Cloud:
    """Drifts the electrons of each segment to the anode nearest to its middle."""
    start, end = deposits.start.astype(np.float64), deposits.end.astype(np.float64)
    middle = (start[:, 0] + end[:, 0]) / 2
    distance = np.min(np.abs(middle[:, None] - np.array(drift.anodes)), axis=1)
    time_ms = distance * 10 / drift.velocity / 1000
    longitudinal, transverse = drift.longitudinal_diffusion / 10, drift.transverse_diffusion / 10
    return Cloud(
        start=start,
        end=end,
        charge=electrons * np.exp(-time_ms / drift.lifetime),
        variance=distance[:, None] / 100 * np.array([longitudinal, transverse, transverse]) ** 2,
        points=np.ceil(np.linalg.norm(end - start, axis=1) / POINT_SPACING).astype(np.int64).clip(min=1),
    )


def _view_map(
    rng: np.random.Generator,
    cloud: Cloud,
    view: View,
    electronics: Electronics,
    mev_per_electron: float,
    vertex: NDArray[np.float64],
) -> SparseView:
    axes = np.array([view.row_axis, view.column_axis])
    pitch = np.array([view.row_pitch_mm, view.column_pitch_mm]) / 10
    projection = axes / pitch[:, None]
    start, end = _projected(cloud.start, projection), _projected(cloud.end, projection)
    low, high = _canvas(view, start, end, projection @ vertex)
    canvas = np.zeros((high[1] - low[1], high[0] - low[0]))
    width = np.sqrt(_projected(cloud.variance, projection**2))
    touched = _collect(canvas, start - low, end - low, width, cloud.charge, cloud.points, _CDF)
    read = _read_pixels if electronics.readout is Readout.CHARGE else _read_hits
    rows, columns, collected = read(rng, canvas, touched, electronics.noise, electronics.threshold)
    return _window(view, rows, columns, collected * mev_per_electron, electronics.saturation_mev)


@njit(cache=True)
def _projected(vectors, projection):
    """`vectors @ projection.T` for (n, 3) and (2, 3), without waking the threads of a BLAS."""
    out = np.empty((len(vectors), 2))
    for i in range(len(vectors)):
        for axis in range(2):
            out[i, axis] = (
                vectors[i, 0] * projection[axis, 0]
                + vectors[i, 1] * projection[axis, 1]
                + vectors[i, 2] * projection[axis, 2]
            )
    return out


@njit(cache=True)
def _bounds(start, end):
    """Pixels around all lines, with one beside them for the diffused charge."""
    low, high = np.empty(2, np.int64), np.empty(2, np.int64)
    for axis in range(2):
        smallest = largest = start[0, axis]
        for i in range(len(start)):
            smallest = min(smallest, start[i, axis], end[i, axis])
            largest = max(largest, start[i, axis], end[i, axis])
        low[axis], high[axis] = math.floor(smallest) - 1, math.floor(largest) + 2
    return low, high


def _canvas(
    view: View, start: NDArray[np.float64], end: NDArray[np.float64], vertex: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last-but-one row and column that charge is collected on, from the detector's origin."""
    if len(start):
        low, high = _bounds(start, end)
    else:
        low, high = np.zeros(2, np.int64), np.ones(2, np.int64)
    window = np.array([view.rows, view.columns])
    first = np.floor(vertex).astype(np.int64) - np.array(view.anchor_pixel)
    fixed = np.array([view.row_anchor is Anchor.VERTEX, view.column_anchor is Anchor.VERTEX])
    return np.where(fixed, first, low), np.where(fixed, first + window, high)


@njit(cache=True)
def _shares(position, width, cdf, shares):
    """Shares of a Gaussian at `position` in its own pixel and the two beside it; returns its own pixel."""
    own = math.floor(position)
    if width < 1e-6:
        shares[0], shares[1], shares[2] = 0.0, 1.0, 0.0
        return own
    scale = (len(cdf) - 1) / (2 * CDF_RANGE)
    last = len(cdf) - 1
    left = ((own - position) / width + CDF_RANGE) * scale
    right = ((own + 1 - position) / width + CDF_RANGE) * scale
    shares[0] = cdf[int(left)] if left > 0 else 0.0
    shares[2] = 1 - cdf[int(right) + 1] if right < last else 0.0
    shares[1] = 1 - shares[0] - shares[2]
    return own


@njit(cache=True)
def _collect(canvas, start, end, width, charge, points, cdf):
    """Adds diffused lines to the canvas (columns, rows); charge that falls outside is lost.

    Returns the range of rows (first, last + 1) that each column was touched in.
    """
    columns, rows = canvas.shape
    touched = np.zeros((columns, 2), np.int64)
    touched[:, 0] = rows
    in_rows, in_columns = np.empty(3), np.empty(3)
    for i in range(len(charge)):
        share = charge[i] / points[i]
        for j in range(points[i]):
            along = (j + 0.5) / points[i]
            r = _shares(start[i, 0] + along * (end[i, 0] - start[i, 0]), width[i, 0], cdf, in_rows)
            c = _shares(start[i, 1] + along * (end[i, 1] - start[i, 1]), width[i, 1], cdf, in_columns)
            for dc in range(3):
                at_column = c + dc - 1
                if in_columns[dc] == 0.0 or at_column < 0 or at_column >= columns:
                    continue
                touched[at_column, 0] = min(touched[at_column, 0], max(r - 1, 0))
                touched[at_column, 1] = max(touched[at_column, 1], min(r + 2, rows))
                for dr in range(3):
                    at_row = r + dr - 1
                    if in_rows[dr] != 0.0 and 0 <= at_row < rows:
                        canvas[at_column, at_row] += share * in_columns[dc] * in_rows[dr]
    return touched


@njit(cache=True)
def _read_pixels(rng, canvas, touched, noise, threshold):
    """Rows, columns and charge of the pixels above threshold, noise included."""
    rows, columns, charge = _buffers(_touched_pixels(touched))
    k = 0
    for c in range(canvas.shape[0]):
        for r in range(touched[c, 0], touched[c, 1]):
            if canvas[c, r] > 0:
                measured = canvas[c, r] + noise * rng.standard_normal()
                if measured > threshold:
                    rows[k], columns[k], charge[k] = r, c, measured
                    k += 1
    return rows[:k], columns[:k], charge[:k]


@njit(cache=True)
def _read_hits(rng, canvas, touched, noise, threshold):
    """Pulses on each wire (column): mean row, column, and charge of those above threshold."""
    rows, columns, charge = _buffers(_touched_pixels(touched))
    k = 0
    for c in range(canvas.shape[0]):
        total = moment = previous = 0.0
        length = 0
        falling = False
        for r in range(touched[c, 0], touched[c, 1] + 1):
            sample = 0.0
            if r < touched[c, 1] and canvas[c, r] > 0:
                sample = canvas[c, r] + noise * rng.standard_normal()
            alive = sample > SAMPLE_SIGMAS * noise
            rising = sample > previous
            if length > 0 and (not alive or length == LONGEST_PULSE or (falling and rising)):
                if total > threshold:
                    rows[k], columns[k], charge[k] = int(moment / total + 0.5), c, total
                    k += 1
                total = moment = 0.0
                length = 0
                falling = False
            if alive:
                falling = length > 0 and not rising
                total += sample
                moment += sample * r
                length += 1
            previous = sample
    return rows[:k], columns[:k], charge[:k]


@njit(cache=True)
def _touched_pixels(touched):
    total = 0
    for c in range(len(touched)):
        total += max(touched[c, 1] - touched[c, 0], 0)
    return total


@njit(cache=True)
def _buffers(size):
    return np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size)


def _window(
    view: View,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    energy: NDArray[np.float64],
    saturation_mev: float | None,
) -> SparseView:
    """Places the window by its anchors and keeps what it shows."""
    rows = _placed(rows, view.row_anchor, view.anchor_pixel[0])
    columns = _placed(columns, view.column_anchor, view.anchor_pixel[1])
    inside = (rows >= 0) & (rows < view.rows) & (columns >= 0) & (columns < view.columns)
    index, position = np.unique(rows[inside] * view.columns + columns[inside], return_inverse=True)
    total = np.bincount(position, weights=energy[inside], minlength=len(index)).astype(np.float64)
    if saturation_mev is not None:
        total = np.minimum(total, saturation_mev)
    total = np.maximum(np.rint(total / ENERGY_STEP), 1) * ENERGY_STEP
    return SparseView(index.astype(np.uint32), total.astype(np.float32))


def _placed(positions: NDArray[np.int64], anchor: Anchor, anchor_pixel: int) -> NDArray[np.int64]:
    if anchor is Anchor.VERTEX or len(positions) == 0:
        return positions
    reference = _first_followed(positions) if anchor is Anchor.FIRST else round(float(positions.mean()))
    return positions - reference + anchor_pixel


def _first_followed(positions: NDArray[np.int64]) -> int:
    occupied = np.unique(positions)
    followers = np.searchsorted(occupied, occupied + FOLLOWING_PIXELS) - np.arange(len(occupied)) - 1
    return int(occupied[np.argmax(followers >= FOLLOWERS)])
