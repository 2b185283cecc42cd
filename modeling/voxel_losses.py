"""Losses of reconstructed voxels: which have hits, and their energies (arXiv 2604.07037, "hybrid")."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

from nuzoo.modeling.distance_fields import distances, nearness_penalty, neighbourhood_max, soft_distances

FOCUS = 1.5
"""Exponent of the focal loss."""

BORDER = 2
"""Voxels around hits that always count, in steps to any neighbour."""

EMPTY_PER_HIT = 0.5
"""Other empty voxels that count, for each hit."""

REFERENCE_QUANTILE = 0.75
"""Of the energies of hits: larger ones count more than twice."""

LEAST_REFERENCE = 1e-6
"""The least such energy, for hits that have none."""

DISTANCE_WEIGHT = 0.3
"""Of the parts of both losses that forgive what is near, beside those that do not."""


@dataclass(frozen=True)
class VoxelTruth:
    """What the voxels of patches hold.

    Attributes:
        occupied: bool (patches, x, y, z), which have a hit that counts.
        energy: (patches, x, y, z), standardised; the least one of the batch where there is no hit.
        weight: (patches, x, y, z), of hits; 0 elsewhere.
        reach: voxels beyond which distances do not count.
    """

    occupied: Tensor
    energy: Tensor
    weight: Tensor
    reach: int

    @cached_property
    def distance(self) -> Tensor:
        """To the nearest hit of the patch, in voxels, at most `reach`, (patches, x, y, z)."""
        return distances(self.occupied, self.reach)


def voxel_truth(
    place: Tensor, patch: Tensor, number: int, shape: Sequence[int], energies: Sequence[Tensor], reach: int
) -> VoxelTruth:
    """Put hits into the voxels of patches.

    Args:
        place: int64 (hits, 3), where in its patch each is.
        patch: int64 (hits,), the patch of each.
        number: of patches.
        shape: voxels of a patch along x, y and z.
        energies: (hits,) standardised, and (hits,) in a unit of energy; and a scalar, what is standardised of
            an empty voxel.
        reach: see `VoxelTruth`.
    """
    standardised, energy, empty = energies
    size = prod(shape)
    x, y, z = place.unbind(1)
    voxel = patch * size + (x * shape[1] + y) * shape[2] + z

    def filled(values: Tensor, of_empty: Tensor | float) -> Tensor:
        voxels = torch.full((number * size,), float(of_empty), dtype=torch.float32, device=place.device)
        return voxels.index_copy(0, voxel, values.float()).view(number, *shape)

    weight = energy
    if len(energy):
        reference = energy.quantile(REFERENCE_QUANTILE).clamp(min=LEAST_REFERENCE)
        weight = 1 + (energy / reference).clamp(min=0).sqrt()
    ones = torch.ones(len(voxel), device=place.device)
    return VoxelTruth(filled(ones, 0) > 0, filled(standardised, empty), filled(weight, 0), reach)


def empty_voxels(truth: VoxelTruth, at_random: bool) -> tuple[Tensor, Tensor]:
    """Choose the empty voxels that count: all around hits, and some of the others, evenly among these.

    Args:
        truth: of the voxels.
        at_random: draw the others by torch's generator; otherwise they are always the same.

    Returns:
        int64 (n,) and int64 (m,), numbers of voxels of all patches.
    """
    occupied = truth.occupied
    around = occupied
    for _ in range(BORDER):
        around = neighbourhood_max(around)
    others = torch.nonzero(~around.flatten())[:, 0]
    number = min(len(others), round(EMPTY_PER_HIT * int(occupied.sum())))
    steps = torch.arange(number, device=others.device, dtype=torch.float64)
    steps = steps + (torch.rand_like(steps) if at_random else 0.5)
    chosen = (steps * (len(others) / max(number, 1))).long()
    return torch.nonzero((around & ~occupied).flatten())[:, 0], others[chosen]


def voxel_losses(
    logits: Tensor, energies: Tensor, truth: VoxelTruth, smoothing: float, at_random: bool
) -> tuple[Tensor, Tensor]:
    """Compute the losses of occupation and of energies, scalars; 0 where no voxel has a hit.

    Args:
        logits: (patches, voxels), of a hit.
        energies: (patches, voxels), standardised.
        truth: of the same voxels.
        smoothing: of the targets of occupation.
        at_random: see `empty_voxels`.
    """
    hits = torch.nonzero(truth.occupied.flatten())[:, 0]
    if not len(hits):
        return logits.sum() * 0, energies.sum() * 0
    border, others = empty_voxels(truth, at_random)
    logits, energies = logits.float(), energies.float()
    occupation = focal_loss(logits.flatten(), torch.cat([hits, border, others]), truth, smoothing)
    occupation = occupation + DISTANCE_WEIGHT * chamfer_loss(logits, truth)
    energy = energy_loss(energies.flatten(), torch.cat([hits, others]), truth)
    return occupation, energy + DISTANCE_WEIGHT * distant_energy_loss(energies, truth)


def focal_loss(logits: Tensor, chosen: Tensor, truth: VoxelTruth, smoothing: float) -> Tensor:
    """Average over voxels the cross-entropy of being occupied, what is clear counting less.

    A smoothed target mixes the losses of an occupied voxel and of an empty one, each with its own factor.
    """
    target = truth.occupied.flatten()[chosen].float()
    target = target * (1 - smoothing) + smoothing / 2
    logits = logits[chosen]
    of_hit = (-logits).sigmoid() ** FOCUS * F.softplus(-logits)
    of_empty = logits.sigmoid() ** FOCUS * F.softplus(logits)
    return (target * of_hit + (1 - target) * of_empty).mean()


def chamfer_loss(logits: Tensor, truth: VoxelTruth) -> Tensor:
    """Say how far voxels that are told from true ones, and these from them, half each; 0 to 1."""
    occupied = truth.occupied.float()
    told = logits.sigmoid().view_as(occupied)
    to_true = nearness_penalty(truth.distance, truth.reach)
    to_told = nearness_penalty(soft_distances(told, truth.reach), truth.reach)
    from_told = (told * to_true).sum() / (told.sum() + 1e-6)
    from_true = (occupied * to_told).sum() / (occupied.sum() + 1e-6)
    return (from_told + from_true) / 2


def energy_loss(energies: Tensor, chosen: Tensor, truth: VoxelTruth) -> Tensor:
    """Average the deviation of standardised energies over voxels, hits by their weight."""
    weight = truth.weight.flatten()[chosen]
    weight = torch.where(truth.occupied.flatten()[chosen], weight, 1.0)
    off = F.smooth_l1_loss(energies[chosen], truth.energy.flatten()[chosen], reduction="none")
    return (weight * off).sum() / weight.sum()


def distant_energy_loss(energies: Tensor, truth: VoxelTruth) -> Tensor:
    """Average it over all voxels: hits count fully, empty ones by the square of their distance to one."""
    weight = torch.where(truth.occupied, 1.0, (truth.distance / truth.reach).square())
    off = F.smooth_l1_loss(energies.view_as(weight), truth.energy, reduction="none")
    return (weight * off).sum() / (weight.sum() + 1e-6)
