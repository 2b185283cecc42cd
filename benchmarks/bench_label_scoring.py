"""Classes of events from a vision-language model: scores of all labels, or a constrained beam search.

Usage: python benchmarks/bench_label_scoring.py [--size tiny] [--batch 8] [--device cpu] [--dtype float32]

Both ways have the same model, images and prompts. The search writes the fixed words of the answer and one
of the labels, as arXiv 2509.08461v4 does (there with 2 beams; with 3 none of the labels is lost). Weights
are random: they cost the same. The size "11b" is that of Llama 3.2 Vision and needs a GPU.
"""

import argparse
import json
import statistics
import timeit
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from nuzoo.configuration.configuration_nu_vlm import LLAMA_3_2_11B_VISION, TINY_MLLAMA, NuVlmConfig
from nuzoo.files.events.event_classes import EVENT_CLASSES
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.processors.vlm.tiny_base import tiny_base_processor

WORDS_OF_PROMPT = {"image_token_index": 6}
MID = {
    "model_type": "mllama",
    **WORDS_OF_PROMPT,
    "vision_config": {
        "hidden_size": 384,
        "num_hidden_layers": 8,
        "num_global_layers": 2,
        "attention_heads": 6,
        "intermediate_size": 1536,
        "vision_output_dim": 768,
        "intermediate_layers_indices": [3],
        "image_size": 224,
        "patch_size": 14,
        "max_num_tiles": 1,
        "supported_aspect_ratios": [[1, 1]],
    },
    "text_config": TINY_MLLAMA["text_config"]
    | {
        "hidden_size": 768,
        "intermediate_size": 2048,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "num_key_value_heads": 4,
        "cross_attention_layers": [3, 8],
    },
}
FULL = {
    **LLAMA_3_2_11B_VISION,
    **WORDS_OF_PROMPT,
    "text_config": {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 5},
}
SIZES = {"tiny": (TINY_MLLAMA, 64, 1), "mid": (MID, 224, 1), "11b": (FULL, 560, 4)}
"""Configuration of the base, edge of its images, tiles of an image."""


def make(size: str, device: str, dtype: torch.dtype) -> tuple[Any, NuVlmProcessor]:
    base_config, edge, tiles = SIZES[size]
    processor = NuVlmProcessor(
        tiny_base_processor([json.dumps(Prompt.of("physics-1").to_dict())], edge, tiles),
        active_rms=[1.0, 1.0],
    )
    labels = processor.label_token_ids(EVENT_CLASSES)
    config = NuVlmConfig.tiny(base_config=base_config, label_token_ids=labels)
    torch.manual_seed(0)
    torch.set_default_dtype(dtype)
    with torch.device(device):
        model = NuVlmForEventClassification(config).eval()
    torch.set_default_dtype(torch.float32)
    return model, processor


def search(model: Any, processor: NuVlmProcessor, inputs: dict[str, Tensor], beams: int) -> Tensor:
    """The class that a constrained beam search writes for each event."""
    prefix = processor.tokenizer(Prompt.of(processor.prompt).answer_prefix, add_special_tokens=False)
    first = prefix["input_ids"]
    answers = [[*first, *label] for label in processor.label_token_ids(EVENT_CLASSES)]
    prompt = inputs | {
        name: inputs[name][:, : -len(first)]
        for name in ("input_ids", "attention_mask", "cross_attention_mask")
    }
    length, end = prompt["input_ids"].shape[1], answers[0][-1]

    def allowed(_: int, tokens: Tensor) -> list[int]:
        written = tokens[length:].tolist()
        after = len(written)
        return [answer[after] for answer in answers if answer[:after] == written and answer[after:]] or [end]

    text = model.base.generate(
        **prompt,
        prefix_allowed_tokens_fn=allowed,
        num_beams=beams,
        length_penalty=0.0,
        max_new_tokens=max(map(len, answers)),
        eos_token_id=end,
        pad_token_id=0,
        do_sample=False,
    )
    found = [written[: written.index(end) + 1] for written in text[:, length:].tolist()]
    return torch.tensor([answers.index(answer) for answer in found])


def seconds(function: Callable[[], Tensor], repeats: int) -> float:
    """Median; the result is copied from the device, which waits for it."""
    function()
    return statistics.median(timeit.repeat(lambda: function().cpu(), number=1, repeat=repeats))


def peak_memory(function: Callable[[], object], device: str) -> str:
    if device != "cuda":
        return ""
    torch.cuda.reset_peak_memory_stats()
    function()
    return f", peak {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB"


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model, processor = make(arguments.size, arguments.device, getattr(torch, arguments.dtype))
    inputs = dict(processor(processor.example_events(arguments.batch)).to(arguments.device))

    def score() -> Tensor:
        return model(**inputs).logits.argmax(dim=-1).cpu()

    scored = score()
    time_of_scores = seconds(score, arguments.repeats)
    print(
        f"{model.num_parameters() / 1e6:.1f} M parameters, prompt of {inputs['input_ids'].shape[1]} tokens, "
        f"batch {arguments.batch}, {arguments.dtype} on {arguments.device}, {arguments.threads} threads"
    )
    print(
        f"scores of all labels: {arguments.batch / time_of_scores:8.2f} events/s"
        f"{peak_memory(score, arguments.device)}"
    )
    for beams in (2, 3):
        one_search = partial(search, model, processor, inputs, beams)
        same = (one_search() == scored).float().mean()
        time_of_search = seconds(one_search, arguments.repeats)
        print(
            f"search, {beams} beams:      {arguments.batch / time_of_search:8.2f} events/s"
            f"{peak_memory(one_search, arguments.device)}, "
            f"{time_of_search / time_of_scores:.1f} times as long, same class for {100 * same:.0f} %"
        )


if __name__ == "__main__":
    main()
