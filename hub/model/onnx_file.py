"""A network as an ONNX file that needs neither nuzoo nor torch: for C++, or a trigger farm.

The file's metadata hold, under `nuzoo`, a JSON object with all that its user must know:

- `format_version`: of this object, 1.
- `nuzoo`: the version that wrote it.
- `model`: `model_type`, `network` (its class), `classes` in the order of the logits, `temperature`.
- `inputs`, `outputs`: for each by name `dtype` and `shape`; "events" stands for any number of them.
- `probabilities`: how they follow from the outputs, in words.
- `processor`: `class` of the processor, `constants`, and the `steps` from raw data to the inputs, in words.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedModel

from nuzoo import __version__
from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.hub.scratch import scratch_folder
from nuzoo.processors.contract import EventProcessor

PACKAGES = ("onnx", "onnxruntime", "onnxscript")
METADATA_KEY = "nuzoo"
FORMAT_VERSION = 1
TRACED_EVENTS, COMPARED_EVENTS = 2, 8
TOLERANCE = 1e-4
"""Of an output, absolute and relative: onnxruntime rounds otherwise than torch."""

DYNAMIC = "events"

Arrays = dict[str, NDArray[Any]]


class OnnxExportError(ValueError):
    """A network cannot be written as ONNX, or the file does not give what it gives."""


class OnnxNetwork(nn.Module):
    """A network that takes its inputs in order and gives its outputs as a tuple, as ONNX does.

    Args:
        network: in evaluation mode.
        names: of the inputs.
    """

    def __init__(self, network: PreTrainedModel, names: tuple[str, ...]):
        super().__init__()
        self.network = network
        self.names = names

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Give every output that is a tensor, in order."""
        return tuple(_tensors(self.network(**dict(zip(self.names, inputs, strict=True)))).values())


def check_packages() -> None:
    """Refuse to begin without the packages that write and run ONNX.

    Raises:
        OnnxExportError: with the command that installs them.
    """
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise OnnxExportError(
            f"expected the packages {', '.join(PACKAGES)}, got no {', '.join(missing)}: "
            "`pip install 'nuzoo[onnx]'`"
        )


def check_can_export(model: PreTrainedModel) -> None:
    """Refuse a network that is no graph of fixed inputs.

    Raises:
        OnnxExportError: it is none.
    """
    if not getattr(model, "exports_graph", False):
        raise OnnxExportError(
            f"expected a network that can be written as one graph, got {type(model).__name__} "
            f"({model.config.model_type}), which cannot: use it from Python"
        )


def export_onnx(model: PreTrainedModel, processor: EventProcessor, path: Path) -> str:
    """Write a network as an ONNX file, for batches of any number of events, if it gives what torch gives.

    It is run by onnxruntime on the processor's example events, in batches of two sizes, before the file
    takes its place. Weights of more than 2 GB lie beside it, in `<name>.data`.

    Args:
        model: the network.
        processor: its processor.
        path: the file.

    Returns:
        What was compared, in words.

    Raises:
        OnnxExportError: a package is missing, the network cannot be exported, or gives other numbers.
    """
    check_packages()
    check_can_export(model)
    model = model.eval().float().cpu()
    events = processor.example_events(COMPARED_EVENTS)
    batch = dict(processor(events))
    with torch.no_grad():
        expected = {name: value.numpy() for name, value in _tensors(model(**batch)).items()}
    with scratch_folder(path.absolute().parent) as folder:
        trial = folder / path.name
        _write(model, processor, batch, expected, trial)
        farthest = _compare(trial, batch, expected)
        for file in sorted(folder.glob(f"{path.name}*"), reverse=True):  # the weights first
            file.replace(path.parent / file.name)
    return (
        f"onnxruntime gives what torch gives on {len(events)} events, together and one by one: largest "
        f"deviation {farthest:.1g}, tolerance {TOLERANCE:g}"
    )


def describe_model(
    model: PreTrainedModel, processor: EventProcessor, inputs: Mapping[str, Tensor], outputs: Arrays
) -> dict[str, Any]:
    """Give what the metadata hold, see the module."""
    config: Any = model.config
    told: dict[str, Any] = {"model_type": config.model_type, "network": type(model).__name__}
    if classes := class_names_of(config):
        told["classes"] = classes
    if config.is_calibrated:
        told["temperature"] = config.temperature
    return {
        "format_version": FORMAT_VERSION,
        "nuzoo": __version__,
        "model": told,
        "inputs": {name: _form(value.numpy()) for name, value in inputs.items()},
        "outputs": {name: _form(value) for name, value in outputs.items()},
        "probabilities": "softmax(logits / temperature) over the classes" if config.is_calibrated else None,
        "processor": {"class": type(processor).__name__, **processor.instructions()},
    }


def _form(array: NDArray[Any]) -> dict[str, Any]:
    return {"dtype": str(array.dtype), "shape": [DYNAMIC, *array.shape[1:]]}


def _write(
    model: PreTrainedModel,
    processor: EventProcessor,
    batch: Mapping[str, Tensor],
    outputs: Arrays,
    path: Path,
) -> None:
    names = tuple(batch)
    metadata = describe_model(model, processor, batch, outputs)
    for logger in ("onnxscript", "onnx_ir", "torch.onnx"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program: Any = torch.onnx.export(
            OnnxNetwork(model, names),
            tuple(value[:TRACED_EVENTS] for value in batch.values()),
            input_names=list(names),
            output_names=list(outputs),
            dynamic_shapes=(tuple({0: torch.export.Dim(DYNAMIC, min=1)} for _ in names),),
            dynamo=True,
            verbose=False,
        )
    program.model.metadata_props[METADATA_KEY] = json.dumps(metadata)
    program.save(path)


def _compare(path: Path, batch: Mapping[str, Tensor], expected: Arrays) -> float:
    """Return the largest deviation of onnxruntime's outputs, of the batch and of each of its events.

    Raises:
        OnnxExportError: one is larger than the tolerance.
    """
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    given = {name: value.numpy() for name, value in batch.items()}
    events = range(len(next(iter(given.values()))))
    slices = [slice(None), *(slice(event, event + 1) for event in events)]
    farthest = 0.0
    for some in slices:
        found = session.run(list(expected), {name: value[some] for name, value in given.items()})
        for (name, values), result in zip(expected.items(), found, strict=True):
            deviation = np.abs(result - values[some])
            farthest = max(farthest, float(deviation.max(initial=0)))
            if not (deviation <= TOLERANCE * (1 + np.abs(values[some]))).all():
                raise OnnxExportError(
                    f"{name} of the example events: expected what torch gives within {TOLERANCE:g}, got "
                    f"{deviation.max():.2g} from it by onnxruntime: nothing was written; try other versions "
                    f"of {', '.join(PACKAGES)}"
                )
    return farthest


def _tensors(outputs: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: value for name, value in outputs.items() if isinstance(value, Tensor)}
