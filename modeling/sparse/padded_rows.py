"""Rows of events of several lengths, filled up to the longest."""

from collections.abc import Sequence
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


def rows_by_length(counts: Tensor, step: int) -> list[EventRows]:
    """Give the rows of events that follow each other, so that little is filled up.

    Args:
        counts: int64 (events,), rows of each.
        step: events whose lengths are in the same step of so many rows are together.
    """
    steps = (counts + step - 1) // step
    return [rows_by_event(counts, steps == one) for one in torch.unique(steps[steps > 0]).tolist()]


def in_order(values: Sequence[Tensor], groups: Sequence[EventRows]) -> Tensor:
    """Put what was found of groups, (events * longest, channels) each, into the order of rows (n, channels).

    Args:
        values: of each group.
        groups: that have all rows.
    """
    pairs = zip(values, groups, strict=True)
    found = torch.cat([of[one.is_filled.flatten()] for of, one in pairs])
    if len(groups) == 1:
        return found
    rows = torch.cat([one.rows[one.is_filled] for one in groups])
    return torch.empty_like(found).index_copy(0, rows, found)
