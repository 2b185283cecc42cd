"""Voxels of a particle placed in an image: cut out around its middle, or shrunk until it fits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Framing = Literal["crop", "scale"]


@dataclass(frozen=True)
class FramedVoxels:
    """Voxels in their images.

    Attributes:
        kept: (n,) the voxels that are in an image.
        cells: (n, 3) where, from 0.
        origin: (images, 3) the first voxel of each image in the detector, of "crop".
        scale: (images,) what distances were multiplied by, 1 of "crop".
        size: voxels of an image along each axis.
        is_cut: of "crop".
    """

    kept: NDArray[np.int64]
    cells: NDArray[np.int64]
    origin: NDArray[np.int64]
    scale: NDArray[np.float64]
    size: tuple[int, ...]
    is_cut: bool


@dataclass(frozen=True)
class Displacement:
    """How far images may be from the middle of their frames, and where in that range they are.

    Attributes:
        most: cells along each axis, either way.
        draw: (images, 3) from 0 to below 1, where in the range that is possible.
    """

    most: int
    draw: NDArray[np.float64]


def limits_of(
    image: NDArray[np.int64], voxels: NDArray[Any], images: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the least and the largest voxel (images, 3) of each image, 0 where it has none."""
    low, high = np.zeros((images, 3), dtype=np.int64), np.zeros((images, 3), dtype=np.int64)
    counts = np.bincount(image, minlength=images)
    if len(image):
        starts = (np.cumsum(counts) - counts)[counts > 0]
        low[counts > 0] = np.minimum.reduceat(voxels, starts, axis=0)
        high[counts > 0] = np.maximum.reduceat(voxels, starts, axis=0)
    return low, high


def cropped(
    image: NDArray[np.int64],
    voxels: NDArray[np.int64],
    images: int,
    size: Sequence[int],
    sides: Sequence[int],
) -> FramedVoxels:
    """Cut a box out of the detector around the middle of each image's voxels, and lose those outside.

    Its first voxel is (low + high + 1) // 2 - size // 2, moved so that the box is in the detector.

    Args:
        image: (voxels,) the image of each, ascending.
        voxels: (voxels, 3).
        images: how many there are.
        size: of the box.
        sides: of the detector, in voxels.
    """
    low, high = limits_of(image, voxels, images)
    origin = (low + high + 1) // 2 - np.array(size) // 2
    return cut_out(image, voxels, np.clip(origin, 0, room_of(size, sides)), size)


def cut_out(
    image: NDArray[np.int64], voxels: NDArray[np.int64], origin: NDArray[np.int64], size: Sequence[int]
) -> FramedVoxels:
    """Cut a box that begins at `origin` (images, 3) out of each image; see `cropped`."""
    cells = voxels - origin[image]
    kept = np.flatnonzero(((cells >= 0) & (cells < size)).all(axis=1))
    return FramedVoxels(kept, cells[kept], origin, np.ones(len(origin)), tuple(size), is_cut=True)


def room_of(size: Sequence[int], sides: Sequence[int]) -> NDArray[np.int64]:
    """Give the largest first voxel (3,) of a box that is in the detector, both of so many voxels."""
    return np.maximum(np.subtract(sides, size), 0)


def scaled(
    image: NDArray[np.int64], voxels: NDArray[np.int64], images: int, size: Sequence[int]
) -> FramedVoxels:
    """Put the middle of each image's voxels into that of a box, shrunk by one factor if they do not fit.

    A voxel v goes to floor((v - (low + high) / 2) s + size / 2), s = min(1, (size - 1) / (high - low)) over
    the axes: without shrinking neighbours stay neighbours. Several voxels may get into one cell.

    Args:
        image: (voxels,) the image of each, ascending.
        voxels: (voxels, 3).
        images: how many there are.
        size: of the box.
    """
    low, high = limits_of(image, voxels, images)
    scale = np.minimum(1.0, ((np.array(size) - 1) / np.maximum(high - low, 1)).min(axis=1))
    place = (voxels - ((low + high) / 2)[image]) * scale[image][:, None]
    cells = np.floor(place + np.array(size) / 2).astype(np.int64)
    kept = np.arange(len(voxels))
    cells = np.clip(cells, 0, np.array(size) - 1)
    return FramedVoxels(kept, cells, np.zeros_like(low), scale, tuple(size), is_cut=False)


def displaced(
    framed: FramedVoxels, image: NDArray[np.int64], by: Displacement, sides: Sequence[int]
) -> FramedVoxels:
    """Move images in their frames by whole cells, as far as none of their voxels leaves it.

    A box that is cut out moves the other way, and stays in the detector.

    Args:
        framed: voxels in the middle of their images.
        image: (voxels,) the image of each, ascending.
        by: how far.
        sides: of the detector, in voxels.
    """
    inside = image[framed.kept]
    low, high = limits_of(inside, framed.cells, len(framed.scale))
    least = np.maximum(-low, -by.most)
    most = np.minimum(np.array(framed.size) - 1 - high, by.most)
    if framed.is_cut:
        least = np.maximum(least, framed.origin - room_of(framed.size, sides))
        most = np.minimum(most, framed.origin)
    shift = np.floor(least + by.draw * (most - least + 1)).astype(np.int64)
    origin = framed.origin - shift if framed.is_cut else framed.origin
    return replace(framed, cells=framed.cells + shift[inside], origin=origin)
