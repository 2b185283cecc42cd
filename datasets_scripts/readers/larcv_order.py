"""In which order the voxels of larcv are numbered, as the starts of particles tell."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FIRST_STEP = "first_step"
_NEAR = 2.0
"""Voxels from its start within which a particle has one of its own."""
_TOLD_BY = 0.5
"""Share of the particles that begin near their voxels in the right order, at least."""


@dataclass(frozen=True)
class VoxelGrid:
    """A grid of voxels.

    Attributes:
        shape: Voxels along x, y and z.
        origin: (3,) lower corner; None where it is not known.
        pitch: (3,) edges of a voxel in the unit of the origin.
    """

    shape: tuple[int, ...]
    origin: NDArray[np.float64] | None = None
    pitch: NDArray[np.float64] | None = None

    @property
    def size(self) -> int:
        """Number of voxels."""
        return int(np.prod(self.shape, dtype=np.int64))

    def place(self, points: NDArray[Any]) -> NDArray[np.float64] | None:
        """Return positions in voxels, (n, 3), of structured points; None where the grid is not known."""
        if self.origin is None or self.pitch is None:
            return None
        return (np.stack([points[axis] for axis in "xyz"], axis=-1) - self.origin) / self.pitch


def decoded(ids: NDArray[np.int64], shape: Sequence[int], *, reverse: bool = False) -> NDArray[np.int64]:
    """Return (n, 3) voxels of their numbers: x is slowest as in larcv3, or z is as in larcv 1 and 2."""
    order = tuple(reversed(shape)) if reverse else tuple(shape)
    voxels = np.stack(np.unravel_index(ids, order), axis=-1)
    return voxels[:, ::-1] if reverse else voxels


def told_order(
    grid: VoxelGrid, events: Iterable[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[Any]]]
) -> bool | None:
    """Say whether z is slowest; None where nothing tells.

    Args:
        grid: Of the voxels.
        events: Voxel numbers, the row of the particle of each, and the particles.
    """
    near = {False: 0, True: 0}
    tried = 0
    for ids, particle, particles in events:
        if FIRST_STEP not in (particles.dtype.names or ()):
            return None
        starts = grid.place(particles[FIRST_STEP])
        if starts is None:
            return None
        for row, start in enumerate(starts):
            own = ids[(particle == row) & (ids >= 0) & (ids < grid.size)]
            if not len(own) or not ((start >= 0) & (start < grid.shape)).all():
                continue
            tried += 1
            for reverse in near:
                centres = decoded(own, grid.shape, reverse=reverse) + 0.5
                near[reverse] += bool(np.abs(centres - start).max(axis=1).min() <= _NEAR)
    if max(near.values()) <= _TOLD_BY * tried or near[True] == near[False]:
        return None
    return near[True] > near[False]
