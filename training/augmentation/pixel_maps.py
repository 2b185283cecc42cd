"""Symmetries of a pixel map, used to make training events go further."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nuzoo.processors.contract import EventProcessor
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.training.augmentation.bound import BatchTransform, PhysicalAugmentation
from nuzoo.training.augmentation.frame_noise import read_frames
from nuzoo.training.augmentation.noisy_maps import NoisyAugmentation
from nuzoo.training.fields import Count, NotNegative, Probability, RecipeError


@dataclass(frozen=True)
class Augmentation(PhysicalAugmentation):
    """Random transformations after which an event is still one of its class.

    The rows of a view run across the beam, so that reversing them mirrors the event at a plane that
    contains the beam: a symmetry of the interaction and, but for the drift direction, of the detector.

    Attributes:
        flip_rows: Probability of reversing the rows of a view.
        independent_views: Flip each view by itself. Right where the rows of the views are different
            axes (XZ and YZ); views that share the drift axis must be flipped together.
        swap_views: Probability of exchanging the first two views: a quarter turn about the beam for XZ
            and YZ, a mirror at the horizontal plane for wire planes at opposite angles.
        intensity_jitter: Standard deviation of a factor that multiplies all pixel values of an event. They
            are logarithms where the processor's scale is "log": a jitter of brightness, not of calibration.
        shift_pixels: Largest displacement of the map of each view along rows and columns, in pixels of the
            image; what leaves it is lost. Windows are not placed alike everywhere.
        drop_pixels: Largest fraction of pixels that an event loses; each draws its own. A reconstruction
            does not find all charge.
        noise: Dataset of frames whose noise is laid over events before all else, a folder or a repository:
            maps of the same views and pixels, of any size. See `nuzoo.training.augmentation.frame_noise`.
        noise_probability: That an event gets some.
    """

    flip_rows: Probability = 0.0
    independent_views: bool = True
    swap_views: Probability = 0.0
    intensity_jitter: NotNegative = 0.0
    shift_pixels: Count | None = None
    drop_pixels: Probability = 0.0
    noise: str | None = None
    noise_probability: Probability = 0.0

    def __post_init__(self) -> None:
        if self.noise is None and self.noise_probability:
            raise RecipeError(
                "augmentation.noise: expected a dataset of frames with noise_probability "
                f"{self.noise_probability}, got none: name one, or leave noise_probability out"
            )
        if self.noise is not None and not self.noise_probability:
            raise RecipeError(
                f"augmentation.noise_probability: expected more than 0 with noise {self.noise}, got 0: state "
                "it, or leave noise out"
            )

    def bound_to(self, processor: EventProcessor, targets: Sequence[str] = ()) -> BatchTransform:
        """Make what transforms the batches of a processor; frames of noise are read now.

        Args:
            processor: What makes them.
            targets: What it is asked for.

        Raises:
            RecipeError: Noise of other views or pixels, or for batches of something else than pixel maps.
        """
        if self.noise is None:
            return self
        if not isinstance(processor, NuPixelMapImageProcessor):
            raise RecipeError(
                "augmentation.noise: expected a NuPixelMapImageProcessor, got "
                f"{type(processor).__name__}, whose images are not in MeV: leave it out"
            )
        return NoisyAugmentation(self, processor, read_frames(self.noise, processor))

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Transform the `pixel_values` of a batch without noise, see `transformed`."""
        if self.noise is not None:
            return super().__call__(batch)
        return {**batch, "pixel_values": self.transformed(batch["pixel_values"])}

    def transformed(self, pixel_values: Tensor) -> Tensor:
        """Transform maps (events, views, rows, columns), each event by its own draw of torch's generator."""
        events, views = pixel_values.shape[:2]
        draw = partial(torch.rand, device=pixel_values.device)
        columns = views if self.independent_views else 1
        flip = draw(events, columns, 1, 1) < self.flip_rows
        pixel_values = torch.where(flip, pixel_values.flip(2), pixel_values)
        if self.swap_views and views < 2:
            raise RecipeError("augmentation.swap_views: expected at least two views, got one: leave it out")
        if self.swap_views:
            order = [1, 0, *range(2, views)]
            swap = draw(events, 1, 1, 1) < self.swap_views
            pixel_values = torch.where(swap, pixel_values[:, order], pixel_values)
        if self.intensity_jitter:
            factor = 1 + self.intensity_jitter * torch.randn(events, 1, 1, 1, device=pixel_values.device)
            pixel_values = pixel_values * factor
        if self.drop_pixels:
            lost = self.drop_pixels * draw(events, 1, 1, 1)
            pixel_values = pixel_values * (draw(*pixel_values.shape) >= lost)
        return pixel_values if self.shift_pixels is None else _shifted(pixel_values, self.shift_pixels)


def _shifted(maps: Tensor, largest: int) -> Tensor:
    """Displace maps (events, views, rows, columns), each by its own draw, up to so many pixels both ways."""
    rows, columns = maps.shape[2:]
    padded = F.pad(maps, (largest, largest, largest, largest))
    for axis, size in ((2, rows), (3, columns)):
        start = torch.randint(2 * largest + 1, (*maps.shape[:2], 1, 1), device=maps.device)
        index = start + torch.arange(size, device=maps.device).view(
            1, 1, *((-1, 1) if axis == 2 else (1, -1))
        )
        shape = list(padded.shape)
        shape[axis] = size
        padded = padded.gather(axis, index.expand(shape))
    return padded
