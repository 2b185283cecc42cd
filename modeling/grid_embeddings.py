"""Fixed embeddings of the places of a grid in space: sines and cosines."""

from collections.abc import Sequence

import torch
from torch import Tensor

BASE = 10_000.0


def grid_embeddings(shape: Sequence[int], channels: int) -> Tensor:
    """Make the embeddings of all places, along the last axis first.

    Each axis has the sines, then the cosines of its place times `BASE` to the powers 0 to -1; the channels
    are shared out among the axes in pairs, and what is left over goes to the first ones.

    Args:
        shape: places along each axis.
        channels: an even number.

    Returns:
        float32 (places, channels).
    """
    pairs, axes = channels // 2, len(shape)
    parts = []
    for axis, size in enumerate(shape):
        own = pairs // axes + (axis < pairs % axes)
        rates = BASE ** -(torch.arange(own, dtype=torch.float64) / max(own, 1))
        angles = torch.arange(size, dtype=torch.float64)[:, None] * rates
        waves = torch.cat([angles.sin(), angles.cos()], dim=1)
        view = [1] * axes + [2 * own]
        view[axis] = size
        parts.append(waves.view(view).expand(*shape, -1))
    return torch.cat(parts, dim=-1).flatten(0, -2).float()
