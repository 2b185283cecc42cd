"""The blocks of a point transformer: convolution, attention in windows, and a perceptron."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.configuration.query_decoder_config import HEAD_DIM
from nuzoo.modeling.attention import attend_rows
from nuzoo.modeling.drop_path import DropPath
from nuzoo.modeling.sparse.point_level import PointLevel
from nuzoo.modeling.sparse.spconv_convolution import spconv_convolution
from nuzoo.modeling.sparse.submanifold_convolution import SubmanifoldConv3d
from nuzoo.modeling.sparse.windows import Windows

Weights = tuple[Tensor, ...]


class WindowAttention(nn.Module):
    """Attention of points to those of their window, with heads of 16 channels."""

    is_causal = False

    def __init__(self, config: NuPointConfig, channels: int):
        super().__init__()
        self.config = config
        self.heads = channels // HEAD_DIM
        self.num_key_value_groups = 1
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, points: Tensor, windows: Windows) -> tuple[Tensor, Weights]:
        """Map (points, channels) to the same shape; weights (windows, heads, length, length) if "eager"."""
        qkv = self.qkv(points)
        parts = ((windows.whole, None), (windows.short, windows.is_filled))
        attended = [
            attend_rows(self, qkv, rows, is_filled, self.heads) for rows, is_filled in parts if rows.numel()
        ]
        if not attended:
            return self.proj(points), ()
        joined = torch.cat([values for values, _ in attended]) if len(attended) > 1 else attended[0][0]
        weights = tuple(weights for _, weights in attended if weights is not None)
        return self.proj(joined.index_select(0, windows.place)), weights


class LayerScale(nn.Module):
    """Multiplies each channel by a weight."""

    def __init__(self, channels: int):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels))

    def forward(self, added: Tensor) -> Tensor:
        """Map (points, channels) to the same shape."""
        return added * self.gamma


class PointPerceptron(nn.Sequential):
    """A perceptron of one hidden layer."""

    def __init__(self, channels: int, hidden: int):
        super().__init__(nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, channels))


class ConditionalPosition(nn.Module):
    """What the cells around a point hold: it tells the network where points are relative to each other.

    It is computed in the precision of its weights, also where an autocast asks for less.
    """

    def __init__(self, config: NuPointConfig, channels: int):
        super().__init__()
        self.config = config
        self.convolution = SubmanifoldConv3d(channels, channels)
        self.projection = nn.Linear(channels, channels)
        self.norm = nn.LayerNorm(channels, config.layer_norm_eps)

    def forward(self, points: Tensor, level: PointLevel) -> Tensor:
        """Map (points, channels) to the same shape."""
        with torch.autocast(points.device.type, enabled=False):
            points = points.to(self.projection.weight.dtype)
            if self.config.conv_implementation == "spconv":
                points = spconv_convolution(self.convolution, points, level)
            else:
                points = self.convolution(points, level.neighbours)
            return self.norm(self.projection(points))


class NuPointBlock(GradientCheckpointingLayer):
    """Adds to points what their neighbours, their window, and they themselves tell.

    Args:
        config: the network's configuration.
        channels: of a point.
        drop_path: probability of leaving out.
    """

    def __init__(self, config: NuPointConfig, channels: int, drop_path: float):
        super().__init__()
        self.window_size = config.window_size
        self.position = ConditionalPosition(config, channels)
        self.norm_attention = nn.LayerNorm(channels, config.layer_norm_eps)
        self.attention = WindowAttention(config, channels)
        self.scale_attention = LayerScale(channels)
        self.norm_mlp = nn.LayerNorm(channels, config.layer_norm_eps)
        self.mlp = PointPerceptron(channels, int(channels * config.mlp_ratio))
        self.scale_mlp = LayerScale(channels)
        self.drop_path = DropPath(drop_path)

    def forward(self, points: Tensor, level: PointLevel, curve: int) -> tuple[Tensor, Weights]:
        """Map (points, channels) to the same shape.

        Args:
            points: features.
            level: where they are.
            curve: number of the curve along which windows are cut.

        Returns:
            Features, and the weights of the attention, empty unless it is "eager".
        """
        points = points + self.position(points, level)
        windows = level.windows(curve, self.window_size)
        attended, weights = self.attention(self.norm_attention(points), windows)
        points = points + self.drop_path(self.scale_attention(attended))
        return points + self.drop_path(self.scale_mlp(self.mlp(self.norm_mlp(points)))), weights


class NuPointPooling(nn.Module):
    """Joins the points of a doubled cell: the largest of each channel of their projections."""

    def __init__(self, config: NuPointConfig, channels: int, out_channels: int):
        super().__init__()
        self.projection = nn.Linear(channels, out_channels)
        self.norm = nn.LayerNorm(out_channels, config.layer_norm_eps)

    def forward(self, points: Tensor, sizes: Tensor) -> Tensor:
        """Map (points, channels) to (coarser points, out_channels).

        Args:
            points: features; those of a doubled cell follow each other.
            sizes: (coarser points,) how many they are.
        """
        projected = self.projection(points)
        if len(projected):
            projected = torch.segment_reduce(projected, "max", lengths=sizes, axis=0)
        return F.gelu(self.norm(projected))


class NuPointUnpooling(nn.Module):
    """Adds to the points of a stage what the cells that they are in know."""

    def __init__(self, config: NuPointConfig, coarse_channels: int, channels: int, out_channels: int):
        super().__init__()
        eps = config.layer_norm_eps
        self.coarse = nn.Sequential(
            nn.Linear(coarse_channels, out_channels), nn.LayerNorm(out_channels, eps), nn.GELU()
        )
        self.skip = nn.Sequential(
            nn.Linear(channels, out_channels), nn.LayerNorm(out_channels, eps), nn.GELU()
        )

    def forward(self, coarse: Tensor, points: Tensor, sizes: Tensor) -> Tensor:
        """Map (coarser points, coarse_channels) and (points, channels) to (points, out_channels).

        Args:
            coarse: features of doubled cells.
            points: features of the encoder.
            sizes: (coarser points,) how many points each has.
        """
        return self.skip(points) + self.coarse(coarse).repeat_interleave(
            sizes, dim=0, output_size=len(points)
        )
