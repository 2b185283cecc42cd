"""Light that gets through the faces of cubes to the next ones: a share of a cube's own light through each.

A cube gives light to its neighbours once, of what is deposited in it: what they get is not passed on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.response.motifs import Contributions


def leaked_in_grid(light: NDArray[np.float64], axes: Sequence[int], share: float) -> NDArray[np.float64]:
    """Let light through the faces between cubes of a block; none leaves it.

    Args:
        light: Of all cubes, of any shape.
        axes: Along which neighbours touch.
        share: Through each face.
    """
    spread = light.copy()
    for axis in axes:
        ahead, behind = np.moveaxis(light, axis, 0)[1:], np.moveaxis(light, axis, 0)[:-1]
        to_ahead, to_behind = np.moveaxis(spread, axis, 0)[1:], np.moveaxis(spread, axis, 0)[:-1]
        to_behind += share * ahead
        to_ahead -= share * ahead
        to_ahead += share * behind
        to_behind -= share * behind
    return spread


def leaked(own: Contributions, shape: tuple[int, int, int], share: float) -> Contributions:
    """Let the light of each deposit through all faces of its cubes; at the walls it leaves the detector.

    Args:
        own: Light in the cubes that deposits are in.
        shape: Cubes along x, y and z.
        share: Through each face.
    """
    places = np.stack(np.unravel_index(own.voxel, shape), axis=1)
    steps = np.concatenate([np.eye(3, dtype=int), -np.eye(3, dtype=int)])
    voxel, deposit, energy = [own.voxel], [own.deposit], [(1 - len(steps) * share) * own.energy]
    for step in steps:
        beside = places + step
        held = ((beside >= 0) & (beside < shape)).all(axis=1)
        voxel.append(np.ravel_multi_index(tuple(beside[held].T), shape))
        deposit.append(own.deposit[held])
        energy.append(share * own.energy[held])
    return Contributions(np.concatenate(voxel), np.concatenate(deposit), np.concatenate(energy))
