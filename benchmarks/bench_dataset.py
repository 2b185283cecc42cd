"""Making, storing and decoding a dataset of simulated events.

Run `python benchmarks/bench_dataset.py [events] [processes]`; it writes to a temporary folder.
"""

import resource
import sys
import tempfile
import time
import timeit
from collections import Counter
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF

import numpy as np
import pyarrow.parquet as pq
from datasets import load_dataset

from nuzoo.datasets_scripts.lartpc_pixelmaps import simulate_dataset
from nuzoo.files.events.pixel_map_events import pixel_map_schema
from nuzoo.processors.event_tables import read_hits
from nuzoo.simulation.detectors import DETECTORS, Detector

BATCH = 16


def best(action, repeats: int = 5) -> float:
    """Shortest wall time in milliseconds."""
    return min(timeit.repeat(action, number=1, repeat=repeats)) * 1e3


def column_sizes(folder: Path) -> dict[str, int]:
    """Bytes of each column, the largest first."""
    sizes: Counter[str] = Counter()
    for file in folder.glob("data/*.parquet"):
        for group in pq.read_metadata(file).to_dict()["row_groups"]:
            for column in group["columns"]:
                sizes[column["path_in_schema"].partition(".")[0]] += column["total_compressed_size"]
    return dict(sizes.most_common())


def decode(folder: Path, cache: str, detector: Detector) -> None:
    schema = pixel_map_schema(detector.geometry())
    columns = [column.name for column in schema.hits]
    stored = load_dataset(str(folder), split="train", cache_dir=cache)
    rows = stored.select_columns(columns).with_format("arrow")
    starts = range(0, len(rows) - BATCH + 1, BATCH)
    events = len(starts) * BATCH
    fetch = best(lambda: [rows[start : start + BATCH] for start in starts])
    tables = [rows[start : start + BATCH] for start in starts]
    join = best(lambda: [schema.check(read_hits(table, schema)) for table in tables])
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
            options = {"events": events, "detector": detector.name, "num_proc": processes}
            manifest = simulate_dataset(Path(folder), **options)
            spent = time.perf_counter() - begin
            size = sum(file["bytes"] for file in manifest["files"].values())
            print(
                f"{detector.name}: {events} events in {spent:.1f} s with {processes} process(es), "
                f"{size / 1e6:.1f} MB"
            )
            shares = [f"{name} {part / events:.0f}" for name, part in column_sizes(Path(folder)).items()]
            print(f"  {size / events:.0f} bytes an event: {', '.join(shares)}")
            decode(Path(folder), cache, detector)
    own, child = (resource.getrusage(who).ru_maxrss / 1024 for who in (RUSAGE_SELF, RUSAGE_CHILDREN))
    print(f"peak memory: {own:.0f} MiB, largest child {child:.0f} MiB")


if __name__ == "__main__":
    main()
