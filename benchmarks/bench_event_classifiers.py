"""Events per second of every event classifier in the registry, at equal maps, batch and machine.

Usage: python benchmarks/bench_event_classifiers.py [--preset tiny] [--rebin 4] [--batch 16] [--device cpu]

Weights are random: they cost the same. Processing is timed apart from the network. The vision-language
model has the base of its tiny recipe and no adapter; other presets leave it out (see
bench_label_scoring.py for larger ones).
"""

import argparse
import statistics
import timeit
from collections.abc import Callable
from typing import Any

import torch

from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.registry import ARCHITECTURES
from nuzoo.training.recipe import load_recipe
from nuzoo.training.vlm.tiny_pretraining import tiny_config, tiny_processor

HEAD = "AutoModelForImageClassification"
VLM = "nu_vlm"


def seconds(function: Callable[[], object], repeats: int) -> float:
    function()
    return statistics.median(timeit.repeat(function, number=1, repeat=repeats))


def make_image_model(model_type: str, preset: str, rebin: int) -> tuple[Any, Any]:
    recipe = load_recipe(f"{model_type}_tiny", [f"model.preset={preset}"])
    processor = NuPixelMapImageProcessor(**recipe.processor | {"rebin": rebin}, active_rms=[1.0, 1.0])
    return recipe.model.build(recipe.model.config(processor)), processor


def make_vlm(rebin: int) -> tuple[Any, Any]:
    recipe = load_recipe(f"{VLM}_tiny")
    config = tiny_config(recipe.pretraining)
    processor = NuVlmProcessor(
        tiny_processor(recipe.pretraining),
        prompt=recipe.prompt,
        **recipe.processor | {"rebin": rebin},
        active_rms=[1.0, 1.0],
    )
    return NuVlmForEventClassification(config), processor


@torch.inference_mode()
def report(model_type: str, arguments: argparse.Namespace) -> None:
    model, processor = (
        make_vlm(arguments.rebin)
        if model_type == VLM
        else make_image_model(model_type, arguments.preset, arguments.rebin)
    )
    model = model.eval().to(arguments.device, getattr(torch, arguments.dtype))
    events = processor.example_events(arguments.batch)
    inputs = processor(events).to(model.device)
    inputs["pixel_values"] = inputs["pixel_values"].to(model.dtype)
    network = seconds(lambda: model(**inputs).logits.cpu(), arguments.repeats)
    processing = seconds(lambda: processor(events), arguments.repeats)
    print(
        f"{model_type:8s} {arguments.preset:6s} {model.num_parameters() / 1e6:8.2f} M parameters, "
        f"maps {processor.image_size}, batch {arguments.batch}: "
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
        if HEAD in architecture.models and (model_type != VLM or arguments.preset == "tiny"):
            report(model_type, arguments)


if __name__ == "__main__":
    main()
