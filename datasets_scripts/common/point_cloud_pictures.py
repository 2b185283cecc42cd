"""Pictures of point clouds: the energy as it looks along each axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.pictures import png
from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.files.events.point_cloud_events import DISPLAY_FULL_SCALE_MEV, VOXEL, PointCloudGeometry
from nuzoo.simulation.detectors import find_detector

PROJECTIONS = ((0, 2), (1, 2), (1, 0))
"""Axes upward and to the right: zx, zy and xy, as the column `display` says."""
LARGEST_SIDE = 256
"""Pixels of the largest side of a detector; a pixel has the energy of as many voxels as that takes."""


def with_projections(row: Row) -> Row:
    """Return the row with its `display` picture: three projections side by side, for people."""
    layout = PointCloudGeometry.of(find_detector(row["detector"]).geometry())
    step = -(-max(layout.shape) // LARGEST_SIDE)
    pixels, shape = _voxels(row, layout) // step, tuple(-(-size // step) for size in layout.shape)
    pictures = [_grey(pixels, np.asarray(row["energy"]), shape, axes) for axes in PROJECTIONS]
    rows = max(picture.shape[0] for picture in pictures)
    padded = [np.pad(each, ((rows - each.shape[0], 0), (0, 0))) for each in pictures]
    return {**row, "display": {"bytes": png(np.concatenate(padded, axis=1)), "path": None}}


def _voxels(row: Row, layout: PointCloudGeometry) -> NDArray[np.int64]:
    """Return (hits, 3) numbers of voxels."""
    positions = np.stack([np.asarray(row[axis]) for axis in "xyz"], axis=-1)
    if row["positions"] != VOXEL:
        positions = np.floor((positions - np.array(layout.origin_mm)) / np.array(layout.pitch_mm))
        positions = np.clip(positions, 0, np.array(layout.shape) - 1)
    return positions.astype(np.int64)


def _grey(
    pixels: NDArray[np.int64], energy: NDArray[np.float32], shape: tuple[int, ...], axes: tuple[int, int]
) -> NDArray[np.uint8]:
    up, right = axes
    cell = pixels[:, up] * shape[right] + pixels[:, right]
    lit, of_hit = np.unique(cell, return_inverse=True)
    scaled = np.log1p(np.bincount(of_hit, energy, len(lit))) / np.log1p(DISPLAY_FULL_SCALE_MEV)
    picture = np.zeros((shape[up], shape[right]), dtype=np.uint8)
    picture.reshape(-1)[lit] = np.clip(np.rint(255 * scaled), 1, 255)
    return picture[::-1]
