"""What a particle is among the others of its event: six numbers.

| position | feature |
|---|---|
| 0, 1 | its share of the charge, and of the voxels, of all images of the event |
| 2, 3 | its rank in charge, and in voxels: others with more and half of those with as many, over all others |
| 4 | distance of its centroid to the nearest other one, divided by the diagonal of the detector; 1 if alone |
| 5 | distance of its centroid to that of all voxels of the images, divided by the diagonal |

The rank of one that is alone is 0.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

EVENT_FEATURES = 6
Floats = NDArray[np.float64]


def event_context(
    image: NDArray[np.int64],
    voxels: NDArray[Any],
    energy: Floats,
    images: NDArray[np.int64],
    sides: Sequence[int],
) -> Floats:
    """Compute the features; see the module.

    Args:
        image: (n,) the image of each voxel.
        voxels: (n, 3), in the detector.
        energy: (n,) MeV.
        images: (events,) number of images of each event, whose images follow each other.
        sides: voxels along each axis of the detector.

    Returns:
        (images, 6).
    """
    total = int(images.sum())
    number = np.bincount(image, minlength=total).astype(np.float64)
    charge = np.bincount(image, weights=energy, minlength=total).astype(np.float64)
    place = [np.bincount(image, weights=voxels[:, axis], minlength=total) for axis in range(3)]
    summed = np.stack(place, axis=1).astype(np.float64)
    diagonal = float(np.linalg.norm(sides))
    ends = np.cumsum(images)
    parts = [
        _of_event(charge[start:end], number[start:end], summed[start:end], diagonal)
        for start, end in zip(ends - images, ends, strict=True)
    ]
    return np.concatenate([np.empty((0, EVENT_FEATURES)), *parts])


def _of_event(charge: Floats, number: Floats, summed: Floats, diagonal: float) -> Floats:
    if not len(charge):
        return np.empty((0, EVENT_FEATURES))
    centroid = summed / np.maximum(number, 1)[:, None]
    middle = summed.sum(axis=0) / max(number.sum(), 1)
    distance = np.linalg.norm(centroid[:, None] - centroid[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    nearest = distance.min(axis=1) / diagonal if len(charge) > 1 else np.ones(1)
    columns = [
        charge / max(charge.sum(), np.finfo(float).tiny),
        number / max(number.sum(), 1),
        _rank(charge),
        _rank(number),
        nearest,
        np.linalg.norm(centroid - middle, axis=1) / diagonal,
    ]
    return np.stack(columns, axis=1)


def _rank(values: Floats) -> Floats:
    """From 0 of the largest to 1 of the least, equal ones alike; 0 of one that is alone."""
    more = (values[None] > values[:, None]).sum(axis=1)
    as_many = (values[None] == values[:, None]).sum(axis=1) - 1
    return (more + as_many / 2) / max(len(values) - 1, 1)
