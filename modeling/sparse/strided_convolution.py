"""Convolutions of 2 x 2 x 2 between points and doubled cells: down by a stride of 2, and back up."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nuzoo.modeling.sparse.point_level import PointLevel

CORNERS = 8


def doubled(level: PointLevel) -> tuple[PointLevel, Tensor]:
    """Double the cells.

    Returns:
        The points of the doubled cells, and the corner (points,) that each point is in: 8 times the row of
        its doubled cell, plus 4, 2 and 1 where it is the upper half along x, y and z.
    """
    coarse, sizes = level.coarser()
    return coarse, CORNERS * torch.repeat_interleave(sizes) + (level.morton & (CORNERS - 1))


class StridedConv3d(nn.Module):
    """A cross-correlation of 2 x 2 x 2 with a stride of 2, where empty cells count as 0.

    The weights have the layout of spconv: (out, 2, 2, 2, in). There is no bias.

    Args:
        in_channels: of each point.
        out_channels: of each doubled cell.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, 2, 2, 2, in_channels))
        nn.init.kaiming_uniform_(self.weight.flatten(1), a=5**0.5)

    def forward(self, rows: Tensor, corners: Tensor, cells: int) -> Tensor:
        """Map (points, in_channels) to (cells, out_channels); corners are those of `doubled`."""
        filled = rows.new_zeros(CORNERS * cells, rows.shape[1]).index_copy(0, corners, rows)
        return F.linear(filled.view(cells, CORNERS * rows.shape[1]), self.weight.flatten(1))


class TransposedConv3d(nn.Module):
    """The transpose of such a convolution, evaluated at the points that there are.

    The weights have the layout of spconv: (out, 2, 2, 2, in). There is no bias.

    Args:
        in_channels: of each doubled cell.
        out_channels: of each point.
    """

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, 2, 2, 2, in_channels))
        nn.init.kaiming_uniform_(self.weight.flatten(0, 3), a=5**0.5)

    def forward(self, rows: Tensor, corners: Tensor) -> Tensor:
        """Map (cells, in_channels) to (points, out_channels); corners are those of `doubled`."""
        every = F.linear(rows, self.weight.movedim(0, 3).flatten(0, 3))
        return every.view(CORNERS * len(rows), len(self.weight)).index_select(0, corners)
