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
"""MeV/cm given to electrons below the tracking cut: the mean along the end of their range."""

STOPPED_HADRON_DEDX = 60.0
"""MeV/cm given to nuclear fragments that stop where they are made."""

SMALLEST_DEDX = 1.0
POINT_SPACING = 0.1
"""cm between the points that stand for a segment."""

CDF_RANGE = 4.0
CDF_STEPS = 1024
_CDF = np.array(
    [
        0.5 * math.erfc((CDF_RANGE - 2 * CDF_RANGE * i / CDF_STEPS) / math.sqrt(2))
        for i in range(CDF_STEPS + 1)
    ]
)

SAMPLE_SIGMAS = 3.0
"""A sample belongs to a pulse when it is that many times the noise."""

LONGEST_PULSE = 3
"""Rows after which hit finding cuts a long pulse."""


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
    charge = ionisation_electrons(deposits, detector)
    points, charge = _points(
        deposits.start.astype(np.float64), deposits.end.astype(np.float64), charge, POINT_SPACING
    )
    charge, variance = drifted(points, charge, detector.drift)
    mev_per_electron = ION_PAIR_ENERGY / recombination(
        MIP_DEDX, detector.material.density, detector.drift.field
    )
    return {
        view.name: _view_map(
            rng, points, charge, variance, view, detector.electronics, mev_per_electron, vertex
        )
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


def drifted(
    points: NDArray[np.float64], charge: NDArray[np.float64], drift: Drift
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What reaches the nearest anode.

    Args:
        points: (n, 3) cm.
        charge: (n,) electrons.
        drift: The drift.

    Returns:
        Charge (n,) after capture on impurities, and the variance (n, 3) in cm² by diffusion along x, y, z.
    """
    distance = np.min(np.abs(points[:, :1] - np.array(drift.anodes)), axis=1)
    time_ms = distance * 10 / drift.velocity / 1000
    longitudinal = (drift.longitudinal_diffusion / 10) ** 2
    transverse = (drift.transverse_diffusion / 10) ** 2
    per_metre = np.array([longitudinal, transverse, transverse])
    return charge * np.exp(-time_ms / drift.lifetime), distance[:, None] / 100 * per_metre


@njit(cache=True)
def _points(start, end, charge, spacing):  # type: ignore[no-untyped-def]
    """Stands points at equal distances for each segment, each with an equal share of the charge."""
    segments = len(charge)
    counts = np.empty(segments, np.int64)
    for i in range(segments):
        length = math.sqrt(
            (end[i, 0] - start[i, 0]) ** 2 + (end[i, 1] - start[i, 1]) ** 2 + (end[i, 2] - start[i, 2]) ** 2
        )
        counts[i] = max(1, math.ceil(length / spacing))
    points = np.empty((counts.sum(), 3))
    share = np.empty(len(points))
    k = 0
    for i in range(segments):
        for j in range(counts[i]):
            along = (j + 0.5) / counts[i]
            for axis in range(3):
                points[k, axis] = start[i, axis] + along * (end[i, axis] - start[i, axis])
            share[k] = charge[i] / counts[i]
            k += 1
    return points, share


def _view_map(
    rng: np.random.Generator,
    points: NDArray[np.float64],
    charge: NDArray[np.float64],
    variance: NDArray[np.float64],
    view: View,
    electronics: Electronics,
    mev_per_electron: float,
    vertex: NDArray[np.float64],
) -> SparseView:
    row_axis, column_axis = np.array(view.row_axis), np.array(view.column_axis)
    row_pitch, column_pitch = view.row_pitch_mm / 10, view.column_pitch_mm / 10
    row, column = points @ row_axis / row_pitch, points @ column_axis / column_pitch
    low, high = _canvas(view, row, column, vertex @ row_axis / row_pitch, vertex @ column_axis / column_pitch)
    canvas = np.zeros((high[0] - low[0], high[1] - low[1]))
    row_width = np.sqrt(variance @ row_axis**2) / row_pitch
    column_width = np.sqrt(variance @ column_axis**2) / column_pitch
    _collect(canvas, row - low[0], column - low[1], row_width, column_width, charge, _CDF)
    if electronics.readout is Readout.CHARGE:
        rows, columns, collected = _read_pixels(rng, canvas, electronics.noise, electronics.threshold)
    else:
        rows, columns, collected = _read_hits(rng, canvas, electronics.noise, electronics.threshold)
    return _window(view, rows, columns, collected * mev_per_electron, electronics.saturation_mev)


def _canvas(
    view: View,
    row: NDArray[np.float64],
    column: NDArray[np.float64],
    vertex_row: float,
    vertex_column: float,
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The pixels, counted from the detector's origin, that charge is collected on."""
    bounds = []
    for position, vertex, size, anchor, anchor_pixel in (
        (row, vertex_row, view.rows, view.row_anchor, view.anchor_pixel[0]),
        (column, vertex_column, view.columns, view.column_anchor, view.anchor_pixel[1]),
    ):
        if anchor is Anchor.VERTEX:
            first = math.floor(vertex) - anchor_pixel
            bounds.append((first, first + size))
        elif len(position):
            bounds.append((math.floor(position.min()) - 1, math.floor(position.max()) + 2))
        else:
            bounds.append((0, 1))
    (row_low, row_high), (column_low, column_high) = bounds
    return (row_low, column_low), (row_high, column_high)


@njit(cache=True)
def _shares(position, width, cdf, shares):  # type: ignore[no-untyped-def]
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
def _collect(canvas, row, column, row_width, column_width, charge, cdf):  # type: ignore[no-untyped-def]
    """Adds the charge of diffused points to the pixels; what falls outside the canvas is lost."""
    rows, columns = canvas.shape
    in_rows, in_columns = np.empty(3), np.empty(3)
    for i in range(len(charge)):
        r = _shares(row[i], row_width[i], cdf, in_rows)
        c = _shares(column[i], column_width[i], cdf, in_columns)
        for dr in range(3):
            at_row = r + dr - 1
            if in_rows[dr] == 0.0 or at_row < 0 or at_row >= rows:
                continue
            for dc in range(3):
                at_column = c + dc - 1
                if in_columns[dc] != 0.0 and 0 <= at_column < columns:
                    canvas[at_row, at_column] += charge[i] * in_rows[dr] * in_columns[dc]


@njit(cache=True)
def _read_pixels(rng, canvas, noise, threshold):  # type: ignore[no-untyped-def]
    """Rows, columns and charge of the pixels above threshold, noise included."""
    rows, columns, charge = _buffers(np.count_nonzero(canvas))
    k = 0
    for r in range(canvas.shape[0]):
        for c in range(canvas.shape[1]):
            if canvas[r, c] > 0:
                measured = canvas[r, c] + noise * rng.standard_normal()
                if measured > threshold:
                    rows[k], columns[k], charge[k] = r, c, measured
                    k += 1
    return rows[:k], columns[:k], charge[:k]


@njit(cache=True)
def _read_hits(rng, canvas, noise, threshold):  # type: ignore[no-untyped-def]
    """Pulses on each wire (column): mean row, column, and charge of those above threshold."""
    rows, columns, charge = _buffers(np.count_nonzero(canvas))
    k = 0
    for c in range(canvas.shape[1]):
        total = moment = previous = 0.0
        length = 0
        falling = False
        for r in range(canvas.shape[0] + 1):
            sample = 0.0
            if r < canvas.shape[0] and canvas[r, c] > 0:
                sample = canvas[r, c] + noise * rng.standard_normal()
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
def _buffers(size):  # type: ignore[no-untyped-def]
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
    index = rows[inside] * view.columns + columns[inside]
    index, position = np.unique(index, return_inverse=True)
    energy = np.bincount(position, energy[inside], minlength=len(index))
    if saturation_mev is not None:
        energy = np.minimum(energy, saturation_mev)
    return SparseView(index.astype(np.uint32), energy.astype(np.float32))


def _placed(positions: NDArray[np.int64], anchor: Anchor, anchor_pixel: int) -> NDArray[np.int64]:
    if anchor is Anchor.VERTEX or len(positions) == 0:
        return positions
    reference = positions.min() if anchor is Anchor.FIRST else round(float(positions.mean()))
    return positions - reference + anchor_pixel
