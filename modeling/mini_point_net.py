"""The small network of points that makes a token of a group of hits (PointNet, arXiv 1612.00593)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nuzoo.configuration.configuration_nu_point_mae import NuPointMaeConfig
from nuzoo.modeling.point_batch_norm import PointBatchNorm
from nuzoo.modeling.sparse.groups import Groups
from nuzoo.modeling.sparse.ragged import max_by

LONGEST_WAVE = 10000.0


class MiniPointNet(nn.Module):
    """Two perceptrons of points, each with a maximum over the group: the first tells the second of the group.

    Only points that are there are computed, so that nothing has to be masked: the batch norms, and unless
    `pool_padding` is set the maxima, know no others. It is computed in the precision of its weights.

    Args:
        config: the network's configuration.
        channels: numbers of a point.
        is_ordered: points know which one of their group they are, by their place in it.
    """

    def __init__(self, config: NuPointMaeConfig, channels: int, is_ordered: bool = False):
        super().__init__()
        width = config.embedding_size
        self.places = config.group_points
        self.pool_padding = config.pool_padding
        self.linear1 = nn.Linear(channels, width, bias=False)
        self.norm1 = PointBatchNorm(width)
        self.linear2 = nn.Linear(width, 2 * width)
        self.place = PlaceEmbedding(2 * width) if is_ordered else None
        self.linear3 = nn.Linear(4 * width, 4 * width, bias=False)
        self.norm2 = PointBatchNorm(4 * width)
        self.linear4 = nn.Linear(4 * width, config.hidden_size)

    def forward(self, points: Tensor, groups: Groups) -> Tensor:
        """Map the members of groups, (members, channels), to (groups, hidden_size)."""
        with torch.autocast(points.device.type, enabled=False):
            points = points.to(self.linear1.weight.dtype)
            features = self.linear2(F.relu(self.norm1(self.linear1(points))))
            codes = None
            if self.place is not None:
                codes = self.place(torch.arange(self.places, device=points.device))
                features = features + codes[groups.slot]
            largest = self._largest(features, groups, self._first_of_nothing(codes))
            features = torch.cat([largest[groups.group], features], dim=1)
            features = self.linear4(F.relu(self.norm2(self.linear3(features))))
            return self._largest(features, groups, self._second_of_nothing())

    def _largest(self, features: Tensor, groups: Groups, of_nothing: Tensor | None) -> Tensor:
        """Take the maximum over each group; an empty place has what `of_nothing` says, by its number."""
        largest = max_by(features, groups.group, len(groups.centres))
        if of_nothing is None:
            return largest
        sizes = groups.sizes
        padded = torch.maximum(largest, of_nothing[sizes.clamp(max=len(of_nothing) - 1)])
        return torch.where((sizes < self.places)[:, None], padded, largest)

    def _first_of_nothing(self, codes: Tensor | None) -> Tensor | None:
        """Give the maximum over empty places, by the number of those before: (places, 2 * embedding_size)."""
        if not self.pool_padding:
            return None
        features = self.linear2(F.relu(self.norm1.bias)).expand(self.places, -1)
        if codes is None:
            return features
        return (features + codes).flip(0).cummax(dim=0).values.flip(0)

    def _second_of_nothing(self) -> Tensor | None:
        if not self.pool_padding:
            return None
        of_nothing: Tensor = self.linear4(F.relu(self.norm2.bias))[None]
        return of_nothing


class PlaceEmbedding(nn.Module):
    """Waves along the places of a group, and a layer of neurons.

    Args:
        channels: even.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.channels = channels
        self.linear = nn.Linear(channels, channels)

    def forward(self, places: Tensor) -> Tensor:
        """Map (n,) to (n, channels)."""
        half = self.channels // 2
        falls = -math.log(LONGEST_WAVE) / max(half - 1, 1)
        waves = places[:, None] * torch.exp(falls * torch.arange(half, device=places.device))
        code = torch.cat([waves.sin(), waves.cos()], dim=1)
        return F.relu(self.linear(code.to(self.linear.weight.dtype)))
