"""Made-up events of hits in space, in the form of dataset rows, to try a network and its processor on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.point_cloud_events import VOXEL, PointCloudGeometry

TRACKS_PER_EVENT = 3
ENERGY_PER_HIT_MEV = 0.6
"""A minimum-ionising particle in 3 mm of liquid argon: 2.1 MeV/cm."""


def example_point_clouds(layout: PointCloudGeometry, events: int) -> list[dict[str, Any]]:
    """Make events of straight tracks, the same for the same arguments; one is empty, the next has one hit.

    Returns:
        For each event `x`, `y` and `z` in the unit of its positions, no two hits in one voxel, and `energy`,
        float32, MeV.
    """
    rng = np.random.default_rng(0)
    rows = []
    for event in range(events):
        voxels = _tracks(rng, np.array(layout.shape))[: event if event < 2 else None]
        energy = rng.gamma(4.0, ENERGY_PER_HIT_MEV / 4, len(voxels)).astype(np.float32)
        positions = dict(zip("xyz", _positions(voxels, layout).T, strict=True))
        rows.append({**positions, "energy": energy})
    return rows


def _positions(voxels: NDArray[np.int64], layout: PointCloudGeometry) -> NDArray[Any]:
    if layout.positions == VOXEL:
        return voxels
    return ((voxels + 0.5) * layout.pitch_mm + layout.origin_mm).astype(np.float32)


def _tracks(rng: np.random.Generator, shape: NDArray[np.int64]) -> NDArray[np.int64]:
    """Voxels of straight tracks from one vertex, in no order."""
    vertex = rng.uniform(0.2, 0.8, 3) * shape
    directions = rng.normal(size=(TRACKS_PER_EVENT, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = rng.uniform(0.2, 0.6, (TRACKS_PER_EVENT, 1)) * shape.min()
    steps = np.linspace(0, 1, 2 * int(shape.max()))[:, None, None]
    points = np.floor(vertex + steps * lengths * directions).astype(np.int64).reshape(-1, 3)
    inside = ((points >= 0) & (points < shape)).all(axis=1)
    return rng.permutation(np.unique(points[inside], axis=0))
