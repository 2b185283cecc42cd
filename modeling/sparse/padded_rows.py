"""Rows of events of several lengths, filled up to the longest."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class EventRows:
    """Rows of each of some events, filled up to the longest.

    Attributes:
        rows: int64 (events, longest).
        is_filled: bool (events, longest), which are the event's own.
    """

    rows: Tensor
    is_filled: Tensor


def rows_by_event(counts: Tensor, chosen: Tensor | None = None) -> EventRows:
    """Give the rows of events that follow each other.

    Args:
        counts: int64 (events,), rows of each.
        chosen: bool (events,), which events; those that have rows unless it is given.
    """
    first = counts.cumsum(0) - counts
    if chosen is None:
        chosen = counts > 0
    first, counts = first[chosen], counts[chosen]
    steps = torch.arange(int(counts.amax()) if len(counts) else 0, device=counts.device)
    is_filled = steps < counts[:, None]
    return EventRows(first[:, None] + torch.where(is_filled, steps, 0), is_filled)
