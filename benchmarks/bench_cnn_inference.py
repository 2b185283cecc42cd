"""CNN inference per event: plain eager float32 against the optimised copies, and how far they agree.

Usage: python benchmarks/bench_cnn_inference.py [--model FOLDER] [--data FILE.parquet] [--compile]

Without a model the full-size network with random weights is timed; without data, synthetic tracks.
The classes of a network with random weights mean nothing: give a trained model to judge agreement.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.modeling.fast_inference import optimize_for_inference
from nuzoo.modeling.modeling_nu_cnn import NuCnnForEventClassification
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor

VIEWS = ("xz", "yz")
SIZE = 512


def synthetic_rows(events: int) -> list[dict[str, np.ndarray]]:
    """Straight tracks from one vertex in both views."""
    rng = np.random.default_rng(0)
    return [
        {
            key: values
            for view in VIEWS
            for key, values in zip((f"{view}_index", f"{view}_energy"), synthetic_view(rng), strict=True)
        }
        for _ in range(events)
    ]


def synthetic_view(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    length = np.arange(rng.integers(20, 300))
    slopes = rng.normal(0, 0.5, (3, 1))
    rows = np.clip(256 + slopes * length, 0, SIZE - 1).astype(int)
    columns = np.clip(100 + length + 0 * slopes, 0, SIZE - 1).astype(int)
    index = np.unique(rows * SIZE + columns)
    return index.astype(np.uint32), rng.exponential(1.0, len(index)).astype(np.float32)


def milliseconds(function: Callable[[], object], repeats: int) -> float:
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


@torch.inference_mode()
def probabilities(model: nn.Module, pixel_values: Tensor) -> Tensor:
    return torch.cat([model(event[None]).logits.float().softmax(-1) for event in pixel_values])


def load(arguments: argparse.Namespace) -> tuple[NuCnnForEventClassification, Tensor]:
    if arguments.data:
        import pyarrow.parquet as pq

        rows = pq.read_table(arguments.data).slice(0, arguments.events)
    else:
        rows = synthetic_rows(arguments.events)
    if arguments.model:
        processor = NuPixelMapImageProcessor.from_pretrained(arguments.model)
        model = NuCnnForEventClassification.from_pretrained(arguments.model)
    else:
        processor = NuPixelMapImageProcessor().fit(rows)
        torch.manual_seed(0)
        model = NuCnnForEventClassification(NuCnnConfig())
    return model.eval(), processor(rows)["pixel_values"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="folder of a trained model and its processor")
    parser.add_argument("--data", help="Parquet file of events")
    parser.add_argument("--events", type=int, default=32, help="events to compare classes on")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--margins", type=int, nargs="*", default=[64])
    parser.add_argument("--compile", action="store_true", help="also time torch.compile (a minute)")
    arguments = parser.parse_args()
    model, pixel_values = load(arguments)
    variants: dict[str, nn.Module] = {
        "eager float32": model,
        "bfloat16, channels last": optimize_for_inference(model),
    }
    if arguments.compile:
        variants["the same, compiled"] = optimize_for_inference(model, compile_graph=True)
    for margin in arguments.margins:
        variants[f"the same, window with margin {margin}"] = optimize_for_inference(model, margin=margin)
    expected = probabilities(model, pixel_values)
    for name, variant in variants.items():
        got = probabilities(variant, pixel_values)
        same = (got.argmax(1) == expected.argmax(1)).float().mean().item()
        worst = (got - expected).abs().max().item()
        print(f"{name:36s} same class {same:7.2%}, largest change of a probability {worst:.4f}")
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        for batch in (1, 16):
            report_times(variants, pixel_values[:batch], threads, arguments.repeats)


@torch.inference_mode()
def report_times(variants: dict[str, nn.Module], pixel_values: Tensor, threads: int, repeats: int) -> None:
    batch = len(pixel_values)
    plain = None
    for name, variant in variants.items():
        each = milliseconds(lambda variant=variant: variant(pixel_values), repeats) / batch
        plain = each if plain is None else plain
        print(f"{threads} threads, batch {batch:2d}: {name:36s} {each:8.1f} ms/event  {plain / each:5.2f}×")


if __name__ == "__main__":
    main()
