"""Symmetries of point clouds and effects of detectors, used to make training events go further."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from nuzoo.processors.contract import EventProcessor
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.processors.point_clouds.point_targets import names_of_hit_truth
from nuzoo.training.augmentation.bound import BatchTransform
from nuzoo.training.augmentation.point_cloud_batch import PointBatch
from nuzoo.training.augmentation.ragged import nearest, one_among
from nuzoo.training.augmentation.turns import mirrors, turns
from nuzoo.training.fields import NotNegative, Positive, Probability, RecipeError

Axis = Literal["x", "y", "z"]
JITTER_ENDS = 4.0
"""Standard deviations at which a jitter of positions is cut off, as in Panda."""


@dataclass(frozen=True)
class PointCloudAugmentation:
    """Random transformations, each event by its own draw of torch's generator, in the order of the fields.

    Vectors among the targets go along: places (`…vertex`, `…start`) turn and shift with the event, momenta
    and directions (`…momentum`, `…direction`) turn. Gain scales what was recorded, not the truth.

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
    grid: Literal["follow", "keep"] = "follow"

    def __post_init__(self) -> None:
        if self.dead and not self.dead_mm:
            raise RecipeError("augmentation.dead_mm: expected the thickness of dead regions, got 0: state it")

    @property
    def moves(self) -> bool:
        """Whether positions change."""
        return any((self.centre, self.rotate, self.mirror, self.shift_mm, self.diffusion_mm, self.jitter_mm))

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Refuse a batch of no known processor; see `bound_to`."""
        raise RecipeError(
            "augmentation: expected to know the processor of the batch, whose numbers have no units, got "
            "none: call augmentation.bound_to(processor)(batch)"
        )

    def bound_to(self, processor: EventProcessor, targets: Sequence[str] = ()) -> BatchTransform:
        """Make what transforms the batches of a processor.

        Args:
            processor: What makes them.
            targets: What it is asked for.

        Raises:
            RecipeError: It makes something else than point clouds, such as images of particles.
        """
        if self == PointCloudAugmentation(grid=self.grid):
            return dict
        if not isinstance(processor, NuPointCloudFeatureExtractor):
            raise RecipeError(
                f"augmentation: expected a NuPointCloudFeatureExtractor, got {type(processor).__name__}, "
                "whose batches are transformed by nothing: leave it out"
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
        self._crop(points)
        self._move(points)
        self._drift(points)
        self._measure(points)
        self._lose(points)
        self._blur(points)
        return points.finished(follow=self.settings.moves and self.settings.grid == "follow")

    def _crop(self, points: PointBatch) -> None:
        """Keep the hits around one of each event."""
        if self.settings.crop:
            least = self.settings.crop_keeps
            fraction = least + (1 - least) * points.draw_events()
            fraction = torch.where(points.draw_events() < self.settings.crop, fraction, 1.0)
            centre = points.position[one_among(torch.ones_like(points.event).bool(), points.offset)]
            number = (fraction * points.counts).ceil()
            points.keep(nearest(points.position, points.offset, centre, number))

    def _move(self, points: PointBatch) -> None:
        """Centre, turn, reflect and shift events as a whole."""
        one, events, like = self.settings, points.events, points.position
        if one.centre:
            points.shift(-points.middles())
        if one.rotate or one.mirror:
            turned = turns(events, one.rotation_axes, one.rotate, one.quarter_turns, like)
            points.turn(mirrors(events, one.mirror_axes, one.mirror, like) @ turned)
        if one.shift_mm:
            points.shift(one.shift_mm * (2 * torch.rand(events, 3, device=like.device) - 1))

    def _drift(self, points: PointBatch) -> None:
        """Smear and weaken charge by how far it drifted."""
        one, axis = self.settings, "xyz".index(self.settings.drift_axis)
        drift = points.depth(axis)
        if one.diffusion_mm:
            width = one.diffusion_mm * (drift / points.side(axis)).sqrt()
            points.position = points.position + width[:, None] * torch.randn_like(points.position)
        if one.attenuation_mm is not None:
            strength = points.draw_events()[points.event] / one.attenuation_mm
            points.energy = points.energy * torch.exp(-strength * drift)

    def _measure(self, points: PointBatch) -> None:
        """Change the calibration of events and of hits."""
        if self.settings.gain:
            points.energy = points.energy * _factors(points.draw_events(), self.settings.gain)[points.event]
        if self.settings.energy_jitter:
            points.energy = points.energy * _factors(points.energy, self.settings.energy_jitter)

    def _lose(self, points: PointBatch) -> None:
        """Leave out hits of dead regions, and others by chance."""
        one = self.settings
        if one.dead and one.dead_mm:
            axis = (3 * points.draw_events()).long()
            room = points.sides[axis] - one.dead_mm
            low = points.draw_events() * room.clamp(min=0)
            depth = points.depths.gather(1, axis[points.event][:, None])[:, 0] - low[points.event]
            is_dead = (points.draw_events() < one.dead)[points.event] & (depth >= 0) & (depth < one.dead_mm)
            points.keep(~is_dead)
        if one.drop_hits:
            lost = one.drop_hits * points.draw_events()
            points.keep(torch.rand_like(points.energy) >= lost[points.event])

    def _blur(self, points: PointBatch) -> None:
        """Jitter positions, and the brightness of events."""
        one = self.settings
        if one.jitter_mm:
            jitter = torch.randn_like(points.position).clamp(-JITTER_ENDS, JITTER_ENDS)
            points.position = points.position + one.jitter_mm * jitter
        if one.scaled_energy_jitter:
            draw = torch.randn(points.events, device=points.energy.device).clamp(-1, 1)
            points.brightness = 1 + one.scaled_energy_jitter * draw


def _factors(like: Tensor, width: float) -> Tensor:
    """Draw log-normal factors of mean 1, of a shape."""
    return torch.exp(width * torch.randn_like(like) - width**2 / 2)
