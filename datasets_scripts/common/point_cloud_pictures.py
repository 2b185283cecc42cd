"""The picture `display` of a point cloud: its projections side by side, for the viewer of a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.pictures import grey_levels, stored
from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.files.events.point_cloud_events import (
    DISPLAY_FULL_SCALE_MEV,
    MM,
    PLANES,
    PointCloudGeometry,
)
from nuzoo.simulation.detectors import find_detector

MOST_PIXELS = 256
"""Longest edge of a projection: a cube of 768 voxels has 3 to a pixel, which a viewer shows at full size."""


def with_display(row: Row) -> Row:
    """Return the row with its `display` picture: what falls into one pixel adds up."""
    geometry = find_detector(row["detector"]).geometry() | {"positions": row["positions"]}
    return {**row, "display": stored(projections(row, PointCloudGeometry.of(geometry)))}


def projections(row: Row, layout: PointCloudGeometry) -> NDArray[np.uint8]:
    """Draw the projections of an event side by side, in the order of `PLANES`.

    Args:
        row: With the columns x, y, z and energy.
        layout: Of its detector.

    Returns:
        Grey levels (height, width), the first axis of a plane to the right, the second one upwards. Where
        planes differ in height, those that are lower stand on the same floor.
    """
    voxels_per_pixel = -(-max(layout.shape) // MOST_PIXELS)
    sizes = [-(-size // voxels_per_pixel) for size in layout.shape]
    pixel = [_voxels(row, layout, axis) // voxels_per_pixel for axis in range(3)]
    energy = np.asarray(row["energy"], dtype=np.float64)
    height = max(sizes[up] for _, up in PLANES.values())
    pictures = []
    for right, up in PLANES.values():
        flat = (height - 1 - pixel[up]) * sizes[right] + pixel[right]
        pictures.append(_picture(flat, energy, (height, sizes[right])))
    return np.concatenate(pictures, axis=1)


def _voxels(row: Row, layout: PointCloudGeometry, axis: int) -> NDArray[np.int64]:
    """Give the numbers of the voxels of hits along an axis."""
    position: NDArray[Any] = np.asarray(row["xyz"[axis]])
    if layout.positions == MM:
        position = np.floor((position - layout.origin_mm[axis]) / layout.pitch_mm[axis])
    return np.clip(position.astype(np.int64), 0, layout.shape[axis] - 1)


def _picture(
    flat: NDArray[np.int64], energy: NDArray[np.float64], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    height, width = shape
    inside = np.bincount(flat, weights=energy, minlength=height * width)
    picture = np.zeros(height * width, dtype=np.uint8)
    hit = flat[inside[flat] > 0]  # some of them several times, which is quicker than to look at all pixels
    picture[hit] = grey_levels(inside[hit], DISPLAY_FULL_SCALE_MEV)
    return picture.reshape(shape)
