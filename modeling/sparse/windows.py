"""Windows of equal length along a curve, in which the points of an event attend to each other."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Windows:
    """Rows of windows, and where each row is in them.

    Events with more rows than a window are cut into whole windows. What the last one lacks is filled with
    the rows in the same places of the window before: they take part, and what they get is dropped. An event
    of fewer rows is one window of its own; these are padded to the longest.

    Attributes:
        whole: (windows, length) rows.
        short: (events, longest) rows; the event's first where there is none.
        is_filled: bool (events, longest), where `short` has a row.
        place: (rows,) where each row is, in `whole` and then `short`, taken as one line.
    """

    whole: Tensor
    short: Tensor
    is_filled: Tensor
    place: Tensor


def cut_windows(counts: Tensor, length: int) -> Windows:
    """Cut events into windows, in the order in which their rows lie.

    Args:
        counts: int64 (events,), rows of each.
        length: most rows of a window.
    """
    length = min(length, max([1, *counts.tolist()]))
    ends = counts.cumsum(0)
    starts = ends - counts
    steps = torch.arange(length, device=counts.device)
    is_whole = counts >= length
    number = torch.where(is_whole, (counts + length - 1) // length, 0)
    event = torch.repeat_interleave(number)
    first = number.cumsum(0) - number
    window = torch.arange(len(event), device=counts.device) - first[event]
    whole = (starts[event] + window * length)[:, None] + steps
    whole = torch.where(whole < ends[event][:, None], whole, whole - length)

    few = torch.nonzero(~is_whole & (counts > 0))[:, 0]
    longest = int(counts[few].amax()) if len(few) else 0
    is_filled = steps[:longest] < counts[few][:, None]
    short = starts[few][:, None] + torch.where(is_filled, steps[:longest], 0)

    begins = first * length
    begins[few] = whole.numel() + longest * torch.arange(len(few), device=counts.device)
    row = torch.arange(int(ends[-1]) if len(ends) else 0, device=counts.device)
    of = torch.repeat_interleave(counts)
    return Windows(whole, short, is_filled, begins[of] + row - starts[of])


def along(windows: Windows, order: Tensor) -> Windows:
    """Give the windows of rows that lie in another order.

    Args:
        windows: of rows in order.
        order: (rows,) the row that comes first, second, and so on.
    """
    if not len(order):
        return windows
    place = torch.empty_like(windows.place)
    place[order] = windows.place
    return Windows(order[windows.whole], order[windows.short], windows.is_filled, place)
