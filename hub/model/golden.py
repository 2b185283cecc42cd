"""Golden outputs: a few small events and what the network said of them when it was published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from nuzoo.files.names import GOLDEN_FILE
from nuzoo.hub.errors import GoldenOutputError
from nuzoo.hub.model.files import auto_class_of

GOLDEN_EVENTS = 4
METADATA_KEY = "golden"
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-6, torch.float16: 1e-2, torch.bfloat16: 5e-2}
"""Absolute and relative, by the type of the weights: other machines round otherwise."""


def write_golden(folder: Path, model: Any, processor: Any) -> None:
    """Write `test/golden.safetensors`: the processor's example events and the model's output for them.

    Args:
        folder: Of the repository.
        model: The network, in evaluation mode.
        processor: Its processor, which has `example_events`.
    """
    events = processor.example_events(GOLDEN_EVENTS)
    path = folder / GOLDEN_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {"auto_class": auto_class_of(model), "tolerance": TOLERANCE[model.dtype]}
    save_file(
        _named_inputs(events) | {f"output/{k}": v for k, v in _outputs(model, processor, events).items()},
        path,
        {METADATA_KEY: json.dumps(facts)},  # one key: safetensors would shuffle the order of several
    )


def check_golden(folder: Path, model: Any, processor: Any) -> str:
    """Recompute the golden outputs.

    Returns:
        How far the outputs are from the stored ones, for people.

    Raises:
        GoldenOutputError: They differ by more than the tolerance of the weights' type, or are missing.
    """
    events, expected = read_golden(folder / GOLDEN_FILE)
    found = _outputs(model, processor, events)
    if found.keys() != expected.keys():
        raise GoldenOutputError(
            f"expected the outputs {', '.join(expected)}, got {', '.join(found)}: load the model with the "
            "class that it was published with"
        )
    tolerance = TOLERANCE[model.dtype]
    farthest = 0.0
    for name, values in expected.items():
        deviation = (found[name] - values).abs()
        farthest = max(farthest, float(deviation.max()))
        if found[name].shape != values.shape or not bool((deviation <= tolerance * (1 + values.abs())).all()):
            raise GoldenOutputError(
                f"{name} of the example events is {float(deviation.max()):.2g} from what was published, "
                f"more than {tolerance:g} ({model.dtype}): weights, processor or libraries are not those of "
                "the publication"
            )
    return f"largest deviation {farthest:.1g}, tolerance {tolerance:g} for {model.dtype}"


def read_golden(path: Path) -> tuple[list[dict[str, Any]], dict[str, Tensor]]:
    """The events, as rows, and the outputs by name.

    Raises:
        GoldenOutputError: The file cannot be read.
    """
    try:
        with safe_open(path, "pt") as stored:
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (no mapping)
    except Exception as error:  # safetensors has one exception of its own, and raises those of files
        raise GoldenOutputError(f"{GOLDEN_FILE} cannot be read: {error}; publish the model again") from error
    events: dict[int, dict[str, Any]] = {}
    outputs = {}
    for name, tensor in tensors.items():
        kind, _, rest = name.partition("/")
        if kind == "output":
            outputs[rest] = tensor
        else:
            number, _, column = rest.partition("/")
            events.setdefault(int(number), {})[column] = tensor.numpy()
    return [events[number] for number in sorted(events)], outputs


def _named_inputs(events: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
    return {
        f"input/{number}/{column}": torch.from_numpy(np.ascontiguousarray(values))
        for number, event in enumerate(events)
        for column, values in event.items()
    }


def _outputs(model: Any, processor: Any, events: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
    with torch.no_grad():
        outputs = model.eval()(**processor(list(events), return_tensors="pt").to(model.device))
    return {
        name: value.float().cpu().contiguous() for name, value in outputs.items() if isinstance(value, Tensor)
    }
