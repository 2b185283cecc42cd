"""Floating-point operations of `nu_vlm` on Llama 3.2 11B Vision, for an event: four tiles, one tile, text.

Usage: python benchmarks/count_vlm_operations.py [--prefix 170] [--rest 45]

Counted by torch on tensors without content, so that neither the weights nor a GPU are needed. `--prefix` and
`--rest` are tokens of the prompt before and after the images ("physics-1" has about so many in Llama's
vocabulary). What a cache of the prefix would save is the difference to a prompt without it.
"""

import argparse
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForImageTextToText

from nuzoo.configuration.configuration_nu_vlm import LLAMA_3_2_11B_VISION, NuVlmConfig
from nuzoo.modeling.single_tile import keep_one_tile

VIEWS, EDGE, FOUR = 2, 560, 4


def base_on_meta() -> Any:
    config = NuVlmConfig(base_config=LLAMA_3_2_11B_VISION).base_config
    with torch.device("meta"):
        return AutoModelForImageTextToText.from_config(config, attn_implementation="eager").eval()


def inputs_of(tokens: int, tiles: int) -> dict[str, torch.Tensor]:
    ones = {"dtype": torch.long, "device": "meta"}
    return {
        "input_ids": torch.ones(1, tokens, **ones),
        "attention_mask": torch.ones(1, tokens, **ones),
        "pixel_values": torch.zeros(1, VIEWS, tiles, 3, EDGE, EDGE, device="meta"),
        "aspect_ratio_ids": torch.ones(1, VIEWS, **ones),
        "aspect_ratio_mask": torch.ones(1, VIEWS, tiles, **ones),
        "cross_attention_mask": torch.ones(1, tokens, VIEWS, tiles, device="meta"),
    }


@torch.no_grad()
def tera_operations(base: Any, tokens: int, tiles: int) -> float:
    with FlopCounterMode(display=False) as counter:
        base(**inputs_of(tokens, tiles), use_cache=False, logits_to_keep=1)
    return counter.get_total_flops() / 1e12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prefix", type=int, default=170)
    parser.add_argument("--rest", type=int, default=45)
    arguments = parser.parse_args()
    whole, base = arguments.prefix + arguments.rest, base_on_meta()
    four = {tokens: tera_operations(base, tokens, FOUR) for tokens in (whole, arguments.rest)}
    keep_one_tile(base)
    one = {tokens: tera_operations(base, tokens, 1) for tokens in (whole, arguments.rest)}
    for tiles, counted in ((FOUR, four), (1, one)):
        for tokens, operations in counted.items():
            print(
                f"{tiles} tile(s), prompt of {tokens:4d} tokens: {operations:7.2f} · 10¹² operations, "
                f"{operations / four[whole]:.3f} of the plain forward"
            )


if __name__ == "__main__":
    main()
