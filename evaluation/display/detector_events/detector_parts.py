"""Where the cells of a detector of several parts are: their middles, and the boxes of the parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.style import PALETTE
from nuzoo.evaluation.display.scenes.scene import NEUTRAL, Box, Positions
from nuzoo.simulation.sandwich import Sandwich

MM_PER_CM = 10.0
CUBES, PLATES, TOWERS, TILES = "3DCal", "tungsten", "ECAL", "AHCAL"
COLOURS = {CUBES: "#56627a", PLATES: NEUTRAL, TOWERS: PALETTE[4], TILES: PALETTE[2]}
"""Of the edges of each part on a dark page."""


@dataclass(frozen=True)
class DetectorParts:
    """Places of the parts of a detector, cm.

    Attributes:
        size: what it is made of.
    """

    size: Sandwich

    @property
    def cube(self) -> Positions:
        """Edges of a cube of the 3DCal (3,)."""
        return np.full(3, self.size.cube_mm) / MM_PER_CM

    @property
    def tower(self) -> Positions:
        """Edges of a tower of the ECAL (3,)."""
        across = np.divide(self.size.ecal_face_mm, self.size.ecal_towers)
        return np.array([*across, self.size.ecal_layers * sum(self.size.ecal_layer_mm)]) / MM_PER_CM

    @property
    def tile(self) -> Positions:
        """Edges of a cell of the AHCAL with its iron (3,)."""
        edge = self.size.ahcal_cell_mm
        return np.array([edge, edge, sum(self.size.ahcal_layer_mm)]) / MM_PER_CM

    def cubes(self, cells: NDArray[np.integer[Any]]) -> Positions:
        """Give the middles (n, 3) of cubes by their numbers (n, 3), which count no gaps."""
        of = self.size
        number = np.asarray(cells, np.float64).reshape(-1, 3)
        module = number[:, 2] // of.layers_per_module
        place: Positions = (number + 0.5) * of.cube_mm + np.array(of.origin_mm)
        gap = of.module_mm - of.layers_per_module * of.cube_mm
        place[:, 2] += module * gap + of.tungsten_mm
        return place / MM_PER_CM

    def towers(self) -> Positions:
        """Give the middles of all towers of the ECAL, row after row of x."""
        across = [np.arange(count) for count in self.size.ecal_towers]
        cells = np.stack([*(axis.ravel() for axis in np.meshgrid(*across, indexing="ij"))], axis=1)
        low = self._corner(self.size.ecal_towers, self.tower, self.size.ecal_z_mm)
        return low + (np.pad(cells, ((0, 0), (0, 1))) + 0.5) * self.tower

    def tiles(self, cells: NDArray[np.integer[Any]]) -> Positions:
        """Give the middles (n, 3) of cells of the AHCAL by their numbers (n, 3)."""
        low = self._corner(self.size.ahcal_cells[:2], self.tile, self.size.ahcal_z_mm)
        return low + (np.asarray(cells, np.float64).reshape(-1, 3) + 0.5) * self.tile

    def boxes(self) -> list[Box]:
        """Give the plates and the cubes of each module, the ECAL and the AHCAL, from the front."""
        of, found = self.size, list[Box]()
        across = np.array([count * of.cube_mm for count in of.cubes])
        for module in range(of.modules):
            front = np.array([*of.origin_mm[:2], of.origin_mm[2] + module * of.module_mm])
            middle = np.array([*front[:2], front[2] + of.tungsten_mm])
            plate = np.array([*across, of.tungsten_mm])
            cubes = np.array([*across, of.layers_per_module * of.cube_mm])
            found += [_box(PLATES, front, plate), _box(CUBES, middle, cubes)]
        for name, count, pitch, z in (
            (TOWERS, (*of.ecal_towers, 1), self.tower, of.ecal_z_mm),
            (TILES, of.ahcal_cells, self.tile, of.ahcal_z_mm),
        ):
            low = self._corner(count[:2], pitch, z)
            found.append(_box(name, low * MM_PER_CM, np.array(count) * pitch * MM_PER_CM))
        return found

    @property
    def corners(self) -> tuple[Positions, Positions]:
        """The lower and the upper corner of all parts together."""
        boxes = self.boxes()
        return (
            np.min([box.low for box in boxes], axis=0),
            np.max([box.high for box in boxes], axis=0),
        )

    def _corner(self, count: tuple[int, ...], pitch: Positions, z_mm: float) -> Positions:
        """Give the lower corner of a part that is centred on the axis."""
        across = np.array(self.size.centre_cm) - np.array(count) * pitch[:2] / 2
        return np.array([*across, z_mm / MM_PER_CM])


def _box(name: str, low_mm: Positions, sides_mm: Positions) -> Box:
    low = np.asarray(low_mm, np.float64)
    return Box(name, low / MM_PER_CM, (low + sides_mm) / MM_PER_CM, COLOURS[name])
