"""How far reconstructed groups of points are from true ones."""

import torch
from torch import Tensor


def chamfer_loss(given: Tensor, true: Tensor, sizes: Tensor) -> Tensor:
    """Give the mean Chamfer distance of groups of as many points each.

    Of a group it is the mean squared distance of a given point to the nearest true one, plus that of a true
    point to the nearest given one.

    Args:
        given: (groups, places, channels); of each group the first points count.
        true: (groups, places, channels), the same.
        sizes: int64 (groups,), points of each, from 1.

    Returns:
        A scalar; 0 without groups.
    """
    if not len(sizes):
        return given.sum()
    is_there = torch.arange(given.shape[1], device=sizes.device) < sizes[:, None]
    squared = given.new_zeros(*given.shape[:2], true.shape[1])
    for channel in range(given.shape[2]):
        squared = squared + (given[:, :, None, channel] - true[:, None, :, channel]).square()
    squared = squared.masked_fill(~(is_there[:, :, None] & is_there[:, None]), torch.inf)
    to_true = squared.amin(dim=2).masked_fill(~is_there, 0).sum(dim=1)
    to_given = squared.amin(dim=1).masked_fill(~is_there, 0).sum(dim=1)
    return ((to_true + to_given) / sizes).mean()


def infilling_loss(given: Tensor, true: Tensor, sizes: Tensor) -> Tensor:
    """Give the mean squared difference of numbers of points.

    Args:
        given: (groups, places); of each group the first points count.
        true: (groups, places), the same.
        sizes: int64 (groups,), points of each.

    Returns:
        A scalar; 0 without points.
    """
    is_there = torch.arange(given.shape[1], device=sizes.device) < sizes[:, None]
    differences = (given - true)[is_there]
    return differences.square().mean() if len(differences) else given.sum()
