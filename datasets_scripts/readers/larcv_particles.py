"""The particles of larcv become the columns of point clouds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.readers.fragments import places
from nuzoo.datasets_scripts.readers.larcv_order import VoxelGrid
from nuzoo.files.events.point_cloud_events import MOTIFS, NOWHERE, PARTICLE_TYPES

LEAST_VOXELS = 5
PID_OF_PDG = {22: 0, 11: 1, -11: 1, 13: 2, -13: 2, 211: 3, -211: 3, 2212: 4}
"""Number in `PARTICLE_TYPES` of the particles that count."""

_NONE = len(PARTICLE_TYPES) - 1
_LED = MOTIFS.index("led")
_START = "vtx"


def counts(group: NDArray[np.int64], particles: NDArray[Any]) -> NDArray[np.int64]:
    """Return the rows of the particles that count.

    They have five voxels or more, a shape that is a motif, and are photons, electrons, muons, charged pions
    or protons.

    Args:
        group: (n,) row of the particle of each voxel, below 0 for none.
        particles: As in the file.
    """
    voxels = np.bincount(group[(group >= 0) & (group < len(particles))], minlength=len(particles))
    shaped = (particles["shape"].astype(np.int64) >= 0) & (particles["shape"] < len(MOTIFS))
    return np.flatnonzero((voxels >= LEAST_VOXELS) & shaped & np.isin(particles["pdg"], [*PID_OF_PDG]))


def particle_columns(
    group: NDArray[np.int64],
    kept: NDArray[np.bool_],
    energy: NDArray[Any],
    particles: NDArray[Any],
    grid: VoxelGrid,
) -> Row:
    """Return the columns of truth of the hits that are kept, and of the particles that count.

    Hits of particles that do not count have their motif and type, and no particle; those of no particle are
    low-energy deposits.

    Args:
        group: (n,) row of the particle of each voxel, below 0 for none.
        kept: (n,) which hits are.
        energy: (k,) energies of those, MeV.
        particles: As in the file.
        grid: Where voxels are.
    """
    rows = counts(group, particles)
    owner = np.where(group < len(particles), group, NOWHERE)[kept]
    particle = places(rows, owner)
    pid = np.array([PID_OF_PDG.get(int(pdg), _NONE) for pdg in particles["pdg"]] + [_NONE])
    shape = particles["shape"].astype(np.int64)
    motif = np.append(np.where((shape >= 0) & (shape < len(MOTIFS)), shape, _LED), _LED)
    own, table = particle != NOWHERE, particles[rows]
    momentum = np.stack([table[f"p{axis}"] for axis in "xyz"], axis=-1).astype(np.float64)
    return {
        "motif": motif[owner],
        "pid": pid[owner],
        "particle": particle,
        "particle_pdg": table["pdg"].astype(np.int64),
        "particle_pid": pid[rows],
        **{f"particle_p{axis}": momentum[:, i] for i, axis in enumerate("xyz")},
        "particle_momentum": np.linalg.norm(momentum, axis=1),
        "particle_energy": np.bincount(particle[own], energy[own], len(rows)),
        "particle_hits": np.bincount(particle[own], minlength=len(rows)),
        **_lineage(table),
        **_starts(table, grid),
    }


def _lineage(table: NDArray[Any]) -> Row:
    """Return the row of the particle that each comes from, where tracks are numbered."""
    if not {"trackid", "parent_trackid"} <= set(table.dtype.names or ()):
        return {}
    tracks, parents = (table[name].astype(np.int64) for name in ("trackid", "parent_trackid"))
    order = np.argsort(tracks, kind="stable")
    found = places(tracks[order], parents)
    parent = np.where(found == NOWHERE, NOWHERE, order[found] if len(order) else NOWHERE)
    return {"particle_parent": np.where(tracks == parents, NOWHERE, parent)}


def _starts(table: NDArray[Any], grid: VoxelGrid) -> Row:
    starts = grid.place(table[_START]) if _START in (table.dtype.names or ()) else None
    if starts is None:
        return {}
    return {f"particle_{axis}": starts[:, i] for i, axis in enumerate("xyz")}
