"""Files of PILArNet in the layout of larcv3, for tests that read them."""

import h5py
import numpy as np

SIDE = 768
ORIGIN, PITCH = np.array([-115.2, -115.2, -50.0]), 0.3
VERTEX = [(axis, "f8") for axis in "xyzt"]
PARTICLE = np.dtype(
    [
        *[("shape", "i4"), ("trackid", "u4"), ("pdg", "i4"), ("px", "f8"), ("py", "f8"), ("pz", "f8")],
        *[("vtx", VERTEX), ("first_step", VERTEX), ("parent_trackid", "u4")],
    ]
)
VOXEL = np.dtype([("id", "u8"), ("value", "f4")])
EXTENT = np.dtype([("first", "u8"), ("N", "u4")])
ID_EXTENT = np.dtype([("first", "u8"), ("ID", "u4"), ("N", "u4")])
META = np.dtype(
    [("valid", "?"), ("image_sizes", "f8", 3), ("number_of_voxels", "u8", 3), ("origin", "f8", 3)]
)


def track(start, number, step=(1, 0, 0)):
    return np.array(start) + np.arange(number)[:, None] * np.array(step)


def larcv_event(particles):
    """Voxels in tracks: of (shape, pdg, track, parent, start, hits, momentum), and two of no particle."""
    table = np.zeros(len(particles), PARTICLE)
    voxels, groups = [], []
    for row, (shape, pdg, number, parent, start, hits, momentum) in enumerate(particles):
        table[row]["shape"], table[row]["pdg"] = shape, pdg
        table[row]["trackid"], table[row]["parent_trackid"] = number, parent
        table[row]["px"], table[row]["py"], table[row]["pz"] = momentum
        for name in ("vtx", "first_step"):
            for axis, at in enumerate("xyz"):
                table[row][name][at] = ORIGIN[axis] + PITCH * (start[axis] + 0.5)
        voxels.append(track(start, hits))
        groups += [row] * hits
    voxels = np.concatenate([*voxels, [[5, 6, 7], [700, 3, 9]]])
    return {"particles": table, "voxels": voxels, "group": np.array([*groups, -1, -1], np.float32)}


EVENT = [
    (1, 13, 4, 4, (100, 20, 600), 40, (300.0, 0.0, 400.0)),
    (2, -11, 7, 4, (140, 20, 601), 9, (0.0, 30.0, 0.0)),
    (0, 22, 8, 4, (10, 700, 30), 4, (1.0, 0.0, 0.0)),  # four voxels are too few
    (1, 321, 9, 4, (300, 300, 300), 20, (1.0, 0.0, 0.0)),  # no kaons
    (5, 2212, 11, 9, (400, 30, 500), 20, (1.0, 0.0, 0.0)),  # no such shape
]


def write_larcv(file, events, *, backwards=False, meta=True, steps=True, sizes=(SIDE,) * 3):
    order = [2, 1, 0] if backwards else [0, 1, 2]
    file.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(file, "w") as content:
        for name in ("data", "group"):
            table = np.zeros(sum(len(each["voxels"]) for each in events), VOXEL)
            voxels = np.concatenate([each["voxels"] for each in events])[:, order]
            table["id"] = voxels @ np.array([SIDE**2, SIDE, 1])
            own = [each["group"] if name == "group" else each.get("energy") for each in events]
            table["value"] = np.concatenate(
                [
                    np.linspace(0.2, 2, len(e["voxels"])) if v is None else v
                    for v, e in zip(own, events, strict=True)
                ]
            )
            extents = np.zeros(len(events), ID_EXTENT)
            extents["N"] = [len(each["voxels"]) for each in events]
            extents["first"] = np.cumsum(extents["N"]) - extents["N"]
            content[f"Data/sparse3d_{name}_group/voxels"] = table
            content[f"Data/sparse3d_{name}_group/voxel_extents"] = extents
            if meta:
                described = np.zeros(1, META)
                described["image_sizes"], described["number_of_voxels"] = PITCH * SIDE, sizes
                described["origin"] = ORIGIN[order]
                content[f"Data/sparse3d_{name}_group/image_meta"] = described
        particles = np.concatenate([each["particles"] for each in events])
        names = [name for name in PARTICLE.names if steps or name not in ("vtx", "first_step")]
        content["Data/particle_mcst_group/particles"] = particles[names].copy()
        extents = np.zeros(len(events), EXTENT)
        extents["N"] = [len(each["particles"]) for each in events]
        extents["first"] = np.cumsum(extents["N"]) - extents["N"]
        content["Data/particle_mcst_group/extents"] = extents
    return file
