"""How far voxels of a patch are from occupied ones, in steps to any of 26 neighbours."""

import torch
from torch import Tensor


def neighbourhood_max(fields: Tensor) -> Tensor:
    """Take the largest value of each voxel (patches, x, y, z) and its 26 neighbours; of booleans, any."""
    larger = torch.logical_or if fields.dtype == torch.bool else torch.maximum
    for axis in range(1, 4):
        if (size := fields.shape[axis]) > 1:
            pairs = larger(fields.narrow(axis, 0, size - 1), fields.narrow(axis, 1, size - 1))
            inner = larger(pairs.narrow(axis, 0, size - 2), pairs.narrow(axis, 1, size - 2))
            first, last = pairs.narrow(axis, 0, 1), pairs.narrow(axis, size - 2, 1)
            fields = torch.cat([first, inner, last], dim=axis)
    return fields


def distances(occupied: Tensor, most: int) -> Tensor:
    """Measure the distance to the nearest occupied voxel of the patch, at most `most`.

    Args:
        occupied: bool (patches, x, y, z).
        most: larger ones are cut.

    Returns:
        float32 (patches, x, y, z), Chebyshev's, in voxels.
    """
    reached = occupied
    missed = (~reached).float()
    for _ in range(most - 1):
        reached = neighbourhood_max(reached)
        missed += ~reached
    return missed


def soft_distances(probability: Tensor, most: int) -> Tensor:
    """Measure the same from probabilities of being occupied, differentiably (arXiv 2604.07037).

    The sum over steps t < `most` of 1 - c_t, where c_0 are the probabilities, and c_(t+1) the largest c_t of
    a voxel and its neighbours. Of probabilities 0 and 1 it is what `distances` measures.

    Args:
        probability: (patches, x, y, z).
        most: see `distances`.
    """
    covered, missed = probability, 1 - probability
    for _ in range(most - 1):
        covered = neighbourhood_max(covered)
        missed = missed + (1 - covered)
    return missed


def nearness_penalty(distance: Tensor, most: int) -> Tensor:
    """Give 1 - exp(-distance² / most²), which is small near the voxels that are meant."""
    return 1 - torch.exp(-distance.square() / (most**2 + 1e-6))
