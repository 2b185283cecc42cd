"""Which settings of a `PointCloudAugmentation` apply to images of particles, and what transforms these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nuzoo.processors.point_clouds.feature_extraction_nu_particle_image import NuParticleImageFeatureExtractor
from nuzoo.training.augmentation.bound import BatchTransform
from nuzoo.training.augmentation.image_boxes import BoxAugmentation
from nuzoo.training.augmentation.shrunk_images import ShrunkImageAugmentation
from nuzoo.training.fields import RecipeError

if TYPE_CHECKING:
    from nuzoo.training.augmentation.point_clouds import PointCloudAugmentation

WHOLE = {"rotate", "rotation_axes", "quarter_turns", "mirror", "mirror_axes", "gain", "shift_cells"}
"""Settings that change an image as a whole."""

OF_PLACE = {
    *("centre", "shift_mm", "diffusion_mm", "attenuation_mm", "drift_axis", "dead", "dead_mm", "shift_cells")
}
"""Settings that need to know where in the detector an image is."""

OF_POINTS = {"scaled_energy_jitter", "grid"}
"""Settings under which points and what is recorded of them part."""


def bound_to_images(
    settings: PointCloudAugmentation, processor: NuParticleImageFeatureExtractor
) -> BatchTransform:
    """Make what transforms the images of a processor.

    Raises:
        RecipeError: A setting does not apply to them.
    """
    if processor.framing == "scale":
        _refuse(settings, {*settings.asked} - WHOLE, processor, "which do not keep each voxel")
        _check_turns(settings, processor)
        return ShrunkImageAugmentation(settings, processor)
    if processor.context == "event":
        _refuse(settings, {*settings.asked}, processor, "whose context is of voxels outside of the boxes")
    _refuse(settings, OF_POINTS, processor, "whose cells and context follow the voxels")
    if processor.context != "boundary":
        _refuse(settings, OF_PLACE, processor, "which do not say where in the detector they are")
    return BoxAugmentation(settings, processor)


def _refuse(
    settings: PointCloudAugmentation, names: set[str], processor: NuParticleImageFeatureExtractor, why: str
) -> None:
    if wrong := [name for name in settings.asked if name in names]:
        raise RecipeError(
            f"augmentation: expected settings for images of framing {processor.framing!r} and context "
            f"{processor.context!r}, {why}, got {', '.join(wrong)}: leave out what does not apply"
        )


def _check_turns(settings: PointCloudAugmentation, processor: NuParticleImageFeatureExtractor) -> None:
    """Refuse turns that do not map voxels on voxels, and axes on axes that are alike."""
    if not settings.rotate:
        return
    if not settings.quarter_turns:
        raise RecipeError(
            "augmentation.quarter_turns: expected true for images of framing 'scale', which do not keep each "
            "voxel, got false: set it"
        )
    sides = dict(
        zip("xyz", zip(processor.shape, processor.pitch_mm, processor.size, strict=True), strict=True)
    )
    for axis in settings.rotation_axes:
        one, other = (name for name in "xyz" if name != axis)
        if sides[one] != sides[other]:
            raise RecipeError(
                f"augmentation.rotation_axes: expected axes across which detector and image are alike, got "
                f"{axis}, across which they have (voxels, mm, cells) {sides[one]} and {sides[other]}: leave "
                "it out"
            )
