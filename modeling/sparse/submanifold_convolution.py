"""A convolution of 3 x 3 x 3 on occupied cells only: what it gives lies where its input lies."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nuzoo.modeling.sparse.neighbours import Neighbours


class SubmanifoldConv3d(nn.Module):
    """The submanifold convolution (arXiv 1706.01307), a cross-correlation as `torch.nn.Conv3d`.

    The weights have the layout of spconv: (out, 3, 3, 3, in).

    Args:
        in_channels: of each row.
        out_channels: of each row.
        bias: whether to add one.
    """

    def __init__(self, in_channels: int, out_channels: int, bias: bool = True):
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.weight = nn.Parameter(torch.empty(out_channels, 3, 3, 3, in_channels))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights as `torch.nn.Conv3d` does."""
        limit = (27 * self.in_channels) ** -0.5
        nn.init.uniform_(self.weight, -limit, limit)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -limit, limit)

    def forward(self, rows: Tensor, neighbours: Neighbours) -> Tensor:
        """Map (n, in_channels) to (n, out_channels).

        Each direction adds at most once to a row, so that the sum is the same at every call, on GPUs too.
        """
        weights = self.weight.flatten(1, 3).unbind(1)
        out = F.linear(rows, weights[13], self.bias)
        low, high = neighbours.low.split(neighbours.sizes), neighbours.high.split(neighbours.sizes)
        of_low = rows.index_select(0, neighbours.low).split(neighbours.sizes)
        of_high = rows.index_select(0, neighbours.high).split(neighbours.sizes)
        for direction, size in enumerate(neighbours.sizes):
            if size:
                forth, back = weights[14 + direction], weights[12 - direction]
                out.index_add_(0, low[direction], F.linear(of_high[direction], forth))
                out.index_add_(0, high[direction], F.linear(of_low[direction], back))
        return out
