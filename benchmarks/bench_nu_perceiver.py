"""Seconds of `nu_perceiver` on one thread of a CPU: beside spconv, by occupancy, and where they go.

Usage: python benchmarks/bench_nu_perceiver.py [--spconv FOLDER] [--events 200] [--parts stem occupancy ...]

Events are simulated ones of FASERCal. FOLDER is where spconv lies (`pip install --target FOLDER spconv`), if
it is not installed. Its convolutions have our weights, and the bias added outside: on CPUs it leaves it out.
What is compared takes turns, after one run that is not timed. Seconds are the thread's own, so that others do
not count; each is the median.
"""

import argparse
import importlib.util
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any
from unittest import mock

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
import torch.nn.functional as F
from bench_training import compare_trainer
from torch import Tensor

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.files.events.detector_event_columns import VOXEL_TRUTH
from nuzoo.modeling import modeling_nu_perceiver_pretraining as pretraining
from nuzoo.modeling.modeling_nu_perceiver import NuPerceiverModel
from nuzoo.modeling.modeling_nu_perceiver_pretraining import NuPerceiverForPreTraining
from nuzoo.modeling.modeling_nu_perceiver_reconstruction import NuPerceiverForEventReconstruction
from nuzoo.modeling.patch_stem import PatchConv3d, PatchStem
from nuzoo.modeling.sparse.patches import occupied_patches
from nuzoo.modeling.window_encoder import WindowEncoder
from nuzoo.processors.detector_events.detector_event_targets import CLASSES, MOMENTA, VERTEX
from nuzoo.processors.detector_events.feature_extraction_nu_detector_event import (
    NuDetectorEventFeatureExtractor,
)
from nuzoo.simulation.detectors import FASERCAL
from nuzoo.simulation.interactions.forward_beam import ForwardBeam
from nuzoo.simulation.simulate_layers import simulate_layered_event

SIZES = (300, 1_000, 3_000, 10_000, 30_000, 60_000)
BATCH, STEP_EVENTS, REPEATS = 32, 16, 5
RECONSTRUCTED = (*CLASSES, *MOMENTA, VERTEX)
Inputs = dict[str, Tensor]
Rows = Sequence[dict[str, Any]]
Processor = NuDetectorEventFeatureExtractor


def simulated(events: int) -> Rows:
    """Simulate events, with what their truth is called in a data set."""
    found = []
    for number in range(events):
        event = simulate_layered_event(1, number, FASERCAL, ForwardBeam(0.1))
        found.append(FASERCAL.readout.respond(event) | {"tau_decay_mode": 0} | made_up_targets(number))
    return found


def made_up_targets(number: int) -> dict[str, Any]:
    """Give truth whose numbers do not matter for times."""
    momentum = np.array([0.3, -0.2, 300.0 + number], np.float32)
    whole = {"flavour": number % 6, "charm": number % 4, "is_cc": 1, "is_tau": 0}
    names = ("vis_momentum", "jet_momentum", "lepton_momentum", "primary_vertex")
    return whole | dict.fromkeys(names, momentum)


def known_fields(processor: Processor) -> dict[str, Any]:
    """Give what a network takes from the processor; the constants of momenta are those of `tiny`."""
    return {name: value for name, value in processor.network_fields().items() if value is not None}


def of_size(rows: Rows, hits: int) -> dict[str, Any]:
    """Give the event whose hits are next to a number."""
    return min(rows, key=lambda row: abs(np.log(max(1, len(row["cal_x"])) / hits)))


def seconds(*functions: Callable[[], Any], repeats: int = REPEATS) -> list[float]:
    """Give the median of each, by turns."""
    taken: list[list[float]] = [[] for _ in functions]
    for _ in range(repeats + 1):
        for function, of in zip(functions, taken, strict=True):
            start = time.thread_time()
            function()
            of.append(time.thread_time() - start)
    return [statistics.median(of[1:]) for of in taken]


def tell_stem(processor: Processor, rows: Rows, folder: str | None) -> None:
    """Print the stem of the 3DCal beside spconv's, and beside the matrix products that both need."""
    if folder:
        sys.path.append(folder)
    if importlib.util.find_spec("spconv") is None:
        print("stem: spconv is not installed, nothing to compare with; see --spconv", flush=True)
        return
    import spconv.pytorch as spconv

    body = stirred(NuPerceiverModel(NuPerceiverConfig()))
    stem = body.cal_encoder.stem
    first, last = (spconv_layer(spconv, layer) for layer in (stem.first, stem.last))
    for hits in SIZES:
        compare_stem(processor([of_size(rows, hits)]), body, spconv, (first, last))


def compare_stem(batch: Inputs, body: NuPerceiverModel, spconv: Any, layers: Sequence[Any]) -> None:
    """Print both of one event."""
    grid, stem = body.cal_encoder.grid, body.cal_encoder.stem
    first, last = layers
    values, cells = batch["cal_energy"], batch["cal_coordinates"]
    event = torch.zeros(len(cells), dtype=torch.long)

    def ours() -> Any:
        patches = occupied_patches(cells, event, grid)
        return stem(values, patches), patches.window * 32 + patches.local

    def theirs() -> Any:
        where = torch.cat([event[:, None], cells], dim=1).int()
        inner = first(spconv.SparseConvTensor(values, where, list(grid.shape), 1))
        out = last(inner.replace_feature(F.gelu(stem.norm(inner.features))))
        return out.features + stem.last.bias, out.indices.long(), len(inner.features)

    with torch.inference_mode():
        own, other = seconds(ours, theirs)
        (tokens, number), (expected, where, inner) = ours(), theirs()
        _, x, y, z = where.unbind(1)
        order = torch.argsort(z // 2 * 32 + (x * 4 + y) * 2 + z % 2)
        assert (number.diff() > 0).all()
        difference = float((tokens - expected[order]).abs().max())
        products = products_of_stem(stem, inner)
        limit = seconds(products)[0]
    print(
        f"stem, {len(cells):>6} hits, {len(tokens):>3} patches: ours {own * 1e3:.2f} ms, spconv "
        f"{other * 1e3:.2f} ms = {other / own:.2f} x, differs by {difference:.1e} of "
        f"{float(expected.abs().max()):.1f}; products alone {limit * 1e3:.2f} ms",
        flush=True,
    )


def stirred(body: NuPerceiverModel) -> NuPerceiverModel:
    """Give biases that matter."""
    torch.manual_seed(0)
    torch.nn.init.normal_(body.cal_encoder.stem.last.bias)
    return body.eval()


def spconv_layer(spconv: Any, layer: PatchConv3d) -> Any:
    out, *kernel, into = layer.weight.shape
    made = spconv.SparseConv3d(into, out, kernel, stride=kernel, bias=False)
    made.weight = layer.weight
    return made.eval()


def products_of_stem(stem: PatchStem, inner: int) -> Callable[[], Any]:
    """Give the products of the second convolution: as many rows as there are, shared among its places."""
    weights = stem.last.weight.flatten(1, 3).unbind(1)
    rows = torch.randn(len(weights), -(-inner // len(weights)), stem.last.weight.shape[-1])
    return lambda: [F.linear(some, weight) for some, weight in zip(rows, weights, strict=True)]


def tell_occupancy(processor: Processor, rows: Rows) -> None:
    """Print events per second by hits of an event, and the exponent of the seconds."""
    for name in ("base", "tiny"):
        body = NuPerceiverModel(getattr(NuPerceiverConfig, name)()).eval()
        batches = [processor([of_size(rows, hits)]) for hits in SIZES]
        with torch.inference_mode():
            taken = [seconds(partial(body, **batch), repeats=3)[0] for batch in batches]
            patches = [
                len(body.find_patches(body.cal_encoder, *cal_of(batch)).patches.window) for batch in batches
            ]
        hits = [len(batch["cal_energy"]) for batch in batches]
        for of, tokens, second in zip(hits, patches, taken, strict=True):
            print(f"encoder {name}, {of:>6} hits, {tokens:>3} patches: {1 / second:.1f} events/s", flush=True)
        of_hits, of_patches = (np.polyfit(np.log(one), np.log(taken), 1)[0] for one in (hits, patches))
        print(f"encoder {name}: seconds ~ hits^{of_hits:.2f}, patches^{of_patches:.2f}", flush=True)


def cal_of(batch: Inputs) -> tuple[Tensor, Tensor, Tensor]:
    return batch["cal_coordinates"], batch["cal_energy"], batch["cal_offset"]


def tell_modules(processor: Processor, rows: Rows) -> None:
    """Print the rate of operations of blocks of modules, beside products of the same sizes."""
    batch = processor(rows[:BATCH])
    for name in ("base", "tiny"):
        compare_modules(batch, name)


def compare_modules(batch: Inputs, name: str) -> None:
    """Print those of one size of network."""
    config = getattr(NuPerceiverConfig, name)()
    body = NuPerceiverModel(config).eval()
    encoder: WindowEncoder = body.cal_encoder
    part = body.find_patches(encoder, *cal_of(batch))
    tokens = torch.randn(len(part.patches.window), config.hidden_size)
    lengths = part.occupied + encoder.class_counts(part.occupied)
    count, width = int(lengths.sum()), config.hidden_size
    hidden = int(width * config.mlp_ratio)
    weights = [torch.randn(out, width) for out in (3 * width, width, hidden)] + [torch.randn(width, hidden)]
    given = {size: torch.randn(count, size) for size in (width, hidden)}

    def dense() -> None:
        for _ in encoder.blocks:
            for weight in weights:
                F.linear(given[weight.shape[1]], weight)

    def ours() -> None:
        encoder(tokens, part.patches.window, part.windows, part.occupied)

    def in_one() -> None:
        with mock.patch("nuzoo.modeling.window_encoder.LENGTH_STEP", 1 << 20):
            ours()

    with torch.inference_mode():
        own, padded, alone = seconds(ours, in_one, dense)
    linear = 2 * count * sum(weight.numel() for weight in weights) * len(encoder.blocks)
    attention = 4 * int((lengths**2).sum()) * width * len(encoder.blocks)
    done = linear + attention
    print(
        f"modules {name}, {len(lengths)} of {BATCH} events, {count} rows: {done / own / 1e9:.0f} GFLOP/s = "
        f"{done / own / (linear / alone):.0%} of products alone ({linear / alone / 1e9:.0f}); filled up to "
        f"the longest {done / padded / 1e9:.0f} = {done / padded / (linear / alone):.0%}",
        flush=True,
    )


def tell_trainer(processor: Processor, rows: Rows) -> None:
    """Print a step of the Trainer beside a bare loop, for the tiny network that reconstructs events."""
    fields = {"per_device_train_batch_size": BATCH, "learning_rate": 2e-3, "weight_decay": 0.05}
    batch = dict(processor(rows[:BATCH], targets=RECONSTRUCTED))
    config = NuPerceiverConfig.tiny(**known_fields(processor))

    def network() -> NuPerceiverForEventReconstruction:
        torch.manual_seed(0)
        return NuPerceiverForEventReconstruction(config).train()

    bare, ours = compare_trainer(network, batch, fields, steps=15)
    print(f"training tiny: bare loop {bare:.3f} s, Trainer {ours:.3f} s = {ours / bare:.3f} x", flush=True)


def tell_pretraining(processor: Processor, rows: Rows) -> None:
    """Print where the seconds of a step of pre-training go, forwards; a part counts what is in no other."""
    batch = dict(processor(rows[:STEP_EVENTS], targets=VOXEL_TRUTH))
    config = NuPerceiverConfig.tiny(**known_fields(processor))
    torch.manual_seed(0)
    network = NuPerceiverForPreTraining(config).train()
    parts = {
        "encoder": [(network, "_hide")],
        "decoder": [(network.decoder, "forward")],
        "voxel heads": [
            (of, "forward")
            for of in (
                network.cal_head,
                network.ahcal_head,
                *network.cal_fields.values(),
                *network.ahcal_fields.values(),
            )
        ],
        "truth of voxels": [(pretraining, "voxel_truth")],
        "losses": [(pretraining, name) for name in ("voxel_losses", "ghost_loss", "share_loss")],
    }
    for with_relations in (False, True):
        given = batch | {"return_loss": True, "with_relations": with_relations}
        forward, backward = step_seconds(network, given)
        spent = Counter[str]()
        with ExitStack() as stack:
            for part, places in parts.items():
                for owner, name in places:
                    function = watched(spent, part, getattr(owner, name))
                    stack.enter_context(mock.patch.object(owner, name, function))
            for _ in range(REPEATS):
                network(**given)
        shares = ", ".join(f"{part} {spent[part] / REPEATS:.3f} s" for part in parts)
        print(
            f"pre-training tiny, {STEP_EVENTS} events, {'two passes' if with_relations else 'one pass'}: "
            f"forward {forward:.3f} s ({shares}), backward {backward:.3f} s",
            flush=True,
        )


def step_seconds(network: NuPerceiverForPreTraining, given: dict[str, Any]) -> tuple[float, float]:
    """Give the medians of the way forward and of the way back."""
    forward, backward = list[float](), list[float]()
    for _ in range(REPEATS + 1):
        start = time.thread_time()
        loss = network(**given).loss
        middle = time.thread_time()
        loss.backward()
        forward.append(middle - start)
        backward.append(time.thread_time() - middle)
        network.zero_grad()
    return statistics.median(forward[1:]), statistics.median(backward[1:])


def watched(spent: Counter[str], part: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        start = time.thread_time()
        result = function(*args, **kwargs)
        spent[part] += time.thread_time() - start
        return result

    return call


def tell_processor(processor: Processor, rows: Rows) -> None:
    """Print the seconds of the processor, without and with the truth of hits."""
    some = rows[: 2 * BATCH]
    plain, labelled = seconds(lambda: processor(some), lambda: processor(some, targets=VOXEL_TRUTH))
    hits = sum(len(row["cal_x"]) for row in some)
    print(
        f"processor, {len(some)} events, {hits} hits: {plain:.3f} s, with the truth of hits {labelled:.3f} s",
        flush=True,
    )


PARTS: dict[str, Callable[[Processor, Rows], None]] = {
    "occupancy": tell_occupancy,
    "modules": tell_modules,
    "trainer": tell_trainer,
    "pretraining": tell_pretraining,
    "processor": tell_processor,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--spconv", metavar="FOLDER", help="where spconv lies, if it is not installed")
    parser.add_argument("--events", type=int, default=200, help="to simulate")
    parser.add_argument("--parts", nargs="+", choices=("stem", *PARTS), default=["stem", *PARTS])
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = simulated(arguments.events)
    processor = Processor().fit(rows)
    if "stem" in arguments.parts:
        tell_stem(processor, rows, arguments.spconv)
    for name in PARTS:
        if name in arguments.parts:
            PARTS[name](processor, rows)


if __name__ == "__main__":
    main()
