"""Boxes that were cut out of a detector, transformed as the points in them.

A box says which voxels are in it, and its context where it is: they are put back into the detector,
transformed as points, and framed again, as the processor does it. What is beyond the faces of a box is not
known: a box that is not in the middle of what is in it has lost voxels, and goes along with the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from nuzoo.files.events.point_cloud_events import VOXEL, PointCloudGeometry
from nuzoo.processors.point_clouds.cloud_frame import CloudFrame
from nuzoo.processors.point_clouds.cluster_features import CLUSTER_FEATURES
from nuzoo.processors.point_clouds.feature_extraction_nu_particle_image import NuParticleImageFeatureExtractor
from nuzoo.processors.point_clouds.image_frame import ImageFrame
from nuzoo.processors.point_clouds.particle_images import cut_out, displaced, room_of
from nuzoo.training.augmentation.image_batch import doubles, drawn_displacement, with_images
from nuzoo.training.augmentation.point_cloud_batch import PointBatch
from nuzoo.training.augmentation.point_cloud_steps import transform
from nuzoo.training.augmentation.ragged import events_of

if TYPE_CHECKING:
    from nuzoo.training.augmentation.point_clouds import PointCloudAugmentation

MIDDLE = "box_start"
"""Name of the middle of each box, which a `PointBatch` moves with the event."""

FIRST_VOXEL = slice(CLUSTER_FEATURES, CLUSTER_FEATURES + 3)
"""Of the context "boundary": where a box begins, in parts of the detector's sides."""


@dataclass(frozen=True)
class BoxAugmentation:
    """A `PointCloudAugmentation` of boxes that were cut out of a detector.

    Without a context that says where they are, the box is all of the detector that there is.

    Attributes:
        settings: What is done.
        processor: What made the batches.
    """

    settings: PointCloudAugmentation
    processor: NuParticleImageFeatureExtractor

    @property
    def frame(self) -> ImageFrame:
        """How voxels become images."""
        frame = self.processor.frame
        return frame if frame.context == "boundary" else replace(frame, shape=frame.size)

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Transform a batch."""
        if not len(batch["grid_coordinates"]):
            return dict(batch)
        first = self._first_voxels(batch)
        frame, points = self.frame, self._points(batch, first)
        has_lost = (frame.framed(*_voxels(points)).origin != first).any(axis=1, keepdims=True)
        transform(self.settings, points)
        points.follow()
        image, voxels, _ = _voxels(points)
        own_origin = frame.framed(*_voxels(points)).origin
        origin = np.where(has_lost, self._moved_boxes(points), own_origin)
        framed = cut_out(image, voxels, origin, frame.size)
        if moved := drawn_displacement(self.settings, points.events, points.energy):
            framed = displaced(framed, image, moved, frame.shape)
        alone = np.ones(points.events, dtype=np.int64)
        images = frame.images(image, voxels, doubles(points.energy), alone, framed)
        return with_images(batch, images, self.processor)

    def _first_voxels(self, batch: Mapping[str, Any]) -> NDArray[np.int64]:
        """Say where in the detector each box begins, (images, 3)."""
        if self.frame.context != "boundary":
            return np.zeros((len(batch["offset"]), 3), dtype=np.int64)
        return (doubles(batch["context"][:, FIRST_VOXEL]) * self.frame.shape).round().astype(np.int64)

    def _points(self, batch: Mapping[str, Any], first: NDArray[np.int64]) -> PointBatch:
        """Put voxels back into the detector, with the middles of their boxes."""
        image = events_of(batch["offset"]).cpu().numpy()
        voxels = batch["grid_coordinates"].cpu().numpy() + first[image]
        layout = PointCloudGeometry.of(vars(self.processor) | {"positions": VOXEL, "shape": self.frame.shape})
        cloud = CloudFrame(layout, "voxel")
        middle = first + np.array(self.frame.size) / 2
        places = {"coordinates": cloud.placed(voxels), MIDDLE: cloud.placed(middle)}
        points = {name: torch.from_numpy(place).to(batch["energy"]) for name, place in places.items()}
        points["grid_coordinates"] = torch.from_numpy(voxels).to(batch["energy"].device)
        return PointBatch({**batch, **points}, cloud, self.processor.energy_scale, set())

    def _moved_boxes(self, points: PointBatch) -> NDArray[np.int64]:
        """Say where boxes begin that go along with their events, (images, 3)."""
        frame = self.frame
        middle = doubles(points.batch[MIDDLE]) * points.frame.mm_per_unit / self.processor.pitch_mm
        origin = np.floor(middle + (np.array(frame.shape) - frame.size) / 2 + 0.5).astype(np.int64)
        return np.clip(origin, 0, room_of(frame.size, frame.shape))


def _voxels(points: PointBatch) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Give the image of each voxel, the voxels, and how many images there are."""
    return points.event.cpu().numpy(), points.batch["grid_coordinates"].cpu().numpy(), points.events
