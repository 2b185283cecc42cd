"""Files of PILArNet-M in the layout of each version, for tests that read them."""

import h5py
import numpy as np


def pilarnet_event(clusters, *, seed=0, energy=None, voxels=None):
    """One event: rows of `clusters` are n, id, group, interaction, motif, pid; all voxels differ."""
    clusters = np.array(clusters, np.int64).reshape(-1, 6)
    number, rng = int(clusters[:, 0].sum()), np.random.default_rng(seed)
    if voxels is None:
        voxels = np.stack(np.unravel_index(rng.choice(768**3, number, replace=False), (768,) * 3), axis=-1)
    energy = rng.uniform(0.2, 3, number) if energy is None else np.asarray(energy)
    point = np.zeros((number, 8), np.float32)
    point[:, :3], point[:, 3], point[:, 4] = voxels, energy, energy
    # mass MeV, |p| GeV, vertex, primary, momentum GeV, PDG and track of the parent
    extra = np.full((len(clusters), 11), -1, np.float32)
    known = clusters[:, 2] >= 0
    extra[known, 0], extra[known, 1] = 105.66, 0.1 * clusters[known, 1]
    extra[known, 2:5] = 100 + clusters[known, 3:4]
    extra[known, 5] = clusters[known, 1] == clusters[known, 2]
    extra[known, 6:9] = [[0.3, 0, 0.4]]
    return {"point": point, "cluster": clusters, "extra": extra}


def write_pilarnet(file, events, *, cluster=6, extra=6, momenta=False, interactions=None, counts=None):
    """Write events with so many columns of `cluster` and `cluster_extra` (0 for none)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    tables = {
        "point": ([event["point"] for event in events], np.float32),
        "cluster": ([event["cluster"][:, :cluster] for event in events], np.int32),
    }
    if extra:
        tables["cluster_extra"] = ([event["extra"][:, :extra] for event in events], np.float32)
    if momenta:
        tables["cluster_extra_2"] = ([event["extra"][:, 6:] for event in events], np.float32)
    if interactions is not None:
        tables["interaction_extra"] = ([interactions] * len(events), np.float32)
    with h5py.File(file, "w") as content:
        for name, (rows, dtype) in tables.items():
            stored = content.create_dataset(name, (len(rows),), h5py.vlen_dtype(dtype))
            for index, row in enumerate(rows):
                stored[index] = np.asarray(row, dtype).reshape(-1)
    if counts is not None:
        np.save(file.with_name(f"{file.stem}_points.npy"), counts)
    return file


SMALL = [
    [3, -1, -1, -1, 4, -1],  # low-energy deposits come first
    [4, 7, 7, 2, 1, 2],  # a muon of interaction 2
    [1, 12, 12, 5, 0, 1],  # an electron: its own fragment is its smallest
    [5, 13, 12, 5, 0, 0],
    [2, 21, 20, 5, 0, 0],  # a photon without a fragment of its own number
    [6, 22, 20, 5, 3, 0],
]
