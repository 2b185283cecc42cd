"""Squeeze and excitation: channels weighted by what the whole map holds."""

import torch
from torch import Tensor, nn


class SqueezeExcitation(nn.Module):
    """Scale each channel by a gate computed from all channel means (arXiv 1709.01507), without biases.

    Args:
        channels: channels of the map.
        ratio: channels of the map over those of the bottleneck.
    """

    def __init__(self, channels: int, ratio: int):
        super().__init__()
        hidden = max(1, channels // ratio)
        self.squeeze = nn.Linear(channels, hidden, bias=False)
        self.excite = nn.Linear(hidden, channels, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Gate the channels of `features` (B, C, H, W); the result has the same shape."""
        gate = torch.relu(self.squeeze(features.mean(dim=(2, 3))))
        return features * torch.sigmoid(self.excite(gate))[:, :, None, None]
