"""Which occupied cells touch each other: the rule book of a submanifold convolution of 3 x 3 x 3."""

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

OFFSETS = tuple(offset for offset in product((-1, 0, 1), repeat=3) if offset > (0, 0, 0))
"""Half of the 26 directions to a neighbour; the others are opposite to them."""


@dataclass(frozen=True)
class Neighbours:
    """Pairs of rows whose cells touch.

    Attributes:
        low: (pairs,) rows, direction after direction.
        high: (pairs,) for each the row whose cell is one further in the direction.
        sizes: number of pairs in each of `OFFSETS`.
    """

    low: Tensor
    high: Tensor
    sizes: list[int]


def find_neighbours(cells: Tensor, event: Tensor, bits: int) -> Neighbours:
    """Find the neighbours of cells in the same event.

    Args:
        cells: int64 (n, 3), from 0 to below 2**bits; those of an event differ.
        event: int64 (n,).
        bits: of each axis.
    """
    extent = (1 << bits) + 2  # with a border, so that no neighbour is beyond the end of a line

    def key(event: Tensor, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        return ((event * extent + x) * extent + y) * extent + z

    keys, rows = torch.sort(key(event, *(cells + 1).unbind(1)))
    last = max(len(keys) - 1, 0)
    place, is_there = rows, torch.zeros_like(rows, dtype=torch.bool)
    low, high, sizes = [], [], []
    for x, y, z in OFFSETS:
        wanted = keys + ((x * extent + y) * extent + z)
        is_next_in_line = z > -1 and (x, y) != (0, 0)
        place = place + is_there if is_next_in_line else torch.searchsorted(keys, wanted)
        is_there = keys[place.clamp(max=last)] == wanted
        found = torch.nonzero(is_there)[:, 0]
        low.append(rows[found])
        high.append(rows[place[found]])
        sizes.append(len(found))
    return Neighbours(torch.cat(low), torch.cat(high), sizes)
