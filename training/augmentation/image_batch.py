"""Images of particles in a batch, from torch to NumPy, in which they are framed, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nuzoo.processors.point_clouds.feature_extraction_nu_particle_image import NuParticleImageFeatureExtractor
from nuzoo.processors.point_clouds.image_frame import Images
from nuzoo.processors.point_clouds.particle_images import Displacement

if TYPE_CHECKING:
    from nuzoo.training.augmentation.point_clouds import PointCloudAugmentation


def drawn_displacement(settings: PointCloudAugmentation, images: int, like: Tensor) -> Displacement | None:
    """Draw where images are in their frames, if anywhere but in the middle."""
    if settings.shift_cells is None:
        return None
    return Displacement(settings.shift_cells, doubles(torch.rand(images, 3, device=like.device)))


def with_images(
    batch: Mapping[str, Any], images: Images, processor: NuParticleImageFeatureExtractor
) -> dict[str, Any]:
    """Replace the images of a batch, and the context where there is one."""
    device = batch["energy"].device
    energy = processor.energy_scale.forward(torch.from_numpy(images.energy)).float()
    found = {
        "grid_coordinates": torch.from_numpy(images.cells),
        "energy": energy[:, None],
        "offset": torch.from_numpy(images.offset),
        "context": torch.from_numpy(images.context.astype(np.float32)),
    }
    return {**batch, **{name: value.to(device) for name, value in found.items() if name in batch}}


def doubles(tensor: Tensor) -> NDArray[np.float64]:
    """Give a tensor as float64 on the CPU."""
    return tensor.double().cpu().numpy()
