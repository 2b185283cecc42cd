"""Networks and inputs of any architecture, made through its own configuration and processor."""

import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nuzoo.registry import Architecture, class_name, import_object

EVENTS = 4
EMPTY, ONE_HIT = 0, 1
"""Positions of the two special events among a processor's example events."""


def unfitted_processor(architecture: Architecture) -> Any:
    """The architecture's processor in its smallest size, without statistics."""
    return architecture.processor_class().tiny(architecture.tiny_config())


def tiny_processor(architecture: Architecture) -> Any:
    """The architecture's processor in its smallest size, fitted on its own example events."""
    processor = unfitted_processor(architecture)
    return processor if processor.is_fitted else processor.fit(processor.example_events(8))


def example_inputs(processor: Any, events: list[dict[str, Any]]) -> dict[str, Tensor]:
    """What the networks of the processor's architecture take for these events."""
    return dict(processor(events))


def networks_of(architecture: Architecture) -> dict[str, str]:
    """The Auto class that loads each network, by the network's class."""
    found: dict[str, str] = {}
    for auto_class, paths in architecture.loaded.items():
        for path in paths:
            found.setdefault(class_name(path), auto_class)
    return found


def body_of(architecture: Architecture) -> str | None:
    """The class of the network without a head; None where every network has one."""
    return architecture.body and class_name(architecture.body)


def network_named(architecture: Architecture, network: str) -> Any:
    """A network's class by its name."""
    return import_object(architecture.class_paths[network])


def make_model(architecture: Architecture, network: str, seed: int = 0, **fields: Any) -> Any:
    """A freshly initialised tiny network in evaluation mode."""
    torch.manual_seed(seed)
    return network_named(architecture, network)(architecture.tiny_config(**fields)).eval()


def stirred(model: Any) -> Any:
    """The model with every tensor moved away from its initial value, a little, so that it still responds."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.02 * torch.randn_like(parameter))
        kept = model.state_dict().keys()
        for buffer in (buffer for name, buffer in model.named_buffers() if name in kept):
            moved = buffer * (1 + 0.1 * torch.rand(buffer.shape)) + 0.02 * torch.rand(buffer.shape)
            buffer.copy_(moved if buffer.is_floating_point() else buffer + 7)
    return model


def restored_buffers(model: Any) -> set[str]:
    """Buffers that are not saved, of networks of transformers, which computes its own anew."""
    return {
        f"{path}.{name}"
        for path, module in model.named_modules()
        for name in module._non_persistent_buffers_set
        if type(module).__module__.startswith("transformers.")
    }


def tensors_of(output: Any) -> list[Tensor]:
    """Every tensor of an output, in order, however nested."""

    def walk(value: Any) -> Iterator[Tensor]:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple | list | dict):
            for part in value.values() if isinstance(value, dict) else value:
                yield from walk(part)

    return list(walk(output if isinstance(output, tuple) else output.to_tuple()))


def results_of(model: Any, inputs: dict[str, Tensor], **options: Any) -> list[Tensor]:
    """Every tensor of the model's output, without gradient."""
    with torch.no_grad():
        return tensors_of(model(**inputs, **options))


def loss_of(model: Any, inputs: dict[str, Tensor]) -> Tensor:
    """A number that depends on every output."""
    return sum(tensor.float().square().mean() for tensor in tensors_of(model(**inputs)))


def by_event(results: list[Tensor], inputs: dict[str, Tensor], events: int) -> list[Tensor | None]:
    """The results that have a row an event, and the mean over each event of those that have one a hit.

    None is in place of the others.
    """
    if "offset" not in inputs:
        return [result if len(result) == events else None for result in results]
    ends = inputs["offset"].tolist()
    hits = zip([0, *ends[:-1]], ends, strict=True)
    spans = [slice(start, end) for start, end in hits]
    return [
        torch.stack([result[span].mean(0) if span.stop > span.start else 0 * result.sum(0) for span in spans])
        if len(result) == ends[-1]
        else (result if len(result) == events else None)
        for result in results
    ]


def known(results: list[Tensor | None]) -> list[Tensor]:
    """Those that there are, one at least."""
    found = [result for result in results if result is not None]
    assert found
    return found


def labels_for(inputs: dict[str, Tensor], classes: int) -> Tensor:
    """Class indices that name every class in turn: one an event, or for each of its hits its event's.

    Images of particles, beside which stands a context, have one each.
    """
    if "offset" not in inputs:
        return torch.arange(len(next(iter(inputs.values())))) % classes
    if "context" in inputs:
        return torch.arange(len(inputs["context"])) % classes
    counts = inputs["offset"].diff(prepend=torch.zeros(1, dtype=torch.long))
    return torch.repeat_interleave(torch.arange(len(counts)) % classes, counts)


def truth_for(model: Any, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """What the network can learn from: labels; of one that finds instances two of them in each event, of one
    that proposes points of interest the first point of each event, of one that reconstructs events all of it.
    """
    labels = labels_for(inputs, model.config.num_labels)
    names = inspect.signature(model.forward).parameters
    if "vertex_labels" in names:
        places = torch.linspace(-1.0, 1.0, 3 * len(labels)).view(-1, 3)
        momentum = torch.tensor([1.0, -1.0, 300.0]) * (2 + places)
        return {
            "flavour_labels": labels,
            "charm_labels": labels % len(model.config.charm_classes),
            "vis_momentum_labels": momentum,
            "jet_momentum_labels": momentum / 2,
            "vertex_labels": 100 * places,
        }
    if "keypoint_place" in names:
        counts = inputs["offset"].diff(prepend=torch.zeros(1, dtype=torch.long))
        first = (inputs["offset"] - counts)[counts > 0]
        return {
            "labels": labels[first],
            "keypoint_place": inputs["coordinates"][first],
            "keypoint_offset": (counts > 0).cumsum(0),
        }
    if "pid_labels" not in names:
        return {"labels": labels}
    side = (inputs["coordinates"][:, 0] > 0).long()
    return {"particle_labels": side, "pid_labels": (labels + side) % model.config.num_labels}


def assert_equal(first: list[Tensor], second: list[Tensor]) -> None:
    """Bit for bit, also in type and shape."""
    assert len(first) == len(second) > 0
    for one, other in zip(first, second, strict=True):
        assert one.dtype == other.dtype
        assert torch.equal(one, other)


def assert_close(first: list[Tensor], second: list[Tensor], rtol: float = 1e-4, atol: float = 1e-5) -> None:
    """Within rounding."""
    assert len(first) == len(second) > 0
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other, rtol=rtol, atol=atol)


def assert_same_weights(model: Any, other: Any) -> None:
    """Equal names and bits."""
    held, expected = model.state_dict(), other.state_dict()
    assert held.keys() == expected.keys()
    different = [name for name in held if not torch.equal(held[name], expected[name])]
    assert not different


def assert_event_agrees(together: list[Tensor | None], alone: list[Tensor | None], position: int) -> None:
    """The event at `position` of a batch has the results that it has alone; both as `by_event` gives them.

    Results whose shape depends on the company (padded ones) are left out.
    """
    pairs = [
        (batch[position : position + 1], single)
        for batch, single in zip(together, alone, strict=True)
        if batch is not None and single is not None and batch.shape[1:] == single.shape[1:]
    ]
    assert pairs
    for in_batch, single in pairs:
        torch.testing.assert_close(in_batch, single, rtol=1e-4, atol=1e-5)


def hit_columns(event: dict[str, Any], kind: type[np.generic]) -> list[str]:
    """Names of the columns of an event that hold one number of this kind for each hit."""
    return [
        name
        for name, column in event.items()
        if isinstance(column, np.ndarray) and len(column) and np.issubdtype(column.dtype, kind)
    ]


def corrupted(event: dict[str, Any], column: str, value: float) -> dict[str, Any]:
    """A copy of the event with `value` in the last hit of a column."""
    changed = event[column].copy()
    changed[-1] = value
    return event | {column: changed}


def permuted(event: dict[str, Any]) -> dict[str, Any]:
    """The same hits in another order; columns of equal length stay aligned."""
    return {
        name: column[np.random.default_rng(len(column)).permutation(len(column))]
        if isinstance(column, np.ndarray)
        else column
        for name, column in event.items()
    }
