"""Time of the point-cloud processor per event: batches of 16 events with 4,000 hits, one thread.

Usage: python benchmarks/bench_point_cloud_processor.py [--events 16] [--hits 4000]
"""

import argparse
import statistics
import timeit
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from nuzoo.files.events.point_cloud_events import MOTIFS
from nuzoo.processors.point_clouds.feature_extraction_nu_point_cloud import NuPointCloudFeatureExtractor
from nuzoo.training.augmentation.point_clouds import PointCloudAugmentation

SIZE = 768


def synthetic_rows(events: int, hits: int, span: int = SIZE) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    return [
        {
            **{axis: rng.integers(0, span, hits).astype(np.int16) for axis in "xyz"},
            "energy": rng.exponential(0.6, hits).astype(np.float32),
            "motif": rng.integers(0, len(MOTIFS), hits),
        }
        for _ in range(events)
    ]


def milliseconds(function: Callable[[], object], repeats: int = 15) -> float:
    function()
    return 1e3 * statistics.median(timeit.repeat(function, number=1, repeat=repeats))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=16)
    parser.add_argument("--hits", type=int, default=4000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = synthetic_rows(arguments.events, arguments.hits)
    crowded = synthetic_rows(arguments.events, arguments.hits, span=20)
    table = pa.table({name: [row[name] for row in rows] for name in rows[0]})
    processor = NuPointCloudFeatureExtractor()
    panda = NuPointCloudFeatureExtractor(grid=0.001)
    robust = NuPointCloudFeatureExtractor(normalisation="robust").fit(rows)
    augment = PointCloudAugmentation(rotate=0.8, mirror=0.5, jitter_mm=0.5, drop_hits=0.1, gain=0.05)
    batch, augmented = dict(processor(rows, targets=("motif",))), augment.bound_to(processor)
    cases: dict[str, Callable[[], object]] = {
        "Arrow table": lambda: processor(table),
        "list of rows": lambda: processor(rows),
        "list of rows, with truth": lambda: processor(rows, targets=("motif",)),
        "list of rows, Panda's grid": lambda: panda(rows),
        "list of rows, robust": lambda: robust(rows),
        "list of rows, half of them merge": lambda: processor(crowded, return_inverse=True),
        "augmentation": lambda: augmented(batch),
    }
    print(f"{arguments.hits} hits in each of {arguments.events} events, 1 thread")
    for name, function in cases.items():
        print(f"{name:34s} {milliseconds(function) / arguments.events:7.3f} ms/event")


if __name__ == "__main__":
    main()
