"""The numbers beside images of particles, when events are turned and gains change."""

import numpy as np
from numpy.typing import NDArray

from nuzoo.processors.point_clouds.cluster_features import (
    ASYMMETRY,
    CENTROID,
    CHARGES,
    DIRECTION,
    EXTENT,
    LENGTH,
    START,
    signs_by_axes,
)

Floats = NDArray[np.float64]


def turned(features: Floats, matrix: Floats, sides: tuple[int, ...]) -> Floats:
    """Turn the features of `cluster_features`, oriented by axes, about the middle of the detector.

    Where the direction changes its sign, the particle starts at its other end.

    Args:
        features: (images, 25).
        matrix: (images, 3, 3) that maps axes on axes of as many voxels.
        sides: voxels of the detector along each axis.

    Returns:
        (images, 25).
    """
    direction = _applied(matrix, features[:, DIRECTION])
    sign = signs_by_axes(direction)
    length = features[:, LENGTH] * np.linalg.norm(sides)
    last = np.maximum(np.array(sides) - 1, 1)
    to_start = direction * np.where(sign < 0, length, 0.0)[:, None] / last
    found = features.copy()
    found[:, CENTROID] = _applied(matrix, features[:, CENTROID] - 0.5) + 0.5
    found[:, EXTENT] = _applied(np.abs(matrix), features[:, EXTENT])
    found[:, START] = _applied(matrix, features[:, START] - 0.5) + 0.5 + to_start
    found[:, DIRECTION] = direction * sign[:, None]
    found[:, ASYMMETRY] *= sign
    return found


def scaled_charges(features: Floats, factor: Floats) -> Floats:
    """Multiply the charges of features (images, 25) by a factor (images,)."""
    found = features.copy()
    found[:, CHARGES] = np.log1p(factor[:, None] * np.expm1(features[:, CHARGES]))
    return found


def _applied(matrix: Floats, vectors: Floats) -> Floats:
    return (matrix @ vectors[:, :, None])[:, :, 0]
