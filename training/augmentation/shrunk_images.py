"""Images that particles were shrunk into, transformed as a whole with what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from nuzoo.processors.point_clouds.cluster_features import CLUSTER_FEATURES, SHAPE_FEATURES, cluster_features
from nuzoo.processors.point_clouds.feature_extraction_nu_particle_image import NuParticleImageFeatureExtractor
from nuzoo.processors.point_clouds.image_frame import Images
from nuzoo.processors.point_clouds.particle_images import displaced
from nuzoo.training.augmentation.image_batch import doubles, drawn_displacement, with_images
from nuzoo.training.augmentation.particle_context import scaled_charges, turned
from nuzoo.training.augmentation.ragged import events_of
from nuzoo.training.augmentation.random_factors import factors
from nuzoo.training.augmentation.turns import mirrors, turns

if TYPE_CHECKING:
    from nuzoo.training.augmentation.point_clouds import PointCloudAugmentation


@dataclass(frozen=True)
class ShrunkImageAugmentation:
    """A `PointCloudAugmentation` of images that particles were shrunk into, if they did not fit.

    The sign of the asymmetry in a context without direction is that of the direction in the image.

    Attributes:
        settings: What is done.
        processor: What made the batches.
    """

    settings: PointCloudAugmentation
    processor: NuParticleImageFeatureExtractor

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Transform a batch."""
        one, energy = self.settings, batch["energy"]
        image = events_of(batch["offset"]).cpu().numpy()
        alone = torch.arange(1, len(batch["offset"]) + 1)
        together = batch["event_offset"] if self.processor.context == "event" else alone
        event = events_of(together).cpu().numpy()
        turn = turns(len(together), one.rotation_axes, one.rotate, one.quarter_turns, energy)
        matrix = doubles(mirrors(len(together), one.mirror_axes, one.mirror, energy) @ turn)[event]
        gain = factors(energy.new_zeros(len(together)), one.gain)
        factor = doubles(gain)[event]
        before = batch["grid_coordinates"].cpu().numpy()
        mev = doubles(self.processor.energy_scale.inverse(energy[:, 0]))
        cells = (matrix[image].astype(np.int64) @ before[:, :, None])[:, :, 0]
        framed = self.processor.frame.framed(image, cells, len(event))
        if moved := drawn_displacement(one, len(event), energy):
            framed = displaced(framed, image, moved, self.processor.shape)
        context = self._context(batch, image, before, mev, matrix, factor)
        offset = batch["offset"].cpu().numpy()
        return with_images(batch, Images(framed.cells, mev * factor[image], offset, context), self.processor)

    def _context(
        self,
        batch: Mapping[str, Any],
        image: NDArray[np.int64],
        cells: NDArray[np.int64],
        energy: NDArray[np.float64],
        matrix: NDArray[np.float64],
        factor: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Transform the context of images, if there is one."""
        if self.processor.context == "none":
            return np.empty((len(matrix), 0))
        context = doubles(batch["context"])
        clusters = context[:, :CLUSTER_FEATURES]
        is_shape = self.processor.context == "shape"
        if is_shape:
            size = self.processor.size
            clusters = cluster_features(image, cells, energy, np.ones(len(matrix)), size, "axes")
            clusters[:, SHAPE_FEATURES] = context
        filled = np.bincount(image, minlength=len(matrix)) > 0
        after = scaled_charges(turned(clusters, matrix, tuple(self.processor.shape)), factor)
        after = np.where(filled[:, None], after, clusters)
        if is_shape:
            return after[:, SHAPE_FEATURES]
        return np.concatenate([after, context[:, CLUSTER_FEATURES:]], axis=1)
