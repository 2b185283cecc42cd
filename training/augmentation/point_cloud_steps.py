"""What a `PointCloudAugmentation` does to the points of a batch, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nuzoo.training.augmentation.point_cloud_batch import PointBatch
from nuzoo.training.augmentation.ragged import nearest, one_among
from nuzoo.training.augmentation.random_factors import factors
from nuzoo.training.augmentation.turns import mirrors, turns

if TYPE_CHECKING:
    from nuzoo.training.augmentation.point_clouds import PointCloudAugmentation

JITTER_ENDS = 4.0
"""Standard deviations at which a jitter of positions is cut off, as in Panda."""


def transform(one: PointCloudAugmentation, points: PointBatch) -> None:
    """Take the points of a batch through all steps, in the order of the settings."""
    _crop(one, points)
    _move(one, points)
    _drift(one, points)
    _measure(one, points)
    _lose(one, points)
    _blur(one, points)


def _crop(one: PointCloudAugmentation, points: PointBatch) -> None:
    """Keep the hits around one of each event."""
    if one.crop:
        least = one.crop_keeps
        fraction = least + (1 - least) * points.draw_events()
        fraction = torch.where(points.draw_events() < one.crop, fraction, 1.0)
        centre = points.position[one_among(torch.ones_like(points.event).bool(), points.offset)]
        number = (fraction * points.counts).ceil()
        points.keep(nearest(points.position, points.offset, centre, number))


def _move(one: PointCloudAugmentation, points: PointBatch) -> None:
    """Centre, turn, reflect and shift events as a whole."""
    events, like = points.events, points.position
    if one.centre:
        points.shift(-points.middles())
    if one.rotate or one.mirror:
        turned = turns(events, one.rotation_axes, one.rotate, one.quarter_turns, like)
        points.turn(mirrors(events, one.mirror_axes, one.mirror, like) @ turned)
    if one.shift_mm:
        points.shift(one.shift_mm * (2 * torch.rand(events, 3, device=like.device) - 1))


def _drift(one: PointCloudAugmentation, points: PointBatch) -> None:
    """Smear and weaken charge by how far it drifted."""
    axis = "xyz".index(one.drift_axis)
    drift = points.depth(axis)
    if one.diffusion_mm:
        width = one.diffusion_mm * (drift / points.side(axis)).sqrt()
        points.position = points.position + width[:, None] * torch.randn_like(points.position)
    if one.attenuation_mm is not None:
        strength = points.draw_events()[points.event] / one.attenuation_mm
        points.energy = points.energy * torch.exp(-strength * drift)


def _measure(one: PointCloudAugmentation, points: PointBatch) -> None:
    """Change the calibration of events and of hits."""
    if one.gain:
        points.energy = points.energy * factors(points.draw_events(), one.gain)[points.event]
    if one.energy_jitter:
        points.energy = points.energy * factors(points.energy, one.energy_jitter)


def _lose(one: PointCloudAugmentation, points: PointBatch) -> None:
    """Leave out hits of dead regions, and others by chance."""
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


def _blur(one: PointCloudAugmentation, points: PointBatch) -> None:
    """Jitter positions, and the brightness of events."""
    if one.jitter_mm:
        jitter = torch.randn_like(points.position).clamp(-JITTER_ENDS, JITTER_ENDS)
        points.position = points.position + one.jitter_mm * jitter
    if one.scaled_energy_jitter:
        draw = torch.randn(points.events, device=points.energy.device).clamp(-1, 1)
        points.brightness = 1 + one.scaled_energy_jitter * draw
