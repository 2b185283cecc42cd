"""Which cells of an event are near each other, and the nearest ones: exact, in whole numbers."""

from dataclasses import dataclass
from itertools import product
from math import ceil

import torch
from torch import Tensor

REACH = 2
"""Bins that a distance covers, each half as wide."""

COLUMNS = [column for column in product(range(-REACH, REACH + 1), repeat=2) if column >= (0, 0)]
"""Half of the columns of bins around one; pairs with the others are found from there."""

ENTRIES = 1 << 22
"""Distances that are computed at a time."""


@dataclass(frozen=True)
class NearPairs:
    """Pairs of rows, each in both directions and each row with itself, by the first and then the second.

    Attributes:
        first: int64 (pairs,).
        second: int64 (pairs,).
        squared: int64 (pairs,), their distance in cells, squared.
    """

    first: Tensor
    second: Tensor
    squared: Tensor

    def chosen(self, which: Tensor) -> "NearPairs":
        """Give some of them, by bool (pairs,)."""
        return NearPairs(self.first[which], self.second[which], self.squared[which])


def pairs_within(cells: Tensor, event: Tensor, distance: float) -> NearPairs:
    """Find the cells of an event that are nearer to each other than a distance.

    Cells are sorted into bins half as wide as the distance, so that only bins up to two further are compared.

    Args:
        cells: int64 (n, 3), from 0.
        event: int64 (n,).
        distance: in cells.
    """
    if not len(cells):
        return NearPairs(event, event, event)
    bins = cells // ceil(distance / 2) + REACH
    extent = int(bins.amax()) + REACH + 1  # with a border, so that no bin beside is on another line
    keys, rows = torch.sort(((event * extent + bins[:, 0]) * extent + bins[:, 1]) * extent + bins[:, 2])
    places = cells.index_select(0, rows).int()
    here = torch.arange(len(rows), device=rows.device)
    found = []
    for x, y in COLUMNS:
        middle = keys + (x * extent + y) * extent
        start = torch.searchsorted(keys, middle - REACH) if (x, y) != (0, 0) else here + 1
        counts = torch.searchsorted(keys, middle + REACH, right=True) - start
        first = torch.repeat_interleave(counts)
        shift = torch.repeat_interleave(start - counts.cumsum(0) + counts, counts)
        second = torch.arange(len(first), device=rows.device) + shift
        apart = places.index_select(0, first) - places.index_select(0, second)
        squared = (apart * apart).sum(dim=1)
        is_near = squared < distance**2
        found.append(torch.stack([rows[first[is_near]], rows[second[is_near]], squared[is_near]]))
    first, second, squared = torch.cat(found, dim=1)
    itself = torch.zeros_like(rows)
    first, second = torch.cat([rows, first, second]), torch.cat([rows, second, first])
    order = torch.argsort(first * len(cells) + second)
    return NearPairs(first[order], second[order], torch.cat([itself, squared, squared])[order])


def nearest(cells: Tensor, others: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Find the cells that are nearest to each of some, of equally near ones the first.

    Args:
        cells: int64 (n, 3).
        others: int64 (m, 3), one at least.
        number: how many of these; of fewer all are given.

    Returns:
        int64 (n, number), rows of `others`, and int64 (n, number), distances in cells, squared.
    """
    number = min(number, len(others))
    parts = [cells.new_zeros(0, number)]
    for some in cells.split(max(ENTRIES // len(others), 1)):
        squared = sum((some[:, None, axis] - others[:, axis]).square() for axis in range(3))
        numbered = squared * len(others) + torch.arange(len(others), device=cells.device)
        parts.append(numbered.topk(number, dim=1, largest=False).values)
    found = torch.cat(parts)
    return found % len(others), found // len(others)
