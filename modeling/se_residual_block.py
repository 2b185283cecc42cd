"""The pre-activation residual block of the DUNE CVN."""

import torch
from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer

from nuzoo.modeling.squeeze_excitation import SqueezeExcitation


class SeResidualBlock(GradientCheckpointingLayer):
    """BN, ReLU, 3×3, BN, ReLU, 3×3, squeeze and excitation, plus the input (arXiv 1603.05027, 1709.01507).

    Where the shape changes, the input passes a 1×1 convolution after its BN and ReLU.

    With gradient checkpointing the forward pass of a training step runs twice, and so does the
    update of the running statistics: they follow the data about twice as fast. Outputs and
    gradients are unchanged.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        stride: stride of the first 3×3 convolution.
        se_ratio: see `SqueezeExcitation`.
        batch_norm_eps: see `torch.nn.BatchNorm2d`.
        batch_norm_momentum: see `torch.nn.BatchNorm2d`.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: int,
        se_ratio: int,
        batch_norm_eps: float,
        batch_norm_momentum: float,
    ):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels, batch_norm_eps, batch_norm_momentum)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels, batch_norm_eps, batch_norm_momentum)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.gate = SqueezeExcitation(out_channels, se_ratio)
        self.shortcut = (
            nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
            if stride != 1 or in_channels != out_channels
            else None
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, in_channels, H, W) to (B, out_channels, ⌈H/stride⌉, ⌈W/stride⌉)."""
        activated = torch.relu(self.norm1(features))
        skipped = features if self.shortcut is None else self.shortcut(activated)
        residual = self.conv2(torch.relu(self.norm2(self.conv1(activated))))
        return skipped + self.gate(residual)
