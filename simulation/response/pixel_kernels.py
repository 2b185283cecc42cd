"""The loops of the pixel maps: charge along lines is collected on a canvas, and the canvas is read out."""

import math

import numpy as np
from numba import njit

import nuzoo.simulation.compiled  # noqa: F401

CDF_RANGE = 4.0
CDF_STEPS = 1024
"""A table of the normal distribution from -4 to 4 standard deviations."""

CDF = np.array(
    [
        0.5 * math.erfc((CDF_RANGE - 2 * CDF_RANGE * i / CDF_STEPS) / math.sqrt(2))
        for i in range(CDF_STEPS + 1)
    ]
)

SAMPLE_SIGMAS = 3.0
"""A sample belongs to a pulse when it is that many times the noise, a usual cut of hit finders."""

LONGEST_PULSE = 3
"""Rows after which hit finding cuts a long pulse; set so that hits stand alone as in the DUNE CVN files."""


@njit(cache=True)
def projected(vectors, projection):
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
def bounds(start, end):
    """Pixels around all lines, with one beside them for the diffused charge."""
    low, high = np.empty(2, np.int64), np.empty(2, np.int64)
    for axis in range(2):
        smallest = largest = start[0, axis]
        for i in range(len(start)):
            smallest = min(smallest, start[i, axis], end[i, axis])
            largest = max(largest, start[i, axis], end[i, axis])
        low[axis], high[axis] = math.floor(smallest) - 1, math.floor(largest) + 2
    return low, high


@njit(cache=True)
def _shares(position, width, cdf, shares):
    """Shares of a Gaussian at `position` in its own pixel and the two beside it, and its own pixel."""
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
def collect(canvas, start, end, width, charge, points, cdf):
    """Add diffused lines to the canvas (columns, rows); charge that falls outside is lost.

    Returns:
        The range of rows (first, last + 1) that each column was touched in.
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
def read_pixels(rng, canvas, touched, noise, threshold):
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
def read_hits(rng, canvas, touched, noise, threshold):
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
