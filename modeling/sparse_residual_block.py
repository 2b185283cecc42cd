"""The pre-activation residual block of sparse U-Nets."""

import torch.nn.functional as F
from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer

from nuzoo.modeling.point_batch_norm import PointBatchNorm
from nuzoo.modeling.sparse.point_level import PointLevel
from nuzoo.modeling.sparse.submanifold_convolution import SubmanifoldConv3d


class SparseResidualBlock(GradientCheckpointingLayer):
    """BN, ReLU, 3×3×3, BN, ReLU, 3×3×3, plus the input, which a linear map takes to another width.

    With gradient checkpointing the forward pass of a training step runs twice, and so does the update of the
    running statistics: they follow the data about twice as fast. Outputs and gradients are unchanged.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        batch_norm_eps: see `torch.nn.BatchNorm1d`.
        batch_norm_momentum: see `torch.nn.BatchNorm1d`.
    """

    def __init__(
        self, in_channels: int, out_channels: int, batch_norm_eps: float, batch_norm_momentum: float
    ):
        super().__init__()
        self.norm1 = PointBatchNorm(in_channels, batch_norm_eps, batch_norm_momentum)
        self.conv1 = SubmanifoldConv3d(in_channels, out_channels, bias=False)
        self.norm2 = PointBatchNorm(out_channels, batch_norm_eps, batch_norm_momentum)
        self.conv2 = SubmanifoldConv3d(out_channels, out_channels, bias=False)
        is_same = in_channels == out_channels
        self.shortcut = None if is_same else nn.Linear(in_channels, out_channels, bias=False)

    def forward(self, points: Tensor, level: PointLevel) -> Tensor:
        """Map (points, in_channels) to (points, out_channels)."""
        skipped = points if self.shortcut is None else self.shortcut(points)
        points = self.conv1(F.relu(self.norm1(points)), level.neighbours)
        return skipped + self.conv2(F.relu(self.norm2(points)), level.neighbours)
