"""Events of several lengths in one tensor, whose rows lie event after event: compressed sparse rows."""

from collections.abc import Sequence

import torch
from torch import Tensor


def counts_of(offset: Tensor) -> Tensor:
    """Give the rows (events,) of each event, by where they end (events,)."""
    return torch.diff(offset, prepend=offset.new_zeros(1))


def events_of(offset: Tensor) -> Tensor:
    """Give the number of the event of each row, (rows,), by where events end (events,)."""
    return torch.repeat_interleave(torch.arange(len(offset), device=offset.device), counts_of(offset))


def places_of(event: Tensor) -> Tensor:
    """Count the rows of each event from 0, (rows,), by the number of the event of each, ascending."""
    counts = torch.bincount(event)
    first = counts.cumsum(0) - counts
    return torch.arange(len(event), device=event.device) - first[event]


def sorted_rows(parts: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Join the rows of several parts, each with its number, and put both into the order of the numbers."""
    rows, number = (torch.cat(one) for one in zip(*parts, strict=True))
    number, order = torch.sort(number, stable=True)
    return rows[order], number


def mean_by(values: Tensor, group: Tensor, groups: int) -> Tensor:
    """Average rows (rows, channels) by the group (rows,) of each: (groups, channels), 0 of an empty one."""
    total = values.new_zeros(groups, values.shape[1]).index_add(0, group, values)
    counts = torch.bincount(group, minlength=groups).clamp(min=1)
    return total / counts[:, None].to(values.dtype)


def max_by(values: Tensor, group: Tensor, groups: int) -> Tensor:
    """Take the largest of each channel of rows (rows, channels) by group: (groups, channels), 0 of none."""
    largest = values.new_zeros(groups, values.shape[1])
    return largest.scatter_reduce(0, group[:, None].expand_as(values), values, "amax", include_self=False)
