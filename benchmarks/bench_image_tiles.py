"""Time of `nu_vlm` with `image_tiles=1` beside a plain forward of its base, shaped as Llama 3.2 Vision.

Usage: python benchmarks/bench_image_tiles.py [--edge 196] [--prompt plain-1] [--batch 2] [--repeats 5]

Widths are an eighth and layers a quarter of those of the 11-billion-parameter base; with the default edge an
image has an eighth of the tokens too, so that attention keeps its share. The prompt keeps its length and so
counts for more than it would. Weights are random: they cost the same. All take turns; processor time is told.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch

from nuzoo.configuration.configuration_nu_vlm import TINY_MLLAMA, NuVlmConfig
from nuzoo.files.events.event_classes import EVENT_CLASSES
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.modeling.single_tile import keep_one_tile
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.processors.vlm.tiny_base import tiny_base_processor

FOUR = 4
VISION = {
    "hidden_size": 160,
    "num_hidden_layers": 8,
    "num_global_layers": 2,
    "attention_heads": 4,
    "intermediate_size": 640,
    "vision_output_dim": 960,
    "intermediate_layers_indices": [0, 1, 3, 5, 7],
    "patch_size": 14,
    "max_num_tiles": FOUR,
    "supported_aspect_ratios": [[1, 1], [1, 2], [1, 3], [1, 4], [2, 1], [2, 2], [3, 1], [4, 1]],
}
TEXT = {
    "hidden_size": 512,
    "intermediate_size": 1792,
    "num_hidden_layers": 10,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "cross_attention_layers": [1, 6],
}


def make(edge: int, tiles: int, prompt: str) -> tuple[NuVlmForEventClassification, NuVlmProcessor]:
    words = [json.dumps(Prompt.of(prompt).to_dict())]
    base = tiny_base_processor(words, edge, tiles)
    processor = NuVlmProcessor(base, prompt=prompt, active_rms=[1.0, 1.0])
    config = deepcopy(TINY_MLLAMA)
    config["vision_config"] = VISION | {"image_size": edge}
    config["text_config"] |= TEXT
    labels = processor.label_token_ids(EVENT_CLASSES)
    torch.manual_seed(0)
    model = NuVlmForEventClassification(NuVlmConfig.tiny(base_config=config, label_token_ids=labels)).eval()
    if tiles == 1:
        keep_one_tile(model.base)
    return model, processor


def seconds(function: Callable[[], Any]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edge", type=int, default=196)
    parser.add_argument("--prompt", default="plain-1")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    ways: dict[str, Callable[[], Any]] = {}
    for tiles in (FOUR, 1):
        model, processor = make(arguments.edge, tiles, arguments.prompt)
        inputs = dict(processor(processor.example_events(arguments.batch)))
        tokens = inputs["input_ids"].shape[1]
        ways[f"{tiles} tile(s), plain forward of the base"] = lambda model=model, inputs=inputs: model.base(
            **inputs, logits_to_keep=1
        )
        ways[f"{tiles} tile(s), scores of all labels"] = lambda model=model, inputs=inputs: model(**inputs)
    times: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(arguments.repeats + 1):
        for way, function in ways.items():
            times[way].append(seconds(function))
    print(
        f"{model.num_parameters() / 1e6:.1f} M parameters, "
        f"images of {arguments.edge} pixels, prompt of {tokens} tokens"
    )
    plain = statistics.median(next(iter(times.values()))[1:])
    for way, taken in times.items():
        median = statistics.median(taken[1:])
        print(
            f"{way:40s} {1e3 * median / arguments.batch:8.1f} ms an event, {median / plain:.3f} of the first"
        )


if __name__ == "__main__":
    main()
