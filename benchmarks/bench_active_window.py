"""What an active window saves of `nu_cnn`'s time, on simulated events, beside the whole map in the same run.

Usage: python benchmarks/bench_active_window.py data/lartpc-pixelmaps [--windows 128x256 160x256] [--rebin 1]
       [--batch 8] [--preset tiny] [--repeats 5]

Plain eager float32, one thread. Weights are random: they cost the same. Whole maps and windows take turns;
the least processor time of each is told, and in which share of the events a window holds all energy but a
twentieth away from its edge, to which it adds what lies beyond.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from datasets import load_dataset

from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.training.recipe import load_recipe

LOST = 0.05
Window = tuple[int, int] | None


def window_of(text: str) -> tuple[int, int]:
    rows, columns = map(int, text.split("x"))
    return rows, columns


def seconds(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def held(whole: NuPixelMapImageProcessor, processor: NuPixelMapImageProcessor, table: Any) -> float:
    """Share of events whose energy lies in a window but for a twentieth."""
    energy = whole.energy_of(whole(table)["pixel_values"])
    row, column = processor.window_start or (0, 0)
    rows, columns = processor.image_size
    first, left = row // processor.rebin, column // processor.rebin
    seen = energy[:, :, first : first + rows, left : left + columns].sum(dim=(1, 2, 3))
    return float((seen >= (1 - LOST) * energy.sum(dim=(1, 2, 3))).float().mean())


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of a dataset of pixel maps")
    parser.add_argument("--windows", type=window_of, nargs="+", default=[(128, 256), (160, 256)])
    parser.add_argument("--rebin", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    table = load_dataset(str(arguments.data), split="train").with_format("arrow")
    events, many = table[: arguments.batch], table[:300]
    windows: list[Window] = [None, *arguments.windows]
    processors = {
        each: NuPixelMapImageProcessor(window=each, rebin=arguments.rebin).fit(many) for each in windows
    }
    recipe = load_recipe("nu_cnn_tiny", [f"model.preset={arguments.preset}"])
    model = recipe.model.build(recipe.model.config(processors[None])).eval()
    images = {each: processors[each](events)["pixel_values"] for each in windows}
    network: dict[Window, list[float]] = {each: [] for each in windows}
    processing: dict[Window, list[float]] = {each: [] for each in windows}
    for _ in range(arguments.repeats + 1):
        for each in windows:
            network[each].append(seconds(lambda each=each: model(images[each])))
            processing[each].append(seconds(lambda each=each: processors[each](events)))
    shown = {each: held(processors[None], processors[each], many) for each in windows}
    of_whole = min(network[None]), min(network[None]) + min(processing[None])
    print(f"{model.num_parameters()} parameters, batches of {arguments.batch}, rebin {arguments.rebin}")
    for each in windows:
        name = "whole map" if each is None else f"{each[0]} × {each[1]}"
        alone, both = min(network[each]), min(network[each]) + min(processing[each])
        print(
            f"{name:>12s}: network {1e3 * alone / arguments.batch:7.2f} ms an event, "
            f"{of_whole[0] / alone:5.2f} × as fast; with the processor "
            f"{1e3 * both / arguments.batch:7.2f} ms, {of_whole[1] / both:5.2f} ×; "
            f"holds {shown[each]:.2f} of the events"
        )


if __name__ == "__main__":
    main()
