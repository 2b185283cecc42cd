"""Events per second of every event classifier in the registry, at equal maps, batch and machine.

Usage: python benchmarks/bench_event_classifiers.py [--preset tiny] [--rebin 4] [--batch 16] [--device cpu]

Weights are random: they cost the same. Processing is timed apart from the network.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch

from nuzoo.processors.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.registry import ARCHITECTURES
from nuzoo.training.event_classification import build_model
from nuzoo.training.recipe import load_recipe

HEAD = "AutoModelForImageClassification"


def seconds(function: Callable[[], object], repeats: int) -> float:
    function()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


@torch.inference_mode()
def report(model_type: str, arguments: argparse.Namespace) -> None:
    recipe = load_recipe(f"{model_type}_tiny", [f"model.preset={arguments.preset}"])
    settings = recipe.processor | {"rebin": arguments.rebin}
    processor = NuPixelMapImageProcessor(**settings, active_rms=[1.0, 1.0])
    events = processor.example_events(arguments.batch)
    model = build_model(recipe, processor).eval().to(arguments.device, getattr(torch, arguments.dtype))
    pixel_values = processor(events)["pixel_values"].to(model.device, model.dtype)

    def classify() -> object:
        return model(pixel_values).logits.cpu()

    network, processing = (
        seconds(function, arguments.repeats) for function in (classify, lambda: processor(events))
    )
    print(
        f"{model_type:8s} {arguments.preset:6s} {model.num_parameters() / 1e6:8.2f} M parameters, "
        f"images {processor.image_size}, batch {arguments.batch}: "
        f"network {arguments.batch / network:8.1f} events/s, processor {arguments.batch / processing:8.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--rebin", type=int, default=4)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for model_type, architecture in ARCHITECTURES.items():
        if HEAD in architecture.models:
            report(model_type, arguments)


if __name__ == "__main__":
    main()
