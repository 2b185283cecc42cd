"""Time of the pixel-map processor per event: 512 × 512 pixels, two views, one thread.

Usage: python benchmarks/bench_processor.py [--events 64] [--pixels 2000]
"""

import argparse
import itertools
import statistics
import timeit
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import torch

from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor

VIEWS = ("xz", "yz")
SIZE = 512


def synthetic_rows(events: int, pixels: int) -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    rows: list[dict[str, np.ndarray]] = [{} for _ in range(events)]
    for row, view in itertools.product(rows, VIEWS):
        index = np.sort(rng.choice(SIZE * SIZE, pixels, replace=False))
        row[f"{view}_index"] = index.astype(np.uint32)
        row[f"{view}_energy"] = rng.exponential(1.0, pixels).astype(np.float32)
    return rows


def milliseconds(function: Callable[[], object], repeats: int = 15) -> float:
    function()
    return 1e3 * statistics.median(timeit.repeat(function, number=1, repeat=repeats))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=64)
    parser.add_argument("--pixels", type=int, default=2000, help="active pixels in each view")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = synthetic_rows(arguments.events, arguments.pixels)
    table = pa.table({name: [row[name] for row in rows] for name in rows[0]})
    dense = np.zeros((arguments.events, len(VIEWS), SIZE * SIZE), dtype=np.float32)
    for event, row in enumerate(rows):
        for channel, view in enumerate(VIEWS):
            dense[event, channel, row[f"{view}_index"]] = row[f"{view}_energy"]
    dense = dense.reshape(arguments.events, len(VIEWS), SIZE, SIZE)
    processor = NuPixelMapImageProcessor().fit(rows)
    rebinned = NuPixelMapImageProcessor(rebin=2).fit(rows)
    cases = {
        "Arrow table": (lambda: processor(table), len(rows)),
        "list of rows": (lambda: processor(rows), len(rows)),
        "list of rows, rebin 2": (lambda: rebinned(rows), len(rows)),
        "one row": (lambda: processor(rows[0]), 1),
        "dense array": (lambda: processor(dense), len(rows)),
    }
    print(f"{arguments.pixels} active pixels in each of {len(VIEWS)} views, {SIZE} × {SIZE}, 1 thread")
    for name, (function, events) in cases.items():
        print(f"{name:24s} {milliseconds(function) / events:7.3f} ms/event")


if __name__ == "__main__":
    main()
