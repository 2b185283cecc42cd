"""Rows of point clouds for tests: one that can be checked by hand, and one as events really look."""

import numpy as np

from nuzoo.files.events.point_cloud_events import MOTIFS, PARTICLE_TYPES

SHOWER, TRACK, MICHEL, DELTA, LED = range(len(MOTIFS))
PHOTON, ELECTRON, MUON, PION, PROTON, NONE = range(len(PARTICLE_TYPES))


def small_row(**changes):
    """Four hits in the cube of 3 mm voxels; the first two are one behind the other along y and z alike."""
    row = {
        "event_id": "sim-1-2",
        "source": "nuzoo-simulation test",
        "detector": "lartpc-cube-768",
        "positions": "voxel",
        "x": [100, 100, 101, 103],
        "y": [200, 210, 200, 200],
        "z": [300, 300, 300, 310],
        "energy": [1.0, 2.0, 0.5, 4.0],
        "motif": [TRACK, DELTA, TRACK, LED],
        "pid": [MUON, ELECTRON, MUON, NONE],
        "particle": [0, 1, 0, -1],
        "interaction": [0, 0, 0, -1],
        "particle_pdg": [13, 11],
        "interaction_kind": [0, 2],
        "interaction_x": [100.0, 0.0],
        "interaction_y": [200.0, 768.0],
        "interaction_z": [300.0, 0.0],
        "interaction_pdg": [14, 0],
        "interaction_neutrino_energy": [2.314, 0.0],
        "interaction_is_cc": [1, -1],
    }
    return row | changes


def without_truth(row):
    """The same hits, of which nothing is known."""
    known = ("event_id", "source", "detector", "positions", "x", "y", "z", "energy")
    return {name: value if name in known else None for name, value in row.items()}


def empty_row(**changes):
    """An event without hits, particles and interactions."""
    row = small_row()
    return {name: [] if isinstance(value, list) else value for name, value in row.items()} | changes


def event_row(seed=0, **changes):
    """A muon with a delta ray, a shower of a photon beside it, and low-energy deposits all over the cube."""
    rng = np.random.default_rng(seed)
    along = np.arange(0, 420.0)[:, None]
    muon = (150, 600, 60) + along * (0.35, -0.8, 0.95) + rng.normal(0, 0.4, (420, 3))
    delta = muon[150] + np.arange(40.0)[:, None] * (0.6, 0.3, 0.2) + rng.normal(0, 0.5, (40, 3))
    depth = rng.gamma(2.5, 25, 900)[:, None]
    shower = (330, 420, 200) + depth * (0.2, 0.5, 0.85) + rng.normal(0, 0.08, (900, 3)) * (depth + 5)
    led = rng.uniform(0, 768, (60, 3))
    groups = [(muon, TRACK, MUON, 0, 0), (delta, DELTA, ELECTRON, 1, 0), (shower, SHOWER, PHOTON, 2, 0)]
    groups.append((led, LED, NONE, -1, -1))
    voxels = np.clip(np.concatenate([group[0] for group in groups]), 0, 767).astype(np.int16)
    _, first = np.unique(voxels, axis=0, return_index=True)
    sizes = [len(group[0]) for group in groups]
    motif, pid, particle, interaction = (
        np.repeat([group[column] for group in groups], sizes)[first] for column in range(1, 5)
    )
    row = small_row(
        event_id=f"sim-{seed}-1",
        **dict(zip("xyz", voxels[first].T, strict=True)),
        energy=(0.13 + rng.exponential(0.5, len(first))).astype(np.float32),
        motif=motif,
        pid=pid,
        particle=particle.astype(np.int32),
        interaction=interaction.astype(np.int32),
        particle_pdg=[13, 11, 22],
        interaction_x=[150.0, 0.0],
        interaction_y=[600.0, 768.0],
        interaction_z=[60.0, 0.0],
    )
    return row | changes
