"""Noise of real frames laid over pixel maps, in MeV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.training.augmentation.frame_noise import FrameNoise, Range, ViewNoise

if TYPE_CHECKING:
    from nuzoo.training.augmentation.pixel_maps import Augmentation


@dataclass(frozen=True)
class NoisyAugmentation:
    """An `Augmentation` of the batches of one processor, after noise was laid over them.

    Attributes:
        settings: What is done.
        processor: What made the batches.
        frames: Where noise is taken from.
    """

    settings: Augmentation
    processor: NuPixelMapImageProcessor
    frames: list[FrameNoise]

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Transform a batch."""
        maps = batch["pixel_values"]
        noise = torch.zeros(maps.shape)
        for event in torch.nonzero(torch.rand(len(maps)) < self.settings.noise_probability).flatten():
            noise[event] = self.drawn()
        maps = overlaid(maps, noise.to(maps.device), self.processor)
        return {**batch, "pixel_values": self.settings.transformed(maps)}

    def drawn(self) -> Tensor:
        """Draw noise in a raw map, MeV (views, rows, columns) of the image.

        It lies anywhere in what is read out of any frame. Its rows, the drift, are the same in all views and
        mirrored together; columns are drawn and mirrored in each.
        """
        frame = self.frames[int(torch.randint(len(self.frames), ()))]
        height, width = self.processor.height, self.processor.width
        take_rows = _Window.drawn(frame.rows, height)
        shape = len(self.processor.views), *self.processor.image_size
        noise = torch.zeros(shape)
        for image, view in zip(noise, frame.views, strict=True):
            take_columns = _Window.drawn(view.columns, width)
            self._scatter(image, view, take_rows(view.row), take_columns(view.column))
        return noise

    def _scatter(self, image: Tensor, view: ViewNoise, row: Tensor, column: Tensor) -> None:
        """Add the pixels of a view that are in the raw map to an image."""
        height, width = self.processor.height, self.processor.width
        inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
        places = self.processor.places(row[inside], column[inside])
        image.index_put_(places, view.energy[inside], accumulate=True)


@dataclass(frozen=True)
class _Window:
    """A window along one axis: where it begins, and from where on it is mirrored."""

    start: int
    mirrored_at: int | None

    @classmethod
    def drawn(cls, read_out: Range, size: int) -> _Window:
        """Draw one within what is read out; or around all of that, if it is smaller."""
        first, end = read_out
        low, high = sorted((first, end - size))
        start = int(torch.randint(low, high + 1, ()))
        return cls(start, first + end - 1 if torch.rand(()) < 0.5 else None)

    def __call__(self, place: Tensor) -> Tensor:
        """Give places of a frame (n,) as places in the window."""
        return (place if self.mirrored_at is None else self.mirrored_at - place) - self.start


def overlaid(pixel_values: Tensor, noise: Tensor, processor: NuPixelMapImageProcessor) -> Tensor:
    """Add energies to images; pixels without any stay bit for bit.

    Args:
        pixel_values: (events, views, rows, columns), as the processor makes them.
        noise: MeV, in the same shape.
        processor: Knows what they mean.
    """
    energy = processor.energy_of(pixel_values) + noise
    return torch.where(noise > 0, processor.pixel_values_of(energy), pixel_values)
