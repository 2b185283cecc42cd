"""Seconds of `nu_point` on one thread of a CPU: beside the public code, where they go, and how they grow.

Usage: python benchmarks/bench_nu_point.py [--public PANDA] [--points 1200 4700 19400] [--grid panda]

PANDA is a checkout of github.com/DeepLearnPhysics/Panda; it needs spconv and addict. Its encoder runs with an
explicit softmax, and with the bias that spconv leaves out on CPUs; both networks have the same weights. Every
event is seen once, after one that is not timed. Seconds are the thread's own, so that others do not count.
"""

import argparse
import math
import os
import re
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest import mock

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nuzoo.configuration.configuration_nu_point import HEAD_DIM, NuPointConfig
from nuzoo.modeling import modeling_nu_point
from nuzoo.modeling.modeling_nu_point import NuPointForSemanticSegmentation, NuPointModel
from nuzoo.modeling.panda_weights import from_panda
from nuzoo.modeling.point_blocks import PointPerceptron, WindowAttention
from nuzoo.modeling.sparse import point_level
from nuzoo.modeling.sparse.submanifold_convolution import SubmanifoldConv3d

VOXELS, RADIUS = 768, 768 * 3**0.5 / 2
"""Of Panda's detector, and half of its diagonal."""

PANDA_CELL = 0.001
DTYPES = ("float32", "bfloat16")
EVENTS = 4
SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
Inputs = dict[str, Tensor]
ORDERING = (
    (modeling_nu_point, "point_level"),
    (point_level, "find_neighbours"),
    (point_level.PointLevel, "windows"),
    (point_level.PointLevel, "coarser"),
)


def event(points: int, seed: int, grid: str) -> Inputs:
    """Make an event of straight tracks, four points wide, in a cube of voxels."""
    rng = np.random.default_rng(seed)
    voxels = np.zeros((0, 3), dtype=np.int64)
    while len(voxels) < points:
        direction = rng.normal(size=3)
        steps = np.arange(2 * rng.integers(40, 290)) / 2.5
        line = rng.uniform(100, 668, 3) + steps[:, None] * direction / np.linalg.norm(direction)
        line = np.rint(line + rng.normal(scale=0.7, size=line.shape)).astype(np.int64)
        voxels = np.unique(np.concatenate([voxels, line[((line >= 0) & (line < VOXELS)).all(1)]]), axis=0)
    chosen = torch.from_numpy(rng.permutation(voxels)[:points])
    coordinates = ((chosen - VOXELS / 2) / RADIUS).float()
    cells = torch.floor(coordinates / PANDA_CELL).long() if grid == "panda" else chosen
    return {
        "coordinates": coordinates,
        "energy": torch.from_numpy(rng.uniform(-1, 1, (points, 1))).float(),
        "grid_coordinates": cells - cells.amin(0),
        "offset": torch.tensor([points]),
    }


def timed(function: Callable[..., Any], *args: Any, **kwargs: Any) -> tuple[float, Any]:
    start = time.thread_time()
    result = function(*args, **kwargs)
    return time.thread_time() - start, result


def stir(network: nn.Module) -> None:
    """Give a network weights with which every part of it matters."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            spread = parameter[0].numel() ** -0.5 if parameter.ndim > 1 else 0.1
            parameter.normal_(float(parameter.ndim == 1), spread)


def bits_of(inputs: Inputs) -> int:
    """Bits of an axis that give the curves of the public code, which takes as few as an event needs."""
    needed = int(inputs["grid_coordinates"].max() + 1).bit_length()
    return needed + 3 * max(0, -(-(11 - needed) // 3))


def public_encoder(checkout: str) -> Any:
    """Build Panda's encoder, in single precision, without flash attention."""
    sys.path.insert(0, checkout)
    import spconv.pytorch as spconv
    from panda.model_base import PointTransformerV3

    convolve = spconv.SubMConv3d.forward

    def with_bias(self: Any, points: Any, add_input: None = None) -> Any:
        bias, self._parameters["bias"] = self.bias, None
        out = convolve(self, points, add_input)
        self._parameters["bias"] = bias
        return out.replace_feature(out.features + bias)

    spconv.SubMConv3d.forward = with_bias
    config = NuPointConfig()
    return PointTransformerV3(
        in_channels=config.in_channels,
        order=config.curves,
        enc_depths=config.encoder_depths,
        enc_channels=config.encoder_channels,
        enc_num_head=[width // HEAD_DIM for width in config.encoder_channels],
        enc_patch_size=[config.window_size] * len(config.encoder_depths),
        layer_scale=1.0,
        enable_flash=False,
        enc_mode=True,
    ).eval()


def compare(public: Any, points: int, grid: str) -> None:
    """Print the ratio to the public code, in two precisions, and the largest difference."""
    times: dict[str, list[float]] = defaultdict(list)
    largest, relative = Counter[str](), Counter[str]()
    for number in range(EVENTS + 1):
        inputs = event(points + number, number, grid)
        theirs = {
            "feat": torch.cat([inputs["coordinates"], inputs["energy"]], dim=1),
            "coord": inputs["coordinates"],
            "grid_coord": inputs["grid_coordinates"],
            "offset": inputs["offset"],
        }
        with torch.no_grad(), mock.patch("torch.randperm", torch.arange):
            taken, expected = timed(public, theirs)
            times["public"].append(taken)
            for dtype in DTYPES:
                taken, found = timed(encoder_of(public, bits_of(inputs), dtype), **inputs)
                times[dtype].append(taken)
                difference = found.last_hidden_state.float() - expected.feat
                largest[dtype] = max(largest[dtype], float(difference.abs().max()))
                relative[dtype] = max(relative[dtype], float(difference.norm() / expected.feat.norm()))
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    told = [
        f"{dtype} {medians[dtype]:.3f} s = {medians[dtype] / medians['public']:.2f} x, differs by "
        f"{largest[dtype]:.1e} at most, by {relative[dtype]:.1e} of all"
        for dtype in DTYPES
    ]
    print(f"{points:>7} points  public {medians['public']:.3f} s; {'; '.join(told)}", flush=True)


def encoder_of(public: Any, bits: int, dtype: str) -> NuPointModel:
    with torch.device("meta"):
        network = NuPointModel(NuPointConfig(serialization_bits=bits))
    network.load_state_dict(from_panda(public.state_dict(), network, "the public network"), assign=True)
    return network.eval().to(getattr(torch, dtype))


class Clock:
    """Seconds within calls, by name."""

    def __init__(self) -> None:
        self.spent = Counter[str]()

    def watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            taken, result = timed(function, *args, **kwargs)
            self.spent[name] += taken
            return result

        return call

    def watch(self, name: str, owner: Any, attribute: str) -> Any:
        return mock.patch.object(owner, attribute, self.watched(name, getattr(owner, attribute)))


def tell_parts(points: int, grid: str, dtype: str) -> None:
    """Print where the time goes, beside what the matrix products alone take."""
    torch.manual_seed(0)
    network = NuPointModel(NuPointConfig()).eval().to(getattr(torch, dtype))
    inputs, clock = event(points, 0, grid), Clock()
    products: list[tuple[Tensor, Tensor]] = []
    parts = {SubmanifoldConv3d: "convolution", WindowAttention: "attention", PointPerceptron: "perceptron"}
    with torch.inference_mode(), ExitStack() as stack:
        network(**inputs)
        for owner, name in ORDERING:
            stack.enter_context(clock.watch("order", owner, name))
        for module in network.modules():
            if type(module) in parts:
                stack.enter_context(clock.watch(parts[type(module)], module, "forward"))
        total, _ = timed(network, **inputs)
        clock.spent["rest"] = total - clock.spent.total()
        spent = dict(clock.spent)
        for module in network.modules():
            if isinstance(module, nn.Linear | SubmanifoldConv3d):
                module.register_forward_pre_hook(lambda *call: products.extend(products_of(*call)))
        network(**inputs)
        limit = min(timed(multiply, products)[0] for _ in range(3))
    shares = ", ".join(f"{name} {taken / total:.0%}" for name, taken in spent.items())
    operations = sum(2 * len(left) * right.numel() for left, right in products)
    print(
        f"{points:>7} points {dtype}  {total:.3f} s: {shares}; products with weights alone, "
        f"{operations / 1e9:.0f} G operations: {limit:.3f} s = {limit / total:.0%}",
        flush=True,
    )


def products_of(layer: Any, given: tuple[Any, ...]) -> list[tuple[Tensor, Tensor]]:
    """Give random rows and the weights of each product of a layer."""
    if isinstance(layer, nn.Linear):
        return [(torch.randn_like(given[0]), layer.weight)]
    rows, neighbours = given
    directions = layer.weight.flatten(1, 3).unbind(1)
    sizes = [*neighbours.sizes, len(rows), *neighbours.sizes]
    both = zip(sizes, directions, strict=True)
    return [(rows.new_ones(size, layer.in_channels), weight) for size, weight in both if size]


def multiply(products: list[tuple[Tensor, Tensor]]) -> None:
    for left, right in products:
        F.linear(left, right)


def measure_growth(points: int) -> tuple[float, float]:
    """Seconds of a step of training of the tiny network with these points, and MB that it needs."""
    torch.set_num_threads(1)
    network = NuPointForSemanticSegmentation(NuPointConfig.tiny(readout="decoder", num_labels=5)).train()
    step(network, event(300, 1, "voxel"))
    inputs = event(points, 0, "voxel")
    peak_megabytes()
    before = peak_megabytes()
    taken = min(timed(step, network, inputs)[0] for _ in range(3))
    return taken, peak_megabytes() - before


def peak_megabytes() -> float:
    """Give the most memory that the process had since this was called last."""
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    Path("/proc/self/clear_refs").write_text("5")
    return int(peak[1]) / 1024 if peak else math.nan


def step(network: nn.Module, inputs: Inputs) -> None:
    network.zero_grad()
    labels = torch.arange(len(inputs["energy"])) % 5
    network(**inputs, labels=labels).loss.backward()


def tell_growth() -> None:
    """Print time and memory of training for clouds of any size, and the exponents between."""
    context = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as pool:
        measured = list(pool.map(measure_growth, SIZES))
    for points, (taken, megabytes) in zip(SIZES, measured, strict=True):
        print(f"{points:>7} points  {taken:.3f} s and {megabytes:.0f} MB a step of training, tiny")
    logs = np.log([[points, *values] for points, values in zip(SIZES, measured, strict=True)])
    slopes = np.diff(logs[[0, -1]], axis=0)[0]
    time_exponent, memory_exponent = slopes[1:] / slopes[0]
    print(f"exponents: time {time_exponent:.2f}, memory {memory_exponent:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--public", help="checkout of Panda to compare with")
    parser.add_argument("--points", type=int, nargs="+", default=[1200, 4700, 19400])
    parser.add_argument("--grid", choices=("panda", "voxel"), default="panda")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.public:
        public = public_encoder(arguments.public)
        stir(public)
        for points in arguments.points:
            compare(public, points, arguments.grid)
    for points in arguments.points:
        for dtype in DTYPES:
            tell_parts(points, arguments.grid, dtype)
    tell_growth()


if __name__ == "__main__":
    main()
