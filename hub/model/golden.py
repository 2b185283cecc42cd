"""Golden outputs: a few small events and what the network said of them when it was published."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file
from torch import Tensor
from transformers import PreTrainedModel

from nuzoo.evaluation.core.subject import QUANTISED_PARAMETERS
from nuzoo.files.modes import unlock_weights
from nuzoo.files.names import GOLDEN_FILE
from nuzoo.hub.errors import GoldenOutputError
from nuzoo.hub.model.files import auto_class_of
from nuzoo.processors.contract import EventProcessor

GOLDEN_EVENTS = 4
GOLDEN_ROWS = 512
"""Rows of an output at most, evenly taken: of hits and tokens there are thousands."""

METADATA_KEY = "golden"
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-6, torch.float16: 1e-2, torch.bfloat16: 5e-2}
"""Absolute and relative, by the type of the weights: other machines round otherwise."""

Arrays = dict[str, NDArray[Any]]


def write_golden(folder: Path, model: PreTrainedModel, processor: EventProcessor) -> None:
    """Write `test/golden.safetensors`: the processor's example events and the model's output for them.

    Columns of numbers are tensors `input/<event>/<column>`, others are in the file's metadata, as JSON.
    """
    events = processor.example_events(GOLDEN_EVENTS)
    columns = [{name: _numbers(value) for name, value in event.items()} for event in events]
    inputs = {
        f"input/{number}/{name}": array
        for number, event in enumerate(columns)
        for name, array in event.items()
        if array is not None
    }
    others = [
        {name: value for name, value in event.items() if arrays[name] is None}
        for event, arrays in zip(events, columns, strict=True)
    ]
    outputs = {f"output/{name}": values for name, values in _outputs(model, processor, events).items()}
    facts = {"auto_class": auto_class_of(model), "tolerance": tolerance_of(model), "other_columns": others}
    path = folder / GOLDEN_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {METADATA_KEY: json.dumps(facts)}  # one key: safetensors would shuffle the order of several
    save_file(inputs | outputs, path, metadata)
    unlock_weights(path.parent)


def tolerance_of(model: PreTrainedModel) -> float:
    """Give how far outputs may be from the stored ones.

    With 4-bit weights bitsandbytes computes in bfloat16 on CPUs that have it, and in float32 on others.
    """
    is_packed = any(type(parameter).__name__ in QUANTISED_PARAMETERS for parameter in model.parameters())
    return TOLERANCE[torch.bfloat16 if is_packed else model.dtype]


def check_golden(folder: Path, model: PreTrainedModel, processor: EventProcessor) -> str:
    """Recompute the golden outputs, and say how far they are from the stored ones.

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
    if reshaped := [name for name, values in expected.items() if found[name].shape != values.shape]:
        name = reshaped[-1]
        raise GoldenOutputError(
            f"{name} of the example events should have shape {expected[name].shape}, it has "
            f"{found[name].shape}: processor or libraries are not those of the publication"
        )
    tolerance = tolerance_of(model)
    farthest = 0.0
    for name, values in expected.items():
        deviation = np.abs(found[name] - values)
        farthest = max(farthest, float(deviation.max(initial=0)))
        if not (deviation <= tolerance * (1 + np.abs(values))).all():
            raise GoldenOutputError(
                f"{name} of the example events is {float(deviation.max()):.2g} from what was published, "
                f"more than {tolerance:g} ({model.dtype}): weights, processor or libraries are not those of "
                "the publication"
            )
    return f"largest deviation {farthest:.1g}, tolerance {tolerance:g} for {model.dtype}"


def read_golden(path: Path) -> tuple[list[dict[str, Any]], Arrays]:
    """Read golden outputs: the events, as rows, and the outputs by name.

    Raises:
        GoldenOutputError: The file cannot be read.
    """
    try:
        with safe_open(path, "np") as stored:
            facts = json.loads((stored.metadata() or {}).get(METADATA_KEY, "{}"))
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (no mapping)
    except Exception as error:  # safetensors has one exception of its own, and raises those of files
        raise GoldenOutputError(f"{GOLDEN_FILE} cannot be read: {error}; publish the model again") from error
    events: dict[int, dict[str, Any]] = dict(enumerate(facts.get("other_columns", [])))
    outputs = {}
    for name, array in arrays.items():
        kind, _, rest = name.partition("/")
        if kind == "output":
            outputs[rest] = array
        else:
            number, _, column = rest.partition("/")
            events.setdefault(int(number), {})[column] = array
    return [events[number] for number in sorted(events)], outputs


def _numbers(value: object) -> NDArray[Any] | None:
    """Take a column of an event for an array; None of text, of what is not known, and of lists in lists."""
    try:
        array = np.array(value, order="C")
    except ValueError:  # lists of several lengths
        return None
    return array if array.dtype.kind in "biuf" else None


def _outputs(
    model: PreTrainedModel, processor: EventProcessor, events: Sequence[Mapping[str, Any]]
) -> Arrays:
    with torch.no_grad():
        outputs = model.eval()(**processor(list(events)).to(model.device))
    return {
        name: _thinned(value.float()).cpu().contiguous().numpy()
        for name, value in outputs.items()
        if isinstance(value, Tensor)
    }


def _thinned(values: Tensor) -> Tensor:
    return values[:: max(1, -(-len(values) // GOLDEN_ROWS))] if values.dim() else values
