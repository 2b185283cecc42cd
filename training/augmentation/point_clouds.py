"""Symmetries of point clouds and effects of detectors, used to make training events go further."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nuzoo.processors.contract import EventProcessor
from nuzoo.processors.point_clouds.feature_extraction_nu_particle_image import NuParticleImageFeatureExtractor
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.processors.point_clouds.point_targets import names_of_hit_truth
from nuzoo.training.augmentation.bound import BatchTransform, PhysicalAugmentation
from nuzoo.training.augmentation.particle_images import bound_to_images
from nuzoo.training.augmentation.point_cloud_batch import PointBatch
from nuzoo.training.augmentation.point_cloud_steps import transform
from nuzoo.training.fields import Count, NotNegative, Positive, Probability, RecipeError

Axis = Literal["x", "y", "z"]


@dataclass(frozen=True)
class PointCloudAugmentation(PhysicalAugmentation):
    """Random transformations, each event by its own draw of torch's generator, in the order of the fields.

    Images of particles are transformed as well, and what stands beside them follows; those options that
    these cannot follow are refused. Images that are seen together go by one draw, others each by its own.
    Vectors among the targets go along: places (`…vertex`, `…start`, `…place`) turn and shift with the event,
    momenta and directions (`…momentum`, `…direction`) turn. Gain scales what was recorded, not the truth.

    Attributes:
        crop: Probability of keeping only the hits around a random one.
        crop_keeps: Least fraction of the hits that a crop keeps; it draws from there to all.
        centre: Move the middle of each event's bounding box to the middle of the detector.
        rotate: Probability of a turn about each of `rotation_axes`, through the middle of the detector.
        rotation_axes: One after the other. z alone turns about the beam.
        quarter_turns: Turn by multiples of 90 degrees, which map voxels on voxels.
        mirror: Probability of a reflection along each of `mirror_axes`.
        mirror_axes: Along which, at the middle of the detector.
        shift_mm: Largest displacement along each axis.
        diffusion_mm: Standard deviation of the positions of charge that drifted all the way; it grows with
            the root of the drift.
        attenuation_mm: Shortest drift after which 1/e of the charge is left; each event draws an attenuation
            from none to that one.
        drift_axis: Charge drifts along it, to the detector's lower face.
        gain: Standard deviation of the logarithm of a factor on the energies of an event, of mean 1.
        energy_jitter: The same of a factor on that of each hit.
        dead: Probability that an event has a dead region, a slab across a random axis, whose hits are lost.
        dead_mm: Its thickness.
        drop_hits: Largest fraction of hits that an event loses; each draws its own.
        jitter_mm: Standard deviation of a jitter of each position, which is at most four times that.
        scaled_energy_jitter: Standard deviation of a factor on the scaled energies of an event, at most as
            far from 1: Panda's. They are logarithms, so it is a jitter of brightness, not of calibration.
        shift_cells: Largest displacement of images of particles in their frames, cells along each axis. No
            voxel leaves its image, and a box that is cut out stays in the detector.
        grid: "follow" puts the hits into the cells where they are now, adds up those of one cell, and loses
            those outside of the detector; places among the targets stay, inside or not. "keep" leaves the
            grid as it was and loses none, as Panda does when it is trained for a task.
    """

    crop: Probability = 0.0
    crop_keeps: Probability = 0.4
    centre: bool = False
    rotate: Probability = 0.0
    rotation_axes: list[Axis] = field(default_factory=lambda: ["z", "x", "y"])
    quarter_turns: bool = False
    mirror: Probability = 0.0
    mirror_axes: list[Axis] = field(default_factory=lambda: ["x", "y", "z"])
    shift_mm: NotNegative = 0.0
    diffusion_mm: NotNegative = 0.0
    attenuation_mm: Positive | None = None
    drift_axis: Axis = "x"
    gain: NotNegative = 0.0
    energy_jitter: NotNegative = 0.0
    dead: Probability = 0.0
    dead_mm: NotNegative = 0.0
    drop_hits: Probability = 0.0
    jitter_mm: NotNegative = 0.0
    scaled_energy_jitter: NotNegative = 0.0
    shift_cells: Count | None = None
    grid: Literal["follow", "keep"] = "follow"

    def __post_init__(self) -> None:
        if self.dead and not self.dead_mm:
            raise RecipeError("augmentation.dead_mm: expected the thickness of dead regions, got 0: state it")

    @property
    def asked(self) -> list[str]:
        """Names of the settings that are other than by default."""
        plain = vars(PointCloudAugmentation())
        return [name for name, value in vars(self).items() if value != plain[name]]

    @property
    def moves(self) -> bool:
        """Whether positions change."""
        return any((self.centre, self.rotate, self.mirror, self.shift_mm, self.diffusion_mm, self.jitter_mm))

    def bound_to(self, processor: EventProcessor, targets: Sequence[str] = ()) -> BatchTransform:
        """Make what transforms the batches of a processor.

        Args:
            processor: What makes them.
            targets: What it is asked for.

        Raises:
            RecipeError: It makes something else than point clouds and images of particles, or batches that a
                setting does not apply to.
        """
        if not {*self.asked} - {"grid"}:
            return dict
        if isinstance(processor, NuParticleImageFeatureExtractor):
            return bound_to_images(self, processor)
        if not isinstance(processor, NuPointCloudFeatureExtractor):
            raise RecipeError(
                "augmentation: expected a NuPointCloudFeatureExtractor or a NuParticleImageFeatureExtractor, "
                f"got {type(processor).__name__}, whose batches have no such points: leave it out"
            )
        if self.shift_cells:
            raise RecipeError(
                "augmentation.shift_cells: expected none for point clouds, which have no frame, got "
                f"{self.shift_cells}: state shift_mm"
            )
        return BoundPointCloudAugmentation(self, processor, names_of_hit_truth(processor.schema, targets))


@dataclass(frozen=True)
class BoundPointCloudAugmentation:
    """A `PointCloudAugmentation` of the batches of one processor.

    Attributes:
        settings: What is done.
        processor: What made the batches.
        hit_truth: Names of tensors with a truth for each hit.
    """

    settings: PointCloudAugmentation
    processor: NuPointCloudFeatureExtractor
    hit_truth: set[str]

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Transform a batch that was made without `return_inverse`."""
        if not len(batch["coordinates"]):
            return dict(batch)
        points = PointBatch(dict(batch), self.processor.frame, self.processor.energy_scale, self.hit_truth)
        transform(self.settings, points)
        if self.settings.moves and self.settings.grid == "follow":
            points.follow()
        return points.finished()
