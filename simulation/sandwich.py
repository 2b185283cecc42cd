"""A detector of layers across the beam, one behind the other: what stands where, and how thick it is.

Three parts record energy: cubes of plastic behind plates of tungsten in modules, and two calorimeters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.event_types import Vector
from nuzoo.simulation.layer_stack import AHCAL, CAL, ECAL, Layer, Stack, stack_of
from nuzoo.simulation.materials import IRON, LEAD, POLYSTYRENE, TUNGSTEN


@dataclass(frozen=True, kw_only=True)
class Sandwich:
    """Modules of plates and cubes, then two calorimeters. Lengths in mm.

    Attributes:
        tungsten_mm: thickness of the plate of each module.
        modules: of the 3DCal.
        layers_per_module: layers of cubes of each.
        cubes: across, along x and y.
        cube_mm: edge of a cube.
        gap_mm: air behind the cubes of a module.
        origin_mm: lower corner of the 3DCal.
        ecal_towers: along x and y.
        ecal_face_mm: edge of all towers together.
        ecal_layers: pairs of lead and scintillator.
        ecal_layer_mm: thickness of lead and of scintillator.
        ahcal_cells: along x, y and z.
        ahcal_cell_mm: edge of a cell across.
        ahcal_layer_mm: thickness of iron and of scintillator.
        between_mm: air before the ECAL, and before the AHCAL.
    """

    tungsten_mm: float = 10.0
    modules: int = 10
    layers_per_module: int = 20
    cubes: tuple[int, int] = (48, 48)
    cube_mm: float = 10.0
    gap_mm: float = 40.0
    origin_mm: Vector = (0.0, 0.0, 0.0)
    ecal_towers: tuple[int, int] = (5, 5)
    ecal_face_mm: float = 480.0
    ecal_layers: int = 66
    ecal_layer_mm: tuple[float, float] = (2.0, 4.0)
    ahcal_cells: tuple[int, int, int] = (18, 18, 40)
    ahcal_cell_mm: float = 40.0
    ahcal_layer_mm: tuple[float, float] = (20.0, 3.0)
    between_mm: tuple[float, float] = (100.0, 100.0)

    @property
    def cal_shape(self) -> tuple[int, int, int]:
        """Cubes along x, y and z, without gaps."""
        return (*self.cubes, self.modules * self.layers_per_module)

    @property
    def module_mm(self) -> float:
        """Length of a module with its plate and the air behind it."""
        return self.tungsten_mm + self.layers_per_module * self.cube_mm + self.gap_mm

    @property
    def cal_mm(self) -> float:
        """Length of the 3DCal."""
        return self.modules * self.module_mm

    @property
    def centre_cm(self) -> tuple[float, float]:
        """Axis that all parts are centred on, x and y."""
        sides = zip(self.origin_mm, self.cubes, strict=False)
        x, y = ((low + cubes * self.cube_mm / 2) / 10 for low, cubes in sides)
        return x, y

    @property
    def ecal_z_mm(self) -> float:
        """Where the ECAL begins."""
        return self.origin_mm[2] + self.cal_mm + self.between_mm[0]

    @property
    def ahcal_z_mm(self) -> float:
        """Where the AHCAL begins."""
        return self.ecal_z_mm + self.ecal_layers * sum(self.ecal_layer_mm) + self.between_mm[1]

    def layers(self) -> list[Layer]:
        """Return all slabs from the front to the back."""
        module = [
            Layer(TUNGSTEN, self.tungsten_mm / 10),
            Layer(POLYSTYRENE, self.layers_per_module * self.cube_mm / 10, CAL),
            Layer(None, self.gap_mm / 10),
        ]
        ecal, ahcal = (
            [Layer(metal, sizes[0] / 10), Layer(POLYSTYRENE, sizes[1] / 10, part)]
            for metal, sizes, part in ((LEAD, self.ecal_layer_mm, ECAL), (IRON, self.ahcal_layer_mm, AHCAL))
        )
        first, second = (Layer(None, size / 10) for size in self.between_mm)
        return [
            *self.modules * module,
            first,
            *self.ecal_layers * ecal,
            second,
            *self.ahcal_cells[2] * ahcal,
        ]

    @cached_property
    def stack(self) -> Stack:
        """The layers as arrays."""
        return stack_of(self.layers(), self.origin_mm[2] / 10)

    def half_width(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return half of the edge of what stands at z (cm), cm."""
        cal, ahcal = self.cubes[0] * self.cube_mm / 20, self.ahcal_cells[0] * self.ahcal_cell_mm / 20
        return np.where(z < self.ahcal_z_mm / 10, cal, ahcal)

    def cells(
        self, part: int, x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """Return the cells of a part that points (cm) are in, those beyond its edges not at all.

        Args:
            part: `CAL`, `ECAL` or `AHCAL`.
            x: (n,).
            y: (n,).
            z: (n,), in the part along z.

        Returns:
            (n, 3) numbers along x, y and z; z of the ECAL is 0. Negative or too large ones lie outside.
        """
        if part == CAL:
            depth = z * 10 - self.origin_mm[2]
            module = np.clip(depth // self.module_mm, 0, self.modules - 1)
            layer = (depth - module * self.module_mm - self.tungsten_mm) // self.cube_mm
            number = module * self.layers_per_module + np.clip(layer, 0, self.layers_per_module - 1)
            edge, cells = self.cube_mm, self.cubes
        elif part == ECAL:
            number = np.zeros_like(z)
            edge, cells = self.ecal_face_mm / self.ecal_towers[0], self.ecal_towers
        else:
            number = (z * 10 - self.ahcal_z_mm) // sum(self.ahcal_layer_mm)
            number = np.clip(number, 0, self.ahcal_cells[2] - 1)
            edge, cells = self.ahcal_cell_mm, self.ahcal_cells[:2]
        across = [
            np.floor((place - middle) * 10 / edge + count / 2)
            for place, middle, count in zip((x, y), self.centre_cm, cells, strict=True)
        ]
        return np.stack([*across, number], axis=-1).astype(np.int64)

    def inside(self, part: int, cells: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which numbers along x and y are those of cells of a part."""
        shape = {CAL: self.cubes, ECAL: self.ecal_towers, AHCAL: self.ahcal_cells[:2]}[part]
        return np.asarray(((cells[:, :2] >= 0) & (cells[:, :2] < shape)).all(axis=1))

    def targets(self) -> tuple[list[tuple[str, float, float]], NDArray[np.float64]]:
        """Return the slabs of the 3DCal: material and z of both ends in cm, and their mass for each area."""
        found, z = [], self.origin_mm[2] / 10
        for layer in self.layers()[: 3 * self.modules]:
            if layer.material is not None:
                found.append((layer.material.name, z, z + layer.thickness))
            z += layer.thickness
        density = {"tungsten": TUNGSTEN.density, "polystyrene": POLYSTYRENE.density}
        mass = np.array([density[name] * (high - low) for name, low, high in found])
        return found, mass

    def geometry(self) -> dict[str, Any]:
        """Say what events look like, as plain data."""
        return {
            "cal_shape": list(self.cal_shape),
            "layers_per_module": self.layers_per_module,
            "cube_mm": self.cube_mm,
            "tungsten_mm": self.tungsten_mm,
            "module_mm": self.module_mm,
            "origin_mm": list(self.origin_mm),
            "ecal_shape": list(self.ecal_towers),
            "ahcal_shape": list(self.ahcal_cells),
        }
