"""Which points of the large views the student does not see: those in some of the occupied cubes."""

import torch
from torch import Tensor


def mask_cubes(coordinates: Tensor, event: Tensor, side: float, fraction: float) -> Tensor:
    """Mask the points in a random part of the cubes that hold any, of all events together.

    Args:
        coordinates: (points, 3).
        event: int64 (points,), number of the event of each.
        side: Of a cube, in units of the coordinates; cubes are counted from 0.
        fraction: Part of the cubes.

    Returns:
        bool (points,).
    """
    cubes = torch.cat([event[:, None], torch.floor(coordinates / side).long()], dim=1)
    occupied, cube = torch.unique(cubes, dim=0, return_inverse=True)
    chosen = torch.randperm(len(occupied), device=cube.device)[: round(fraction * len(occupied))]
    is_chosen = torch.zeros(len(occupied), dtype=torch.bool, device=cube.device)
    return is_chosen.index_fill(0, chosen, True)[cube]
