"""Events of several lengths in one tensor: a choice among the rows of each."""

import torch
from torch import Tensor

from nuzoo.modeling.sparse.ragged import counts_of, events_of


def nearest(coordinates: Tensor, offset: Tensor, centre: Tensor, number: Tensor) -> Tensor:
    """Find the rows that are nearest to a place in their event.

    Args:
        coordinates: (rows, 3).
        offset: (events,).
        centre: (events, 3).
        number: (events,) how many rows of each.

    Returns:
        bool (rows,); of equally near rows the first.
    """
    event, counts = events_of(offset), counts_of(offset)
    distance = (coordinates - centre[event]).square().sum(dim=1)
    near = torch.argsort(distance, stable=True)
    order = near[torch.argsort(event[near], stable=True)]
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device) - (offset - counts)[event]
    return rank < number[event]


def one_among(rows: Tensor, offset: Tensor) -> Tensor:
    """Draw one of some rows of each event.

    Args:
        rows: bool (rows,), which ones.
        offset: (events,).

    Returns:
        (events,) a row; of an event without such rows another of its own, and without rows any.
    """
    event, counts = events_of(offset), counts_of(offset)
    draw = torch.rand(len(event), device=offset.device) + (~rows)
    order = torch.argsort(draw)
    order = order[torch.argsort(event[order], stable=True)]
    return order[(offset - counts).clamp(max=max(len(order) - 1, 0))] if len(order) else counts


def any_in(rows: Tensor, offset: Tensor) -> Tensor:
    """Whether any of some rows, bool (rows,), is in each event, (events,)."""
    return torch.bincount(events_of(offset)[rows], minlength=len(offset)) > 0
