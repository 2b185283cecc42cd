"""Points of one resolution: their cells, who is next to whom, and their windows along each curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from nuzoo.modeling.sparse.neighbours import Neighbours, find_neighbours
from nuzoo.modeling.sparse.ragged import events_of
from nuzoo.modeling.sparse.serialisation import CODE_BITS, Order, codes_of
from nuzoo.modeling.sparse.windows import Windows, along, cut_windows


class PointCellError(ValueError):
    """Cells of points that no network can take."""


@dataclass(frozen=True)
class PointLevel:
    """Points of one resolution, one in each occupied cell, event by event along Morton's curve.

    On that curve the points that become one when cells are doubled follow each other.

    Attributes:
        cells: int64 (points, 3).
        counts: int64 (events,), points of each.
        morton: int64 (points,), the number of the event and the code of the cell, ascending.
        codes: of each curve the same, (points,).
        bits: of each axis of the cells.
    """

    cells: Tensor
    counts: Tensor
    morton: Tensor
    codes: tuple[Tensor, ...]
    bits: int

    @cached_property
    def neighbours(self) -> Neighbours:
        """Which points are in cells that touch."""
        return find_neighbours(self.cells, torch.repeat_interleave(self.counts), self.bits)

    def windows(self, curve: int, length: int) -> Windows:
        """Give the windows of a length along one of the curves."""
        key = (curve, length)
        if key not in self._windows:
            ordered = self._ordered_windows.setdefault(length, cut_windows(self.counts, length))
            self._windows[key] = along(ordered, torch.argsort(self.codes[curve]))
        return self._windows[key]

    @cached_property
    def for_spconv(self) -> dict[str, Any]:
        """What spconv keeps of the points, if it is in use."""
        return {}

    @cached_property
    def _windows(self) -> dict[tuple[int, int], Windows]:
        return {}

    @cached_property
    def _ordered_windows(self) -> dict[int, Windows]:
        return {}

    def coarser(self) -> tuple["PointLevel", Tensor]:
        """Double the cells.

        Returns:
            The points of the doubled cells, and how many points each is made of, (coarser points,).
        """
        morton, sizes = torch.unique_consecutive(self.morton >> 3, return_counts=True)
        first = sizes.cumsum(0) - sizes
        cells, codes = self.cells[first] >> 1, tuple(code[first] >> 3 for code in self.codes)
        bits = self.bits - 1
        counts = torch.bincount(morton >> (3 * bits), minlength=len(self.counts))
        return PointLevel(cells, counts, morton, codes, bits), sizes


def point_level(
    cells: Tensor, offset: Tensor, curves: Sequence[Order], bits: int
) -> tuple[PointLevel, Tensor]:
    """Put points into order.

    Args:
        cells: int64 (points, 3) of each, from 0; those of an event differ.
        offset: int64 (events,), where each event's points end.
        curves: along which there shall be windows.
        bits: cells are below 2**bits.

    Returns:
        The points, and the row that comes first, second, and so on.

    Raises:
        PointCellError: cells are not such.
    """
    _check_shape(cells, offset, bits)
    event = events_of(offset)
    morton = event << (3 * bits) | codes_of(cells, "z", bits)
    morton, order = torch.sort(morton)
    if (morton[1:] == morton[:-1]).any():
        raise PointCellError(
            "expected at most one point of an event in each cell, got several: the processor that is saved "
            "with the model merges the hits of a cell"
        )
    cells, event = cells[order], event[order]
    front = event << (3 * bits)
    codes = tuple(morton if curve == "z" else front | codes_of(cells, curve, bits) for curve in curves)
    counts = torch.bincount(event, minlength=len(offset))
    return PointLevel(cells, counts, morton, codes, bits), order


def cells_of_points(cells: Tensor, offset: Tensor, bits: int, doublings: int) -> tuple[Tensor, Tensor]:
    """Find the occupied cells of a coarse stage, as `PointLevel.coarser` orders them.

    Args:
        cells: int64 (points, 3), see `point_level`.
        offset: int64 (events,), where each event's points end.
        bits: see `point_level`.
        doublings: how often cells are doubled.

    Returns:
        The coarse cell of each point, (points,), and where each event's coarse cells end, (events,).
    """
    level, order = point_level(cells, offset, ("z",), bits)
    coarse, number = torch.unique_consecutive(level.morton >> (3 * doublings), return_inverse=True)
    event = coarse >> (3 * (bits - doublings))
    ends = torch.bincount(event, minlength=len(offset)).cumsum(0)
    return torch.empty_like(order).index_copy(0, order, number), ends


def _check_shape(cells: Tensor, offset: Tensor, bits: int) -> None:
    points = int(offset[-1]) if len(offset) else 0
    if cells.is_floating_point():
        raise PointCellError(
            f"expected cells as whole numbers, got {cells.dtype}: use the processor that is saved with the "
            "model"
        )
    if cells.ndim != 2 or cells.shape[1] != 3 or len(cells) != points or (torch.diff(offset) < 0).any():
        raise PointCellError(
            f"expected cells (points, 3) of events that end at {points} and before, in rising order, got "
            f"{tuple(cells.shape)} and {offset.tolist()}"
        )
    if 3 * bits + len(offset).bit_length() > CODE_BITS:
        raise PointCellError(f"expected fewer events in a batch, got {len(offset)} with {bits} bits an axis")
    if points and (cells.amin() < 0 or cells.amax() >= 1 << bits):
        raise PointCellError(
            f"expected cells from 0 to {(1 << bits) - 1}, got {int(cells.amin())} to {int(cells.amax())}: "
            "use the processor that is saved with the model"
        )
