"""The loops of the voxels: lines of energy are shared out to cells, and families of particles are found."""

import math

import numpy as np
from numba import njit

import nuzoo.simulation.compiled  # noqa: F401


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
    first, last = (start - origin) / pitch, (end - origin) / pitch
    most = 0
    for i in range(len(energy)):
        most += 1
        for axis in range(3):
            most += abs(math.floor(last[i, axis]) - math.floor(first[i, axis]))
    voxel, line, share = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most)
    cell, slope = np.empty(3, np.int64), np.empty(3)
    k = 0
    for i in range(len(energy)):
        for axis in range(3):
            cell[axis] = math.floor(first[i, axis])
            slope[axis] = last[i, axis] - first[i, axis]
        at = 0.0
        while at < 1.0:
            crossing, across = 1.0, -1
            for axis in range(3):
                if cell[axis] != math.floor(last[i, axis]):
                    wall = (cell[axis] + (slope[axis] > 0) - first[i, axis]) / slope[axis]
                    if wall < crossing or across < 0:
                        crossing, across = min(wall, 1.0), axis
            number, inside = 0, True
            for axis in range(3):
                inside = inside and 0 <= cell[axis] < shape[axis]
                number = number * shape[axis] + cell[axis]
            if inside and crossing > at:
                voxel[k], line[k], share[k] = number, i, energy[i] * (crossing - at)
                k += 1
            if across < 0:
                break
            at = max(at, crossing)
            cell[across] += 1 if slope[across] > 0 else -1
    return voxel[:k], line[:k], share[:k]


@njit(cache=True)
def share_out(voxel, line, energy, share, shape):
    """Let each contribution leak through the six faces of its voxel; what leaves the grid is lost.

    Args:
        voxel: (c,), row-major numbers of voxels.
        line: (c,), passed on.
        energy: (c,), of the contributions.
        share: of the energy, that goes through one face.
        shape: (3,), voxels along each axis.

    Returns:
        Voxel, line and energy of each contribution: what stays, then what goes through each face.
    """
    n, k = len(voxel), len(voxel)
    to, of, part = np.empty(7 * n, np.int64), np.empty(7 * n, np.int64), np.empty(7 * n)
    to[:n], of[:n], part[:n] = voxel, line, (1 - 6 * share) * energy
    strides = (shape[1] * shape[2], shape[2], 1)
    for step in (1, -1):
        for axis in range(3):
            for i in range(n):
                beside = voxel[i] // strides[axis] % shape[axis] + step
                if 0 <= beside < shape[axis]:
                    to[k], of[k], part[k] = voxel[i] + step * strides[axis], line[i], share * energy[i]
                    k += 1
    return to[:k], of[:k], part[:k]


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


@njit(cache=True)
def most_energetic_neighbour(number, energy, is_loose, shape):
    """Find the most energetic voxel that is not loose among the 26 around each loose one.

    Args:
        number: (v,), row-major numbers of voxels, rising.
        energy: (v,), their energies.
        is_loose: (v,), whether a voxel looks for a neighbour.
        shape: (3,), voxels along each axis.

    Returns:
        (v,), row of the neighbour, -1 where there is none, and for those that do not look.
    """
    winner = np.full(len(number), -1)
    for i in range(len(number)):
        if not is_loose[i]:
            continue
        z = number[i] % shape[2]
        y = number[i] // shape[2] % shape[1]
        x = number[i] // shape[2] // shape[1]
        best = 0.0
        for nx in range(max(x - 1, 0), min(x + 2, shape[0])):
            for ny in range(max(y - 1, 0), min(y + 2, shape[1])):
                row = (nx * shape[1] + ny) * shape[2]
                at = np.searchsorted(number, row + max(z - 1, 0))
                while at < len(number) and number[at] <= row + min(z + 1, shape[2] - 1):
                    if not is_loose[at] and energy[at] > best:
                        best = energy[at]
                        winner[i] = at
                    at += 1
    return winner
