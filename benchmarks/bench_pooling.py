"""Seconds of pooling points on the PyTorch at hand: by `segment_reduce`, as `nu_point` does, or otherwise.

Usage: python benchmarks/bench_pooling.py [--points 30000] [--channels 96]

`scatter_reduce` became many times slower on CPUs in one version of PyTorch (pytorch #183812). Forward and
backward pass, one thread, seconds of the thread.
"""

import argparse
import os
import time
from collections.abc import Callable
from statistics import median

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from torch import Tensor

Pooling = Callable[[Tensor, Tensor], Tensor]


def by_segments(rows: Tensor, sizes: Tensor) -> Tensor:
    return torch.segment_reduce(rows, "max", lengths=sizes, axis=0)


def by_scattering(rows: Tensor, sizes: Tensor) -> Tensor:
    cell = torch.repeat_interleave(sizes)[:, None].expand_as(rows)
    return rows.new_zeros(len(sizes), rows.shape[1]).scatter_reduce(0, cell, rows, "amax", include_self=False)


def by_padding(rows: Tensor, sizes: Tensor) -> Tensor:
    """The largest of eight places for each cell, most of them empty."""
    first = sizes.cumsum(0) - sizes
    place = first[:, None] + torch.arange(8)
    padded = rows[place.clamp(max=len(rows) - 1)]
    return padded.masked_fill((torch.arange(8) >= sizes[:, None])[..., None], -torch.inf).amax(1)


def seconds(pool: Pooling, rows: Tensor, sizes: Tensor) -> float:
    times = []
    for _ in range(12):
        start = time.thread_time()
        pool(rows, sizes).sum().backward()
        times.append(time.thread_time() - start)
    return median(times[2:])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=30_000)
    parser.add_argument("--channels", type=int, default=96)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    sizes = torch.randint(1, 5, (arguments.points,))
    sizes = sizes[sizes.cumsum(0) <= arguments.points]
    rows = torch.randn(int(sizes.sum()), arguments.channels, requires_grad=True)
    expected = by_segments(rows, sizes)
    sample = f"{len(rows):,} points of {arguments.channels} channels in {len(sizes):,} cells"
    print(f"torch {torch.__version__}, {sample}")
    for pool in (by_segments, by_scattering, by_padding):
        assert torch.equal(pool(rows, sizes), expected)
    ours = seconds(by_segments, rows, sizes)
    for pool in (by_scattering, by_padding):
        other = seconds(pool, rows, sizes)
        print(
            f"{ours:.4f} s by segments, {other:.4f} s {pool.__name__.replace('_', ' ')}: {ours / other:.2f} x"
        )


if __name__ == "__main__":
    main()
