"""Stochastic depth: what a block adds is left out by chance (arXiv 1603.09382)."""

import torch
from torch import Tensor, nn


class DropPath(nn.Module):
    """Leaves out what a block adds, for points by chance, in training; others are scaled up.

    Args:
        probability: of leaving out.
    """

    def __init__(self, probability: float):
        super().__init__()
        self.probability = probability

    def forward(self, added: Tensor) -> Tensor:
        """Map (points, channels) to the same shape."""
        if not self.training or not self.probability:
            return added
        kept = torch.rand(len(added), 1, device=added.device) >= self.probability
        return added * (kept / (1 - self.probability)).to(added.dtype)
