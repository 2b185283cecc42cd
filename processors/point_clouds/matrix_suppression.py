"""Matrix non-maximum suppression of masks (SOLOv2, arXiv 2003.10152), for all events of a batch at once."""

import torch
from torch import Tensor

SIGMA = 2.0
"""Of the Gaussian by which overlap takes from a score."""


def suppressed_scores(scores: Tensor, labels: Tensor, sizes: Tensor, shared: Tensor) -> Tensor:
    """Lower the scores of masks by how much they overlap with better ones of their class.

    A mask that is itself suppressed suppresses others less. What a mask gets depends on its own event only.

    Args:
        scores: (events, masks); masks that do not count have 0.
        labels: int64 (events, masks), their classes.
        sizes: (events, masks), points of each.
        shared: (events, masks, masks), points that two have in common.

    Returns:
        (events, masks).
    """
    if not scores.numel():
        return scores
    order = scores.argsort(dim=1, descending=True, stable=True)
    labels, sizes = labels.gather(1, order), sizes.gather(1, order)
    by_row = order[:, :, None].expand(-1, -1, order.shape[1])
    shared = shared.gather(1, by_row).gather(2, by_row.transpose(1, 2))
    union = sizes[:, :, None] + sizes[:, None] - shared
    rivals = labels[:, :, None] == labels[:, None]
    overlap = (shared / union.clamp(min=1) * rivals).triu(diagonal=1)
    own = overlap.amax(dim=1)[:, :, None]
    decay = torch.exp(SIGMA * (own**2 - overlap**2)).amin(dim=1)
    return torch.empty_like(scores).scatter(1, order, scores.gather(1, order) * decay)
