"""The frame of a network's points: coordinates in the detector's unit ball, and the grid of cells."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nuzoo.files.events.point_cloud_events import VOXEL, PointCloudGeometry

Grid = float | Literal["voxel"]


@dataclass(frozen=True)
class CloudFrame:
    """Places of a detector as its networks see them.

    Attributes:
        layout: of the detector.
        grid: "voxel", or the edge of a cell in units of the coordinates.
    """

    layout: PointCloudGeometry
    grid: Grid

    @property
    def sides_mm(self) -> NDArray[np.float64]:
        """Sides of the detector, (3,)."""
        return np.multiply(self.layout.shape, self.layout.pitch_mm)

    @property
    def mm_per_unit(self) -> float:
        """Half the diagonal of the detector: what one unit of coordinates is, mm."""
        return float(np.linalg.norm(self.sides_mm)) / 2

    @property
    def half_sides(self) -> list[float]:
        """Half the sides of the detector in units of coordinates, in which its middle is 0."""
        return (self.sides_mm / 2 / self.mm_per_unit).tolist()

    @property
    def middle_of_hit(self) -> list[float]:
        """From the coordinates of a hit to the middle of what it stands for: half a voxel where it is one."""
        if self.layout.positions != VOXEL:
            return [0.0, 0.0, 0.0]
        return (np.array(self.layout.pitch_mm) / 2 / self.mm_per_unit).tolist()

    @property
    def cell_edge(self) -> float:
        """Longest edge of a cell, in units of coordinates."""
        return max(self.layout.pitch_mm) / self.mm_per_unit if self.grid == VOXEL else float(self.grid)

    @property
    def grid_shape(self) -> list[int]:
        """Cells along each axis, of an event that fills the detector."""
        if self.grid == VOXEL:
            return list(self.layout.shape)
        return [int(2 * half // float(self.grid)) + 1 for half in self.half_sides]

    @property
    def _scale(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The middle of the detector and one unit of coordinates, in the unit of events, (3,) each."""
        if self.layout.positions == VOXEL:
            return np.array(self.layout.shape) / 2, self.mm_per_unit / np.array(self.layout.pitch_mm)
        return self.sides_mm / 2 + self.layout.origin_mm, np.full(3, self.mm_per_unit)

    def placed(self, position: NDArray[Any]) -> NDArray[np.float64]:
        """Give the coordinates (n, 3) of positions (n, 3) in the unit of events."""
        middle, unit = self._scale
        return (position - middle) / unit

    def positions(self, coordinates: NDArray[Any]) -> NDArray[np.float64]:
        """Give the positions (n, 3) in the unit of events of coordinates (n, 3): the inverse of `placed`."""
        middle, unit = self._scale
        return coordinates * unit + middle

    def cells(self, coordinates: Tensor, event: Tensor) -> Tensor:
        """Give the cells that points are in.

        Args:
            coordinates: (points, 3). Those outside of the detector are in its nearest voxel.
            event: (points,) number of the event of each.

        Returns:
            int64 (points, 3), from 0.
        """
        if not isinstance(self.grid, str):
            return _from_first(torch.floor(coordinates.double() / self.grid).long(), event)
        size = np.array(self.layout.pitch_mm) / self.mm_per_unit
        first = np.add(self.half_sides, self.middle_of_hit)
        place = coordinates.double() + coordinates.new_tensor(first, dtype=torch.float64)
        cells = torch.floor(place / coordinates.new_tensor(size, dtype=torch.float64)).long()
        return torch.minimum(cells.clamp(min=0), cells.new_tensor(self.layout.shape) - 1)

    def cells_of_hits(self, position: NDArray[np.float64], event: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give the cells (hits, 3) of recorded positions (hits, 3); a voxel's number is one as it is."""
        if self.grid == VOXEL and self.layout.positions == VOXEL:
            return position.astype(np.int64)
        coordinates = torch.from_numpy(self.placed(position))
        if self.grid != VOXEL:
            coordinates = coordinates.float()  # as the network sees them, and as Panda does
        return self.cells(coordinates, torch.from_numpy(event)).numpy()


def _from_first(cells: Tensor, event: Tensor) -> Tensor:
    """Count cells (points, 3) from the first that each event (points,) has something in."""
    counts = torch.bincount(event).tolist()
    events = (part for part in cells.split(counts) if len(part))
    return torch.cat([cells[:0], *(part - part.amin(dim=0) for part in events)])
