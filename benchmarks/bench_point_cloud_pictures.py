"""Processor time and size of the picture `display` of a point cloud: tracks through a cube of 768³ voxels.

Usage: python benchmarks/bench_point_cloud_pictures.py [--hits 1000 4000 20000]
"""

import argparse
import statistics
import time
import timeit

import numpy as np

from nuzoo.datasets_scripts.common.point_cloud_pictures import with_display

EDGE = 768
HITS_OF_A_TRACK = 500


def tracks(hits: int) -> dict[str, object]:
    rng = np.random.default_rng(0)
    ends = rng.uniform(0, EDGE - 1, (2, max(1, hits // HITS_OF_A_TRACK), 1, 3))
    along = np.linspace(0, 1, HITS_OF_A_TRACK)[:, None]
    places = (ends[0] + (ends[1] - ends[0]) * along).reshape(-1, 3) + rng.normal(0, 0.6, 3)
    voxels = np.clip(np.rint(places), 0, EDGE - 1).astype(np.int16)
    energy = (0.13 + rng.exponential(0.5, len(voxels))).astype(np.float32)
    row = {"detector": "lartpc-cube-768", "positions": "voxel", "energy": energy}
    return {**row, **dict(zip("xyz", voxels.T, strict=True))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hits", type=int, nargs="+", default=[1000, 4000, 20_000])
    for hits in parser.parse_args().hits:
        row = tracks(hits)
        size = len(with_display(row)["display"]["bytes"])
        times = timeit.repeat(lambda row=row: with_display(row), timer=time.process_time, number=1, repeat=51)
        middle, least = 1e3 * statistics.median(times), 1e3 * min(times)
        print(f"{hits:7,} hits: {middle:5.2f} ms/event (least {least:.2f}), {size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
