"""A network starts from parts of one of another type (arXiv 2604.07037)."""

from collections.abc import Collection, Mapping
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import PreTrainedConfig

from nuzoo.files.origin import whereabouts
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel, module_named
from nuzoo.modeling.transfer import Transfer
from nuzoo.modeling.weight_errors import WeightsError
from nuzoo.modeling.weight_files import verified_weights


def load_transfer(model: NuPreTrainedModel, origin: str, reinitialize: Collection[str] = ()) -> Transfer:
    """Load what a network of another type means by the same: tensors of parts that both have, of one shape.

    Args:
        model: the network; its `transfer` becomes the account.
        origin: folder or repository of the other network.
        reinitialize: modules that start afresh all the same.

    Returns:
        What was loaded, what starts afresh and why, and what was left.

    Raises:
        WeightsError: nothing is of the same shape; or see `verified_weights`.
        ArgumentError: a module that shall start afresh is none of the network's.
    """
    for name in reinitialize:
        module_named(model, name)
    fields = PreTrainedConfig.get_config_dict(origin)[0]
    theirs = _body_weights(origin, str(fields["model_type"]))
    prefix = "" if model.base_model is model else f"{model.base_model_prefix}."
    body: Any = model.base_model
    parts: Mapping[str, str] = body.transfers_from[fields["model_type"]]
    own = model.state_dict()
    loaded: dict[str, str] = {}
    fresh: dict[str, str] = {}
    for name, tensor in own.items():
        there = _counterpart(name.removeprefix(prefix), parts) if name.startswith(prefix) else None
        if there is None:
            fresh[name] = "it has no counterpart"
        elif any(name.startswith(f"{module}.") for module in reinitialize):
            fresh[name] = "asked for"
        elif there not in theirs:
            fresh[name] = f"{there} is not there"
        elif theirs[there].shape != tensor.shape:
            fresh[name] = f"{there} has the shape {tuple(theirs[there].shape)}, this {tuple(tensor.shape)}"
        else:
            loaded[name] = there
    _refuse_nothing(loaded, fresh, origin)
    with torch.no_grad():
        for name, there in loaded.items():
            own[name].copy_(theirs[there])
    left = tuple(name for name in theirs if name not in {*loaded.values()})
    numbers = {
        "loaded": _numbers(own, loaded),
        "fresh": _numbers(own, fresh),
        "left": _numbers(theirs, left),
    }
    model.transfer = Transfer(str(origin), str(fields["model_type"]), loaded, fresh, left, numbers)
    return model.transfer


def _body_weights(origin: str, model_type: str) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint, those of the network's body by the names that they have there."""
    read: dict[str, Tensor] = {}
    for file in verified_weights(origin, **whereabouts(origin, {})).values():
        read |= load_file(file)
    return {name.removeprefix(f"{model_type}."): tensor for name, tensor in read.items()}


def _counterpart(name: str, parts: Mapping[str, str]) -> str | None:
    for there, here in parts.items():
        if name == here or name.startswith(f"{here}."):
            return there + name.removeprefix(here)
    return None


def _refuse_nothing(loaded: Mapping[str, str], fresh: Mapping[str, str], origin: Any) -> None:
    if loaded:
        return
    reasons = [f"{name}: {why}" for name, why in fresh.items() if why != "it has no counterpart"]
    raise WeightsError(
        f"{origin}: expected tensors of the shapes of this network, got none ("
        f"{'; '.join(reasons[:3])}): take "
        "a checkpoint of the same size, or leave the sizes of model out, which are then its own"
    )


def _numbers(tensors: Mapping[str, Tensor], names: Collection[str]) -> int:
    return sum(tensors[name].numel() for name in names)
