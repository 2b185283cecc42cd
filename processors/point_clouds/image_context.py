"""The numbers that a network reads beside the image of a particle: which there are, in which order."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nuzoo.processors.point_clouds.cluster_features import (
    CLUSTER_FEATURES,
    SHAPE_FEATURES,
    cluster_features,
)
from nuzoo.processors.point_clouds.event_context import EVENT_FEATURES, event_context
from nuzoo.processors.point_clouds.particle_images import FramedVoxels

Context = Literal["boundary", "shape", "event", "none"]
"""What there is beside an image, see `image_context`."""

BOUNDARY_FEATURES = 6

CONTEXT_SIZES = {
    "boundary": CLUSTER_FEATURES + BOUNDARY_FEATURES,
    "shape": len(SHAPE_FEATURES),
    "event": CLUSTER_FEATURES + EVENT_FEATURES,
    "none": 0,
}


def image_context(
    context: Context,
    image: NDArray[np.int64],
    voxels: NDArray[np.int64],
    energy: NDArray[np.float64],
    framed: FramedVoxels,
    per_event: NDArray[np.int64],
    shape: Sequence[int],
) -> NDArray[np.float64]:
    """Compute the numbers beside images.

    "boundary" are those of `cluster_features`, and the distances of the box to the detector's faces: low x,
    y and z, then high, divided by its sides. "shape" are those of `cluster_features` that know neither place
    nor direction. "event" are those of `cluster_features` and of `event_context`.

    Of a box that is cut out they are of what is in it, feature 11 is the part of the voxels on its faces, and
    the direction that of positive asymmetry. Of one that voxels shrink into they are of all voxels, in the
    detector; feature 11 is the scale, and the direction that of the axes.

    Args:
        context: which.
        image: (voxels,) the image of each, ascending.
        voxels: (voxels, 3) in the detector.
        energy: (voxels,) MeV.
        framed: the same voxels in their images.
        per_event: (events,) images of each event.
        shape: voxels of the detector along each axis.

    Returns:
        (images, numbers), all finite.
    """
    if context == "none":
        return np.empty((len(framed.scale), 0))
    if framed.is_cut:
        inside, kept = image[framed.kept], energy[framed.kept]
        edge = _on_faces(inside, framed)
        clusters = cluster_features(inside, framed.cells, kept, edge, framed.size, "charge")
    else:
        clusters = cluster_features(image, voxels, energy, framed.scale, shape, "axes")
    if context == "shape":
        return clusters[:, list(SHAPE_FEATURES)]
    if context == "boundary":
        return np.concatenate([clusters, _boundary(framed, shape)], axis=1)
    return np.concatenate([clusters, event_context(image, voxels, energy, per_event, shape)], axis=1)


def _on_faces(image: NDArray[np.int64], framed: FramedVoxels) -> NDArray[np.float64]:
    """Part of the voxels of each image that are on the faces of its box, (images,)."""
    images = len(framed.scale)
    on_face = ((framed.cells == 0) | (framed.cells == np.array(framed.size) - 1)).any(axis=1)
    number = np.maximum(np.bincount(image, minlength=images), 1)
    return np.bincount(image, weights=on_face, minlength=images) / number


def _boundary(framed: FramedVoxels, shape: Sequence[int]) -> NDArray[Any]:
    """Distances of the box to the detector's faces, (images, 6)."""
    beyond = np.maximum(np.subtract(shape, framed.size) - framed.origin, 0)
    return np.concatenate([framed.origin, beyond], axis=1) / np.tile(shape, 2)
