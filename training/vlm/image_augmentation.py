"""The symmetries of pixel maps, for images as the processor of a vision-language model makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from nuzoo.training.augmentation.pixel_maps import Augmentation
from nuzoo.training.fields import RecipeError

TILED = 6


class ImageAugmentation:
    """Transforms batches of images (B, views, tiles, channels, H, W), as Mllama's processor makes them.

    Args:
        maps: What is done to the views of an event.
    """

    def __init__(self, maps: Augmentation) -> None:
        self.maps = maps

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Flip rows and swap views of a batch's `pixel_values`; tiles and colours of a view go together."""
        if self.maps == Augmentation():
            return dict(batch)
        last = batch["pixel_values"].permute(0, 1, 4, 5, 2, 3)
        augmented = self.maps.transformed(last.flatten(3)).view(last.shape)
        return {**batch, "pixel_values": augmented.permute(0, 1, 4, 5, 2, 3)}

    def check_fits(self, pixel_values: Tensor) -> None:
        """Raise `RecipeError` for images that are images no longer, such as the patches of Qwen's models."""
        if self.maps != Augmentation() and pixel_values.ndim != TILED:
            raise RecipeError(
                "augmentation: expected a base that takes (events, images, tiles, channels, rows, columns), "
                f"got images of {tuple(pixel_values.shape)}: leave the section out"
            )
