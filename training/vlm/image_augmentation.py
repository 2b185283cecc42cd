"""The symmetries of pixel maps, for images as the processor of a vision-language model makes them."""

from __future__ import annotations

from torch import Tensor

from nuzoo.training.augmentation.pixel_maps import Augmentation
from nuzoo.training.recipe import Recipe, RecipeError
from nuzoo.training.recipe_fields import augmentation

TILED = 6


class ImageAugmentation:
    """Transforms batches of images (B, views, tiles, channels, H, W), as Mllama's processor makes them.

    Args:
        maps: What is done to the views of an event.
    """

    def __init__(self, maps: Augmentation) -> None:
        self.maps = maps

    def __call__(self, pixel_values: Tensor) -> Tensor:
        """Flips rows and swaps views; tiles and colours of a view go together."""
        if self.maps == Augmentation():
            return pixel_values
        last = pixel_values.permute(0, 1, 4, 5, 2, 3)
        augmented = self.maps(last.flatten(3)).view(last.shape)
        return augmented.permute(0, 1, 4, 5, 2, 3)


def image_augmentation(recipe: Recipe) -> ImageAugmentation:
    """The recipe's augmentation.

    Raises:
        RecipeError: See `augmentation`, or one of maps that images do not have.
    """
    maps = augmentation(recipe)
    if maps.intensity_jitter:
        raise RecipeError(
            f"augmentation.intensity_jitter: expected 0 for images of 8 bits, got {maps.intensity_jitter}: "
            "leave it out"
        )
    return ImageAugmentation(maps)


def check_augmentable(recipe: Recipe, pixel_values: Tensor) -> None:
    """Refuses augmentation of images that are no longer images, such as the patches that Qwen's models take.

    Raises:
        RecipeError: They are not.
    """
    if augmentation(recipe) != Augmentation() and pixel_values.ndim != TILED:
        raise RecipeError(
            "augmentation: expected a base that takes (events, images, tiles, channels, rows, columns), got "
            f"images of {tuple(pixel_values.shape)}: leave the section out"
        )
