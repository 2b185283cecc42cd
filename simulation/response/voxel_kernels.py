"""The loops of the voxels: lines of energy are shared out to cells, and families of particles are found."""

import math

import numpy as np
from numba import njit

import nuzoo.simulation.compiled  # noqa: F401

POINTS_PER_VOXEL = 5
"""Points that stand for a line, in each shortest edge of a voxel."""


@njit(cache=True)
def _points(start, end, i, spacing):
    squared = 0.0
    for axis in range(3):
        squared += (end[i, axis] - start[i, axis]) ** 2
    return max(1, math.ceil(math.sqrt(squared) / spacing))


@njit(cache=True)
def shared_out(start, end, energy, origin, pitch, shape):
    """Share the energy of straight lines out to the voxels that they cross; what lies outside is lost.

    Args:
        start: (n, 3), where lines begin.
        end: (n, 3), where they end.
        energy: (n,), of the lines.
        origin: (3,), lower corner of the first voxel.
        pitch: (3,), edges of a voxel.
        shape: (3,), voxels along each axis.

    Returns:
        Voxel (its row-major number), line and energy of each contribution.
    """
    spacing = min(pitch[0], pitch[1], pitch[2]) / POINTS_PER_VOXEL
    most = 0
    for i in range(len(energy)):
        most += _points(start, end, i, spacing)
    voxel, line, share = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most)
    k = 0
    for i in range(len(energy)):
        points = _points(start, end, i, spacing)
        last = -1
        for j in range(points):
            along = (j + 0.5) / points
            number, inside = 0, True
            for axis in range(3):
                position = start[i, axis] + along * (end[i, axis] - start[i, axis]) - origin[axis]
                cell = math.floor(position / pitch[axis])
                inside = inside and 0 <= cell < shape[axis]
                number = number * shape[axis] + cell
            if not inside:
                continue
            if number == last:
                share[k - 1] += energy[i] / points
            else:
                voxel[k], line[k], share[k] = number, i, energy[i] / points
                k += 1
                last = number
    return voxel[:k], line[:k], share[:k]


@njit(cache=True)
def families(pdg, parent, start):
    """Find what electrons and photons come from; a particle stands after its parent.

    Args:
        pdg: (p,).
        parent: (p,), -1 for none.
        start: (p, 3).

    Returns:
        root: (p,), the first electron or photon of the shower that one belongs to; its own row of any other.
        fragment: (p,), the electron whose charge is connected with one's own: the first one of a chain of
            electrons; of a pair the first of both.
    """
    n = len(pdg)
    root, fragment = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        above = parent[i]
        charged = abs(pdg[i]) == 11
        root[i] = i
        fragment[i] = i
        if above < 0 or not (charged or pdg[i] == 22):
            continue
        if abs(pdg[above]) == 11 or pdg[above] == 22:
            root[i] = root[above]
        if charged and abs(pdg[above]) == 11:
            fragment[i] = fragment[above]
        elif charged and pdg[above] == 22 and _is_pair(pdg, parent, start, i):
            fragment[i] = fragment[i - 1]
    return root, fragment


@njit(cache=True)
def _is_pair(pdg, parent, start, i):
    if parent[i - 1] != parent[i] or pdg[i - 1] != -pdg[i]:
        return False
    same = True
    for axis in range(3):
        same = same and start[i, axis] == start[i - 1, axis]
    return same
