"""Features of points, from those of tokens around them (PointNet++, arXiv 1706.02413)."""

import torch
from torch import Tensor

from nuzoo.modeling.sparse.nearby import nearest
from nuzoo.modeling.sparse.ragged import counts_of

SOFTENING = 2.0**-23 * 0.75 * 768**2
"""Added to squared distances, in cells: the public code adds float32's epsilon in units of 665 of them."""


def interpolated(
    tokens: Tensor, places: Tensor, counts: Tensor, cells: Tensor, offset: Tensor, neighbours: int
) -> Tensor:
    """Average the features of the nearest tokens, weighted by the inverse of the squared distance.

    Args:
        tokens: (tokens, channels), those of event after event.
        places: int64 (tokens, 3), the cell in the middle of each.
        counts: int64 (events,), tokens of each event, one at least where there are points.
        cells: int64 (points, 3).
        offset: int64 (events,), where each event's points end.
        neighbours: how many tokens, or as many as the event has.

    Returns:
        (points, channels).
    """
    parts = [tokens.new_zeros(0, tokens.shape[1])]
    of_points = cells.split(counts_of(offset).tolist())
    sizes = counts.tolist()
    for points, own, where in zip(of_points, tokens.split(sizes), places.split(sizes), strict=True):
        if len(own):
            rows, squared = nearest(points, where, neighbours)
            weights = 1 / (squared + SOFTENING)
            weights = (weights / weights.sum(dim=1, keepdim=True)).to(tokens.dtype)
            parts.append(torch.einsum("nk,nkc->nc", weights, own[rows]))
    return torch.cat(parts)
