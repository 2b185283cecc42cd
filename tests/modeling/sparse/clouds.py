"""Clouds of points for tests of what is computed on occupied cells."""

import torch
from torch import Tensor


def random_cloud(counts: list[int], extent: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Give cells (points, 3) that differ within an event, in no order, and the events' ends."""
    generator = torch.Generator().manual_seed(seed)
    keys = [torch.randperm(extent**3, generator=generator)[:count] for count in counts]
    key = torch.cat([torch.zeros(0, dtype=torch.long), *keys])
    cells = torch.stack([key // extent**2, key // extent % extent, key % extent], dim=1)
    return cells, torch.tensor(counts, dtype=torch.long).cumsum(0)
