"""Tokens of patches of voxels: convolutions whose kernel is as wide as their stride, where there are hits."""

from collections.abc import Sequence
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nuzoo.modeling.sparse.patches import Patches, raveled

ONE_STEP = 512
"""Voxels of a patch up to which one convolution makes a token of it (arXiv 2604.07037)."""

FIRST_STEP = 32
FACTORS = (4, 3, 2)
"""The first of two convolutions has so many voxels at most, and such edges."""


def kernels_of(patch: Sequence[int]) -> list[list[int]]:
    """Split a patch into the kernels of one convolution or of two.

    Axis by axis the first kernel takes the largest of `FACTORS` that divides the patch, while it does not
    have more than `FIRST_STEP` voxels; the second takes the rest.
    """
    if prod(patch) <= ONE_STEP:
        return [list(patch)]
    first: list[int] = []
    for edge in patch:
        fits = (one for one in FACTORS if edge % one == 0 and prod(first) * one <= FIRST_STEP)
        first.append(next(fits, 1))
    return [first, [edge // one for edge, one in zip(patch, first, strict=True)]]


class PatchConv3d(nn.Module):
    """A convolution whose stride is its kernel, of those cells alone that have rows.

    The weights have the layout of spconv: (out, x, y, z, in).

    Args:
        in_channels: of each row.
        out_channels: of each cell.
        kernel: rows of a cell along x, y and z.
        bias: whether to add one.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: Sequence[int], bias: bool = True):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, *kernel, in_channels))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights as those of a linear map (Glorot's uniform)."""
        nn.init.xavier_uniform_(self.weight.flatten(1))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, rows: Tensor, cell: Tensor, place: Tensor, cells: int) -> Tensor:
        """Map (rows, in_channels) to (cells, out_channels).

        Args:
            rows: at most one at each place of a cell.
            cell: int64 (rows,), the cell of each.
            place: int64 (rows,), where in the kernel it is, along its last axis first.
            cells: how many there are.
        """
        weights = self.weight.flatten(1, 3)
        if rows.shape[1] == 1:
            places = weights.shape[1]
            filled = rows.new_zeros(cells * places).index_put((cell * places + place,), rows[:, 0])
            return F.linear(filled.view(cells, places), weights[..., 0], self.bias)
        return self._by_place(rows, cell, place, cells, weights.unbind(1))

    def _by_place(
        self, rows: Tensor, cell: Tensor, place: Tensor, cells: int, weights: Sequence[Tensor]
    ) -> Tensor:
        """Treat rows of one place together: each adds at most once to a cell, so that sums never vary."""
        width = len(weights[0])
        out = rows.new_zeros(cells, width) if self.bias is None else self.bias.expand(cells, -1).clone()
        order = torch.argsort(place, stable=True)
        sizes = torch.bincount(place, minlength=len(weights)).tolist()
        sorted_rows, sorted_cells = rows[order].split(sizes), cell[order].split(sizes)
        for weight, some, of in zip(weights, sorted_rows, sorted_cells, strict=True):
            if len(of):
                out.index_add_(0, of, F.linear(some, weight).to(out.dtype))
        return out


class PatchStem(nn.Module):
    """Makes a token of each patch with hits (arXiv 2604.07037): one convolution, or two of a large patch.

    Args:
        patch: voxels along x, y and z.
        channels: of a token.
        eps: added to the variance between the convolutions.
    """

    def __init__(self, patch: Sequence[int], channels: int, eps: float):
        super().__init__()
        *first, last = kernels_of(patch)
        self.kernel = last if not first else first[0]
        self.patch = list(patch)
        inner = channels // 4 if first else 1
        self.first = PatchConv3d(1, inner, first[0], bias=False) if first else None
        self.norm = nn.LayerNorm(inner, eps) if first else None
        self.last = PatchConv3d(inner, channels, last)

    def forward(self, values: Tensor, patches: Patches) -> Tensor:
        """Map (hits, 1) to tokens (patches, channels)."""
        number = len(patches.window)
        if self.first is None or self.norm is None:
            return self.last(values, patches.patch, raveled(patches.place, self.patch), number)
        kernel = patches.place.new_tensor(self.kernel)
        shape = [edge // one for edge, one in zip(self.patch, self.kernel, strict=True)]
        block = patches.patch * prod(shape) + raveled(patches.place // kernel, shape)
        found, cell = torch.unique(block, return_inverse=True)
        inner = self.first(values, cell, raveled(patches.place % kernel, self.kernel), len(found))
        return self.last(F.gelu(self.norm(inner)), found // prod(shape), found % prod(shape), number)
