"""Points of interest of an event, from its hits and the vertices that are known: what a network can find."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.point_cloud_events import INTERACTION_KINDS, KEYPOINT_KINDS, MOTIFS

LEAST_HITS = 5
"""Of a track that has ends: PILArNet counts particles from 5 voxels on."""

NEAR = 3.0
"""Voxels: a vertex has a hit within, and two points that are as near are one."""

HALF = 0.5
"""From the number of a voxel to its middle."""

COSMIC = INTERACTION_KINDS.index("cosmic")

Places = NDArray[np.float64]


def keypoints(
    voxels: NDArray[np.integer[Any]],
    motif: NDArray[np.integer[Any]],
    particle: NDArray[np.integer[Any]],
    vertices: Places,
) -> dict[str, NDArray[Any]]:
    """Find the vertices of an event that can be seen, and the ends of its tracks.

    A vertex can be seen where a hit lies within `NEAR`. The ends of a track are the two of its hits of motif
    track that are farthest apart: that which is farthest from the first hit, and that which is farthest from
    this one. Of points within `NEAR` of each other one is kept: a vertex, else the end of the particle that
    is listed first.

    Args:
        voxels: (hits, 3) numbers of voxels.
        motif: (hits,) numbers in `MOTIFS`.
        particle: (hits,) row of the particle, negative for none.
        vertices: (v, 3) in numbers of voxels, whose whole numbers are lower corners.

    Returns:
        The columns `keypoint_kind`, int64, and `keypoint_x`, `keypoint_y`, `keypoint_z`, float32, in numbers
        of voxels, (points,) each.
    """
    places: Places = voxels.reshape(-1, 3).astype(np.float64) + HALF
    seen = [place for place in vertices.reshape(-1, 3) if _is_near(place, places)]
    ends = [end for track in _tracks(places, motif, particle) for end in _ends(track)]
    kept: list[tuple[int, Places]] = []
    for kind, found in ((KEYPOINT_KINDS[0], seen), (KEYPOINT_KINDS[1], ends)):
        for place in found:
            if not _is_near(place, np.array([one for _, one in kept]).reshape(-1, 3)):
                kept.append((KEYPOINT_KINDS.index(kind), place))
    stacked = np.array([place for _, place in kept], dtype=np.float32).reshape(-1, 3)
    kinds = np.array([kind for kind, _ in kept], dtype=np.int64)
    return {"keypoint_kind": kinds, **{f"keypoint_{axis}": stacked[:, i] for i, axis in enumerate("xyz")}}


def keypoints_of(row: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Find the points of interest of a row of voxels that knows its hits, particles and vertices.

    The "vertex" of a cosmic muon, where it enters, is none.

    Args:
        row: with `x`, `y`, `z`, `motif`, `particle`, `interaction_x`, `interaction_y`, `interaction_z`, and
            `interaction_kind` where that is known.
    """
    voxels, vertices = (
        np.stack([np.asarray(row[f"{word}{axis}"]) for axis in "xyz"], axis=-1)
        for word in ("", "interaction_")
    )
    kind = row.get("interaction_kind")
    if kind is not None and len(kind):
        vertices = vertices[np.asarray(kind) != COSMIC]
    return keypoints(
        voxels, np.asarray(row["motif"]), np.asarray(row["particle"]), vertices.astype(np.float64)
    )


def _is_near(place: Places, others: Places) -> bool:
    return bool((((others - place) ** 2).sum(axis=1) <= NEAR**2).any())


def _tracks(places: Places, motif: NDArray[Any], particle: NDArray[Any]) -> list[Places]:
    """Give the hits of each track of enough hits, in the order of the particles."""
    chosen = np.flatnonzero((motif == MOTIFS.index("track")) & (particle >= 0))
    chosen = chosen[np.argsort(particle[chosen], kind="stable")]
    borders = np.flatnonzero(np.diff(particle[chosen])) + 1
    return [places[track] for track in np.split(chosen, borders) if len(track) >= LEAST_HITS]


def _ends(track: Places) -> tuple[Places, Places]:
    """Give the two ends of a track, (hits, 3)."""

    def farthest(place: Places) -> Places:
        end: Places = track[((track - place) ** 2).sum(axis=1).argmax()]
        return end

    first = farthest(track[0])
    return first, farthest(first)
