"""Reading PILArNet-M's HDF5, converting it, and decoding the converted folder.

Run `python benchmarks/bench_point_clouds.py [events] [hits]`; it writes to a temporary folder.
"""

import sys
import tempfile
import time
import timeit
from pathlib import Path

import h5py
import numpy as np
from datasets import load_dataset

from nuzoo.datasets_scripts.pilarnet_m import convert_files
from nuzoo.datasets_scripts.readers.cloud_reading import cloud_schema
from nuzoo.datasets_scripts.readers.point_cloud_files import PointCloudFiles
from nuzoo.processors.event_tables import read_hits
from nuzoo.simulation.detectors import LARTPC_CUBE

BATCH = 16
PARTICLES = 20


def write(file: Path, events: int, hits: int) -> None:
    """Write events of tracks of equal length in the layout of version 3."""
    rng = np.random.default_rng(0)
    shape = {"point": np.float32, "cluster": np.int32, "cluster_extra": np.float32}
    with h5py.File(file, "w") as content:
        tables = {
            name: content.create_dataset(name, (events,), h5py.vlen_dtype(dtype))
            for name, dtype in shape.items()
        }
        for event in range(events):
            point = np.zeros((hits, 8), np.float32)
            voxel = np.unique(rng.integers(0, 768**3, 2 * hits))[:hits]
            point[:, :3] = np.stack(np.unravel_index(voxel, (768,) * 3), axis=-1)
            point[:, 3] = rng.exponential(0.6, hits) + 0.1
            ids = np.arange(-1, PARTICLES)
            sizes = np.diff(np.linspace(0, hits, len(ids) + 1).astype(int))
            motif, pid = np.where(ids < 0, 4, 1), np.where(ids < 0, -1, 2)
            cluster = np.stack([sizes, ids, ids, np.minimum(ids, 0), motif, pid], axis=-1)
            extra = np.tile([105.66, 0.5, 100.0, 100.0, 100.0, 1.0], (len(ids), 1))
            for name, rows in (("point", point), ("cluster", cluster), ("cluster_extra", extra)):
                tables[name][event] = rows.reshape(-1)


def best(action, repeats: int = 5) -> float:
    """Shortest wall time in milliseconds."""
    return min(timeit.repeat(action, number=1, repeat=repeats)) * 1e3


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    hits = int(sys.argv[2]) if len(sys.argv) > 2 else 4000
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        (source := Path(folder, "train")).mkdir()
        write(source / "a.h5", events, hits)
        read = best(lambda: sum(1 for _ in PointCloudFiles([source])), 3)
        print(f"{events} events of {hits} hits: reading HDF5 with all checks {read / events:.3f} ms an event")
        begin = time.perf_counter()
        convert_files(Path(folder, "out"), [source])
        spent = time.perf_counter() - begin
        size = sum(file.stat().st_size for file in Path(folder, "out", "data").iterdir())
        print(f"  converting {spent / events * 1e3:.1f} ms an event, {size / events / 1e3:.0f} kB an event")
        schema = cloud_schema(LARTPC_CUBE)
        columns = [column.name for column in schema.hits]
        stored = load_dataset(str(Path(folder, "out")), split="train", cache_dir=cache)
        rows = stored.select_columns(columns).with_format("arrow")
        starts = range(0, len(rows) - BATCH + 1, BATCH)
        decoded = len(starts) * BATCH
        fetch = best(lambda: [rows[start : start + BATCH] for start in starts])
        tables = [rows[start : start + BATCH] for start in starts]
        join = best(lambda: [schema.check(read_hits(table, schema)) for table in tables])
        print(
            f"  decode, batches of {BATCH}: Arrow slice {fetch / decoded:.4f} ms + CSR with checks "
            f"{join / decoded:.4f} ms an event"
        )


if __name__ == "__main__":
    main()
