"""What the voxels of a particle look like as a whole: 25 numbers of size, charge, axes and shape.

The list is that of the transfer study of arXiv 2604.07037; where it names a quantity without its formula,
the formula is ours. n voxels at r_i, counted in the volume of sides S that they are in, have the energies q_i
in MeV. An image without voxels has 0 everywhere, and so has what a single voxel cannot have.

| position | feature |
|---|---|
| 0 to 2 | centroid c = mean(r), divided by S - 1 |
| 3 to 5 | extent, max(r) - min(r) + 1, divided by S |
| 6 to 10 | log(1 + v) of v = n, sum(q), mean(q), standard deviation of q, n / product of the extents |
| 11 | how it was framed: given by the caller |
| 12 to 14 | log(1 + sqrt(l)) of the eigenvalues l1 >= l2 >= l3 of the covariance of r, in voxels |
| 15 to 17 | start: c + d min(t), divided by S - 1, where t_i = d . (r_i - c) |
| 18 to 20 | principal direction d, 0 where there is none: l1 not above l2 |
| 21 | length max(t) - min(t), divided by the length of S |
| 22 | linearity (l1 - l2) / l1 |
| 23 | planarity (l2 - l3) / l1 |
| 24 | asymmetry sum(q sign(t - m)) / sum(q), m the middle of min(t) and max(t) |

d has two signs: "charge" chooses that of positive asymmetry, "axes" that whose first component that is not 0
is positive; where there is no asymmetry "charge" does as "axes".
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

CLUSTER_FEATURES = 25
SHAPE_FEATURES = (*range(3, 15), *range(21, 25))
"""Those that know no place and no direction in the detector."""

CENTROID, EXTENT, START, DIRECTION = slice(0, 3), slice(3, 6), slice(15, 18), slice(18, 21)
CHARGES = slice(7, 10)
LENGTH, ASYMMETRY = 21, 24

Orientation = Literal["charge", "axes"]
Floats = NDArray[np.float64]

EQUAL = 1e-6
"""Relative difference below which numbers count as equal, where rounding must not decide."""


def cluster_features(
    image: NDArray[np.int64],
    voxels: NDArray[Any],
    energy: Floats,
    framing: Floats,
    sides: Sequence[int],
    orientation: Orientation,
) -> Floats:
    """Compute the features; see the module.

    Args:
        image: (n,) the image of each voxel, ascending.
        voxels: (n, 3).
        energy: (n,) MeV.
        framing: (images,) feature 11.
        sides: S, voxels along each axis.
        orientation: which sign d has.

    Returns:
        (images, 25), all finite.
    """
    images = len(framing)
    clusters = _Clusters(image, images)
    place, size = voxels.astype(np.float64), np.array(sides, dtype=np.float64)
    last = np.maximum(size - 1, 1)
    number = clusters.total(np.ones(len(image)))
    centroid = clusters.mean(place)
    extent = clusters.extent(place)
    charge, mean = clusters.total(energy), clusters.mean(energy[:, None])[:, 0]
    spread = np.sqrt(clusters.mean((energy - mean[image])[:, None] ** 2)[:, 0])
    volume = np.maximum(extent.prod(axis=1), 1)
    lengths, direction = _axes(clusters, place - centroid[image])
    low, high, asymmetry = _along(clusters, place - centroid[image], direction, energy)
    sign = signs_by_axes(direction)
    if orientation == "charge":
        sign = np.where(np.abs(asymmetry) > EQUAL, np.where(asymmetry < 0, -1.0, 1.0), sign)
    start = centroid + direction * np.where(sign > 0, low, high)[:, None]
    first = np.maximum(lengths[:, 0], np.finfo(float).tiny)
    features = [
        centroid / last,
        extent / size,
        np.log1p(np.stack([number, charge, mean, spread, number / volume], axis=1)),
        framing[:, None],
        np.log1p(np.sqrt(lengths)),
        start / last,
        direction * sign[:, None],
        ((high - low) / np.linalg.norm(size))[:, None],
        ((lengths[:, 0] - lengths[:, 1]) / first)[:, None],
        ((lengths[:, 1] - lengths[:, 2]) / first)[:, None],
        (asymmetry * sign)[:, None],
    ]
    return np.where(number[:, None] > 0, np.concatenate(features, axis=1), 0.0)


class _Clusters:
    """Sums and limits over the voxels of each image."""

    def __init__(self, image: NDArray[np.int64], images: int):
        self.image, self.images = image, images
        self.counts = np.bincount(image, minlength=images)
        self.filled = np.flatnonzero(self.counts)
        self.starts = (np.cumsum(self.counts) - self.counts)[self.filled]

    def total(self, values: Floats) -> Floats:
        return np.bincount(self.image, weights=values, minlength=self.images).astype(np.float64)

    def mean(self, values: Floats) -> Floats:
        totals = np.stack([self.total(column) for column in values.T], axis=1)
        return totals / np.maximum(self.counts, 1)[:, None]

    def limit(self, values: Floats, ufunc: np.ufunc) -> Floats:
        limits = np.zeros((self.images, *values.shape[1:]))
        if len(values):
            limits[self.filled] = ufunc.reduceat(values, self.starts, axis=0)
        return limits

    def extent(self, place: Floats) -> Floats:
        return self.limit(place, np.maximum) - self.limit(place, np.minimum) + (self.counts > 0)[:, None]


def _axes(clusters: _Clusters, around: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues of the covariance (images, 3), falling, and the principal direction (images, 3) or 0."""
    products = around[:, :, None] * around[:, None, :]
    covariance = clusters.mean(products.reshape(-1, 9)).reshape(-1, 3, 3)
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values[:, ::-1], 0.0)
    values[values < EQUAL * values[:, :1]] = 0.0
    has_direction = values[:, 0] - values[:, 1] > EQUAL * values[:, 0]
    return values, vectors[:, :, -1] * has_direction[:, None]


def _along(
    clusters: _Clusters, around: Floats, direction: Floats, energy: Floats
) -> tuple[Floats, Floats, Floats]:
    """Limits of the places along the direction, and the asymmetry, (images,) each."""
    along = (around * direction[clusters.image]).sum(axis=1)
    low, high = clusters.limit(along, np.minimum), clusters.limit(along, np.maximum)
    from_middle = along - ((low + high) / 2)[clusters.image]
    from_middle[np.abs(from_middle) < EQUAL * (1 + high - low)[clusters.image]] = 0.0
    charge = np.maximum(clusters.total(energy), np.finfo(float).tiny)
    return low, high, clusters.total(energy * np.sign(from_middle)) / charge


def signs_by_axes(direction: Floats) -> Floats:
    """Signs (images,) with which the first component that is not 0 of directions (images, 3) is positive."""
    significant = np.abs(direction) > EQUAL
    first = np.take_along_axis(direction, significant.argmax(axis=1)[:, None], axis=1)[:, 0]
    return np.where(first < 0, -1.0, 1.0)
