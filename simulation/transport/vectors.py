"""Directions and boxes, for the transport kernel."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.transport.kernel import inner


@inner
def isotropic(rng: np.random.Generator) -> tuple[float, float, float]:
    """Return a direction drawn uniformly from the sphere."""
    cosine = 2 * rng.random() - 1
    return turn(0.0, 0.0, 1.0, cosine, 2 * math.pi * rng.random())


@inner
def turn(ux: float, uy: float, uz: float, cosine: float, azimuth: float) -> tuple[float, float, float]:
    """Turn the unit vector u by a polar angle (given by its cosine) about a given azimuth."""
    sine = math.sqrt(max(0.0, 1 - cosine * cosine))
    a, b = sine * math.cos(azimuth), sine * math.sin(azimuth)
    across = math.sqrt(ux * ux + uy * uy)
    if across < 1e-8:
        sign = 1.0 if uz > 0 else -1.0
        return a, b * sign, cosine * sign
    x = ux * cosine + (a * ux * uz - b * uy) / across
    y = uy * cosine + (a * uy * uz + b * ux) / across
    z = uz * cosine - a * across
    norm = 1 / math.sqrt(x * x + y * y + z * z)
    return x * norm, y * norm, z * norm


@inner
def is_inside(box: NDArray[np.float64], x: float, y: float, z: float) -> bool:
    """Whether a point (cm) lies in the box (2, 3): lower corner, upper corner."""
    return box[0, 0] <= x <= box[1, 0] and box[0, 1] <= y <= box[1, 1] and box[0, 2] <= z <= box[1, 2]


@inner
def _to_plane(low: float, high: float, at: float, slope: float) -> float:
    if slope > 0:
        return (high - at) / slope
    if slope < 0:
        return (low - at) / slope
    return math.inf


@inner
def distance_to_wall(
    box: NDArray[np.float64], x: float, y: float, z: float, ux: float, uy: float, uz: float
) -> float:
    """Distance in cm along u from a point inside the box to its surface."""
    nearest = min(
        _to_plane(box[0, 0], box[1, 0], x, ux),
        _to_plane(box[0, 1], box[1, 1], y, uy),
        _to_plane(box[0, 2], box[1, 2], z, uz),
    )
    return max(nearest, 0.0)
