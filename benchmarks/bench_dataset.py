"""Making, storing and decoding a dataset of simulated events.

Run `python benchmarks/bench_dataset.py [events] [processes]`; it writes to a temporary folder.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from datasets import load_dataset

from nuzoo.datasets_scripts.lartpc_pixelmaps import simulate_dataset
from nuzoo.processors.pixel_maps.read_pixel_maps import MapLayout, read_pixel_maps
from nuzoo.simulation.detectors import DETECTORS, Detector

BATCH = 16


def best(action, repeats: int = 5) -> float:
    """Shortest wall time in milliseconds."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return min(times) * 1e3


def column_sizes(folder: Path) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for file in folder.glob("data/*.parquet"):
        metadata = pq.read_metadata(file)
        for group in range(metadata.num_row_groups):
            for number in range(metadata.num_columns):
                column = metadata.row_group(group).column(number)
                name = column.path_in_schema.partition(".")[0]
                sizes[name] = sizes.get(name, 0) + column.total_compressed_size
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def decode(folder: Path, cache: str, detector: Detector) -> None:
    names = tuple(view.name for view in detector.views)
    layout = MapLayout(names, detector.views[0].rows, detector.views[0].columns)
    columns = [f"{name}_{part}" for name in names for part in ("index", "energy")]
    rows = (
        load_dataset(str(folder), split="train", cache_dir=cache).select_columns(columns).with_format("arrow")
    )
    starts = range(0, len(rows) - BATCH + 1, BATCH)
    events = len(starts) * BATCH
    fetch = best(lambda: [rows[start : start + BATCH] for start in starts])
    tables = [rows[start : start + BATCH] for start in starts]
    join = best(lambda: [read_pixel_maps(table, layout) for table in tables])
    shuffled = np.random.default_rng(0).permutation(len(rows))
    random = best(lambda: [rows[shuffled[start : start + BATCH].tolist()] for start in starts], 2)
    print(
        f"  decode, batches of {BATCH}: Arrow slice {fetch / events:.4f} ms "
        f"+ CSR with checks {join / events:.4f} ms an event"
    )
    print(f"  the same in random order: Arrow take {random / events:.4f} ms an event")


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for detector in DETECTORS.values():
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
            begin = time.perf_counter()
            manifest = simulate_dataset(
                Path(folder), events=events, detector=detector.name, num_proc=processes
            )
            spent = time.perf_counter() - begin
            size = sum(file["bytes"] for file in manifest["files"].values())
            print(
                f"{detector.name}: {events} events in {spent:.1f} s with {processes} process(es), "
                f"{size / 1e6:.1f} MB"
            )
            shares = ", ".join(
                f"{name} {bytes_ / events:.0f}" for name, bytes_ in column_sizes(Path(folder)).items()
            )
            print(f"  {size / events:.0f} bytes an event: {shares}")
            decode(Path(folder), cache, detector)
    peaks = [
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    print(f"peak memory: {peaks[0]:.0f} MiB, largest child {peaks[1]:.0f} MiB")


if __name__ == "__main__":
    main()
