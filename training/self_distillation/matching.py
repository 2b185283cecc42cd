"""Which token of one view is where a token of another one is."""

from itertools import product

import torch
from torch import Tensor

NO_MATCH = -1


def match_nearest(
    places: Tensor, group: Tensor, known_places: Tensor, known_group: Tensor, radius: float
) -> Tensor:
    """Find the nearest of the known places in the same group, if it is nearer than a radius.

    Known places are put into cubes with sides of the radius: what is nearer is in one of 27 cubes.

    Args:
        places: (n, 3).
        group: int64 (n,).
        known_places: (k, 3).
        known_group: int64 (k,), any order.
        radius: In the unit of the places.

    Returns:
        int64 (n,) rows of `known_places`, `NO_MATCH` where none is near enough.
    """
    best = torch.full_like(group, NO_MATCH)
    if not len(places) or not len(known_places):
        return best
    cubes, known_cubes = (torch.floor(each / radius).long() for each in (places, known_places))
    low = torch.minimum(cubes.amin(0), known_cubes.amin(0)) - 1
    extent = torch.maximum(cubes.amax(0), known_cubes.amax(0)) - low + 2
    keys, rows = torch.sort(_keys(known_cubes - low, known_group, extent), stable=True)
    wanted = _keys(cubes - low, group, extent)
    least = torch.full_like(places[:, 0], radius)
    for x, y, z in product((-1, 0, 1), repeat=3):
        key = wanted + (x * extent[1] + y) * extent[2] + z
        first, after = torch.searchsorted(keys, key), torch.searchsorted(keys, key, right=True)
        for number in range(int((after - first).amax())):
            found = rows[(first + number).clamp(max=len(rows) - 1)]
            distance = (places - known_places[found]).norm(dim=1)
            is_better = (first + number < after) & (distance < least)
            best, least = torch.where(is_better, found, best), torch.where(is_better, distance, least)
    return best


def _keys(cubes: Tensor, group: Tensor, extent: Tensor) -> Tensor:
    return ((group * extent[0] + cubes[:, 0]) * extent[1] + cubes[:, 1]) * extent[2] + cubes[:, 2]
