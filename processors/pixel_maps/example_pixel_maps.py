"""Made-up events in the form of dataset rows, to try a network and its processor on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

TRACKS_PER_EVENT = 3
ENERGY_PER_PIXEL_MEV = 1.05
"""A minimum-ionising particle in 5 mm of liquid argon: 2.1 MeV/cm."""


def example_pixel_maps(views: Sequence[str], height: int, width: int, events: int) -> list[dict[str, Any]]:
    """Make events of straight tracks, the same for the same arguments; one is empty, the next has one hit.

    Returns:
        For each event and view `<view>_index`, int64 (k,), row * width + column, ascending and unique,
        and `<view>_energy`, float32 (k,), MeV.
    """
    rng = np.random.default_rng(0)
    rows = []
    for event in range(events):
        row: dict[str, Any] = {}
        for view in views:
            index = _tracks(rng, height, width)
            if event == 0 or (event == 1 and view != views[0]):
                index = index[:0]
            elif event == 1:
                index = index[:1]
            row[f"{view}_index"] = index
            row[f"{view}_energy"] = rng.gamma(4.0, ENERGY_PER_PIXEL_MEV / 4, len(index)).astype(np.float32)
        rows.append(row)
    return rows


def _tracks(rng: np.random.Generator, height: int, width: int) -> NDArray[np.int64]:
    """Pixels of straight tracks from one vertex."""
    vertex = rng.uniform(0.2, 0.8, 2) * (height, width)
    angles = rng.uniform(0, 2 * np.pi, TRACKS_PER_EVENT)
    lengths = rng.uniform(0.2, 0.6, TRACKS_PER_EVENT) * min(height, width)
    ends = vertex + lengths[:, None] * np.stack([np.sin(angles), np.cos(angles)], axis=1)
    steps = np.linspace(0, 1, 2 * max(height, width))[:, None, None]
    points = (vertex + steps * (ends - vertex)).astype(np.int64).reshape(-1, 2)
    inside = ((points >= 0) & (points < (height, width))).all(axis=1)
    return np.unique(points[inside] @ np.array([width, 1]))
