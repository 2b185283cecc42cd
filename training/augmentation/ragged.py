"""Events of several lengths in one tensor: which event a row is of, and a choice among its rows."""

import torch
from torch import Tensor


def counts_of(offset: Tensor) -> Tensor:
    """Give the rows (events,) of each event, by where they end (events,)."""
    return torch.diff(offset, prepend=offset.new_zeros(1))


def events_of(offset: Tensor) -> Tensor:
    """Give the number of the event of each row, (rows,), by where events end (events,)."""
    return torch.repeat_interleave(torch.arange(len(offset), device=offset.device), counts_of(offset))


def one_of_each(offset: Tensor) -> Tensor:
    """Draw a row of each event, (events,); of an event without rows any row of the batch."""
    counts = counts_of(offset)
    drawn = (torch.rand(len(counts), device=offset.device) * counts).long()
    last = torch.minimum(drawn, counts - 1).clamp(min=0)
    return (offset - counts + last).clamp(max=max(int(offset[-1]) - 1, 0)) if len(offset) else drawn


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
