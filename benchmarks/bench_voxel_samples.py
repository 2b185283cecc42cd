"""Processor time of samples in voxels on one core: simulation, readout, picture and Parquet.

Run `python benchmarks/bench_voxel_samples.py [events]`; it writes to temporary folders. The least of five
repetitions is told, each of other events.
"""

import sys
import tempfile
import time
from pathlib import Path

from nuzoo.datasets_scripts import lartpc_cubes, scintillator_particles

REPETITIONS = 5


def measure(simulate_dataset, events: int, seed: int) -> tuple[float, float]:
    """Processor seconds and bytes of a dataset."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.process_time()
        manifest = simulate_dataset(Path(folder), events=events, seed=seed)
        spent = time.process_time() - begin
    return spent, sum(file["bytes"] for file in manifest["files"].values())


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    for sample in (lartpc_cubes, scintillator_particles):
        measure(sample.simulate_dataset, 5, 0)
        made = [measure(sample.simulate_dataset, events, seed) for seed in range(1, 1 + REPETITIONS)]
        spent, size = min(made)
        print(
            f"{sample.NAME}: {1e3 * spent / events:.2f} ms an event, {events / spent:.0f} events/s on one "
            f"core, {size / events / 1e3:.1f} kB an event"
        )


if __name__ == "__main__":
    main()
