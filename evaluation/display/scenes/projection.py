"""Points of a scene projected onto a plane: energies in one cell add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.display.scenes.scene import Scene

JUST_BELOW = 1e-6
"""Fraction of a cell by which a point on the border of two may miss the upper one by rounding."""


@dataclass(frozen=True)
class Projection:
    """The cells of a plane that have points.

    Attributes:
        axes: To the right and upwards.
        middle: Of each cell, to the right and upwards, cm (k, 2).
        energy: Sum of its points, MeV (k,).
        cell: Number of the cell of each point (n,).
    """

    axes: tuple[int, int]
    middle: NDArray[np.float64]
    energy: NDArray[np.float64]
    cell: NDArray[np.int64]

    def main_class(self, codes: NDArray[np.integer[Any]], energy: NDArray[np.float64]) -> NDArray[np.int64]:
        """Find the class with most energy in each cell (k,); of equals the first.

        Args:
            codes: Class of each point (n,).
            energy: Of each point (n,).
        """
        classes = int(codes.max(initial=0)) + 1
        inside = np.bincount(
            self.cell * classes + codes, weights=energy, minlength=len(self.energy) * classes
        )
        return inside.reshape(len(self.energy), classes).argmax(axis=1)


def project(scene: Scene, axes: tuple[int, int]) -> Projection:
    """Project a scene onto the plane of two axes."""
    chosen = list(axes)
    low, pitch = scene.low[chosen], scene.pitch[chosen]
    cells = np.floor((scene.position[:, chosen] - low) / pitch + JUST_BELOW).astype(np.int64)
    distinct, cell = np.unique(cells, axis=0, return_inverse=True)
    energy = np.bincount(cell, weights=scene.energy, minlength=len(distinct)).astype(np.float64)
    return Projection(axes, low + (distinct + 0.5) * pitch, energy, cell)
