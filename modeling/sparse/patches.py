"""Voxels in patches, and patches in windows, such as the modules of a calorimeter: those that have hits."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor


@dataclass(frozen=True)
class PatchGrid:
    """How a part of a detector is cut: windows of voxels, and in these patches, all of one size.

    Attributes:
        shape: voxels along x, y and z, whole windows.
        window: voxels of a window, whole patches.
        patch: voxels of a patch.
    """

    shape: Sequence[int]
    window: Sequence[int]
    patch: Sequence[int]

    @property
    def windows(self) -> tuple[int, ...]:
        """Windows along x, y and z."""
        return tuple(size // one for size, one in zip(self.shape, self.window, strict=True))

    @property
    def patches(self) -> tuple[int, ...]:
        """Patches of a window along x, y and z."""
        return tuple(size // one for size, one in zip(self.window, self.patch, strict=True))


@dataclass(frozen=True)
class Patches:
    """Patches with hits: event after event, in these window after window.

    Attributes:
        window: int64 (patches,), the window of each; those of the second event follow those of the first.
        local: int64 (patches,), its place in the window, along x first, then y, then z.
        patch: int64 (hits,), the patch of each hit.
        place: int64 (hits, 3), where in its patch a hit is.
    """

    window: Tensor
    local: Tensor
    patch: Tensor
    place: Tensor

    def chosen(self, which: Tensor) -> "Patches":
        """Give some of the patches, by bool (patches,), with their hits."""
        number, hits = which.cumsum(0) - 1, which[self.patch]
        return Patches(self.window[which], self.local[which], number[self.patch[hits]], self.place[hits])


def occupied_patches(cells: Tensor, event: Tensor, grid: PatchGrid) -> Patches:
    """Find the patches with hits.

    Args:
        cells: int64 (hits, 3), voxels.
        event: int64 (hits,), the event of each.
        grid: how these are cut.

    Raises:
        PatchError: voxels are beyond the grid.
    """
    _check_cells(cells, grid.shape)
    window, patch = cells.new_tensor(grid.window), cells.new_tensor(grid.patch)
    of_window = raveled(cells // window, grid.windows) + event * prod(grid.windows)
    local = raveled(cells % window // patch, grid.patches)
    size = prod(grid.patches)
    found, number = torch.unique(of_window * size + local, return_inverse=True)
    return Patches(found // size, found % size, number, cells % patch)


def raveled(cells: Tensor, shape: Sequence[int]) -> Tensor:
    """Give the numbers (n,) of cells (n, 3) of a box, along its last axis first."""
    x, y, z = cells.unbind(1)
    return (x * shape[1] + y) * shape[2] + z


class PatchError(ValueError):
    """Voxels that are not of the detector that a network is for."""


def _check_cells(cells: Tensor, shape: Sequence[int]) -> None:
    if cells.is_floating_point() or cells.ndim != 2 or cells.shape[1] != 3:
        raise PatchError(
            f"expected voxels as whole numbers (hits, 3), got {cells.dtype} {tuple(cells.shape)}: use the "
            "processor that is saved with the model"
        )
    if len(cells) and ((cells < 0) | (cells >= cells.new_tensor(shape))).any():
        raise PatchError(
            f"expected voxels from 0 to below {list(shape)}, got {cells.amin(0).tolist()} to "
            f"{cells.amax(0).tolist()}: use the processor that is saved with the model"
        )
