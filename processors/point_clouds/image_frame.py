"""Voxels of a detector become images of particles, and the numbers beside them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.processors.point_clouds.image_context import Context, image_context
from nuzoo.processors.point_clouds.merging import merge_hits
from nuzoo.processors.point_clouds.particle_images import FramedVoxels, Framing, cropped, scaled


@dataclass(frozen=True)
class Images:
    """Images before their energies are standardised.

    Attributes:
        cells: (points, 3) in the image.
        energy: (points,) MeV.
        offset: (images,) where each image's points end.
        context: (images, numbers).
    """

    cells: NDArray[np.int64]
    energy: NDArray[np.float64]
    offset: NDArray[np.int64]
    context: NDArray[np.float64]


@dataclass(frozen=True)
class ImageFrame:
    """How voxels are framed.

    Attributes:
        shape: voxels of the detector along each axis.
        size: voxels of an image along each axis.
        framing: see `particle_images`.
        context: see `image_context`.
    """

    shape: tuple[int, ...]
    size: tuple[int, ...]
    framing: Framing
    context: Context

    def images(
        self,
        image: NDArray[np.int64],
        voxels: NDArray[Any],
        energy: NDArray[np.float64],
        per_event: NDArray[np.int64],
        framed: FramedVoxels | None = None,
    ) -> Images:
        """Make images.

        Args:
            image: (voxels,) the image of each, ascending.
            voxels: (voxels, 3) in the detector, each once in an image.
            energy: (voxels,) MeV.
            per_event: (events,) images of each event.
            framed: the voxels in their images; by default in the middle of these.
        """
        number = int(per_event.sum())
        framed = framed or self.framed(image, voxels, number)
        context = image_context(self.context, image, voxels, energy, framed, per_event, self.shape)
        inside = image[framed.kept]
        merged = merge_hits(inside, framed.cells, energy[framed.kept])
        offset = np.bincount(inside[merged.kept], minlength=number).cumsum()
        cells = np.ascontiguousarray(framed.cells[merged.kept])
        return Images(cells, merged.energy, offset, context)

    def framed(self, image: NDArray[np.int64], voxels: NDArray[Any], images: int) -> FramedVoxels:
        """Put voxels into their images, in the middle; see `images`."""
        if self.framing == "crop":
            return cropped(image, voxels, images, self.size, self.shape)
        return scaled(image, voxels, images, self.size)
