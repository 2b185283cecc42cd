"""Stochastic depth: what a block adds is left out by chance (arXiv 1603.09382)."""

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Leaves out what a block adds, for points or groups by chance, in training; others are scaled up.

    Args:
        probability: of leaving out.
    """

    def __init__(self, probability: float):
        super().__init__()
        self.probability = probability

    def forward(self, added: Tensor, counts: Tensor | None = None) -> Tensor:
        """Map (points, channels) to the same shape.

        Args:
            added: what the block adds.
            counts: int64 (groups,), points of groups that follow each other and share a fate; each point has
                its own unless it is given.
        """
        if not self.training or not self.probability:
            return added
        kept = torch.rand(len(added if counts is None else counts), device=added.device) >= self.probability
        if counts is not None:
            kept = torch.repeat_interleave(kept, counts)
        return added * (kept / (1 - self.probability)).to(added.dtype)[:, None]
