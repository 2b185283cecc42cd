"""Groups of hits: balls around central hits, which become the tokens of a transformer."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nuzoo.modeling.sparse.nearby import NearPairs, pairs_within
from nuzoo.modeling.sparse.point_level import PointLevel
from nuzoo.modeling.sparse.ragged import places_of

FARTHEST = 1 << 30

SMALL = 8
"""Groups up to this size are treated together, those up to twice it, and so on."""


@dataclass(frozen=True)
class Groups:
    """Groups of points, event after event; in each event those with most points around their centre first.

    Attributes:
        centres: int64 (groups,), the point in the middle of each.
        counts: int64 (events,), groups of each event.
        members: int64 (members,), points, group after group; a point can be in several.
        group: int64 (members,), the group of each.
        slot: int64 (members,), its place in it, from 0.
    """

    centres: Tensor
    counts: Tensor
    members: Tensor
    group: Tensor
    slot: Tensor

    @property
    def sizes(self) -> Tensor:
        """Members of each group, (groups,)."""
        return torch.bincount(self.group, minlength=len(self.centres))

    def chosen(self, which: Tensor) -> "Groups":
        """Give some of the groups, by bool (groups,)."""
        number = which.cumsum(0) - 1
        kept = which[self.group]
        event = torch.repeat_interleave(self.counts)[which]
        return Groups(
            self.centres[which],
            torch.bincount(event, minlength=len(self.counts)),
            self.members[kept],
            number[self.group[kept]],
            self.slot[kept],
        )

    def padded(self, values: Tensor, places: int) -> Tensor:
        """Put values (members, ...) of members into their places: (groups, places, ...), 0 elsewhere."""
        padded = values.new_zeros(len(self.centres), places, *values.shape[1:])
        return padded.index_put((self.group, self.slot), values)


def group_points(
    level: PointLevel,
    order: Tensor,
    *,
    radius: float,
    overlap: float,
    ball_points: int,
    group_points: int,
    max_groups: int,
) -> Groups:
    """Group the points of events, by cells alone: exactly the same in any batch, on any machine.

    Centres are found by centrality-based non-maximum suppression (arXiv 2502.02558): points that have most
    others nearer than 2 * radius * overlap come first, and each suppresses those. The members of a group are
    nearer to its centre than the radius; of too many, farthest-point sampling keeps those that are far from
    each other, beginning with the first. Distances are strictly below.

    Args:
        level: the points, along Morton's curve, which decides what comes first among equals.
        order: (points,) the row that each of these has; the groups are of these rows.
        radius: of a ball, in cells.
        overlap: see above.
        ball_points: most points of a ball that are looked at.
        group_points: most members of a group.
        max_groups: most groups of an event.
    """
    spacing = 2 * radius * overlap
    event = torch.repeat_interleave(level.counts)
    near = pairs_within(level.cells, event, max(spacing, radius))
    centres = _central(near.chosen(near.squared < spacing**2), event)
    place = places_of(event[centres])
    centres = centres[place < max_groups]
    number = torch.full_like(order, -1)
    number[centres] = torch.arange(len(centres), device=order.device)
    ball = near.chosen((near.squared < radius**2) & (number[near.first] >= 0))
    group, by_group = torch.sort(number[ball.first], stable=True)
    place = places_of(group)
    kept = place < ball_points
    group, members = group[kept], ball.second[by_group][kept]
    sizes = torch.bincount(group, minlength=len(centres))
    columns = _far_columns(level.cells[members], sizes, group_points)
    group, slot = torch.nonzero(columns >= 0, as_tuple=True)
    first = sizes.cumsum(0) - sizes
    members = members[first[group] + columns[group, slot]]
    counts = torch.bincount(event[centres], minlength=len(level.counts))
    return Groups(order[centres], counts, order[members], group, slot)


def farthest_points(places: Tensor, sizes: Tensor, number: int) -> Tensor:
    """Choose points of each group, each time that which is farthest from all chosen ones; the first first.

    Args:
        places: int64 (groups, longest, 3); those beyond the size of a group do not count.
        sizes: int64 (groups,), from 1.
        number: how many.

    Returns:
        int64 (groups, number), columns, or as many as the longest group has; beyond a group's size anything.
    """
    groups, longest, _ = places.shape
    if not groups:
        return sizes.new_zeros(0, min(number, longest))
    places = places.int()
    steps = torch.arange(longest, device=places.device)
    distance = torch.where(steps < sizes[:, None], FARTHEST, -1).int()
    chosen = [torch.zeros_like(sizes)]
    for _ in range(min(number, longest) - 1):
        last = places.gather(1, chosen[-1][:, None, None].expand(-1, 1, 3))
        distance = torch.minimum(distance, (places - last).square().sum(dim=2))
        chosen.append(distance.argmax(dim=1))
    return torch.stack(chosen, dim=1)


def _far_columns(cells: Tensor, sizes: Tensor, number: int) -> Tensor:
    """Call `farthest_points` for groups of about the same size at a time: most are small.

    Args:
        cells: int64 (members, 3), group after group.
        sizes: int64 (groups,).
        number: how many to choose of each.

    Returns:
        int64 (groups, number), the place of each in its group; -1 where it has no more.
    """
    columns = sizes.new_full((len(sizes), number), -1)
    first = sizes.cumsum(0) - sizes
    steps = torch.arange(number, device=sizes.device)
    low, high = 0, SMALL
    while (sizes > low).any():
        some = torch.nonzero((sizes > low) & (sizes <= high))[:, 0]
        place = torch.minimum(torch.arange(high, device=sizes.device), sizes[some, None] - 1)
        chosen = farthest_points(cells[first[some, None] + place], sizes[some], number)
        is_there = steps[: chosen.shape[1]] < sizes[some, None]
        columns[some, : chosen.shape[1]] = torch.where(is_there, chosen, -1)
        low, high = high, 2 * high
    return columns


def _central(near: NearPairs, event: Tensor) -> Tensor:
    """Choose rows that suppress all near them: those of an event follow each other, the most central first.

    One suppression decides about the next, so that it is done one by one, on the CPU.
    """
    degree = torch.bincount(near.first, minlength=len(event))
    rank = torch.argsort(event * (len(event) + 1) + len(event) - degree, stable=True)
    ends = degree.cumsum(0)
    starts, stops, second = ((ends - degree).tolist(), ends.tolist(), near.second.cpu().numpy())
    is_free = np.ones(len(event), dtype=bool)
    central = []
    for row in rank.tolist():
        if is_free[row]:
            central.append(row)
            is_free[second[starts[row] : stops[row]]] = False
    return torch.tensor(central, dtype=torch.int64, device=event.device)
