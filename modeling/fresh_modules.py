"""What of a network a checkpoint of another task says nothing about, and so starts afresh."""

from collections.abc import Mapping
from typing import Any

import torch
from safetensors import safe_open
from transformers import PreTrainedConfig, PreTrainedModel

from nuzoo.modeling.weight_files import verified_weights


def modules_of_another_task(
    network: type[PreTrainedModel], config: PreTrainedConfig, origin: Any, **where: Any
) -> list[str]:
    """Name the parts of a network that start afresh from a checkpoint, if that is one of another class.

    What is around the network's body does, whatever the checkpoint calls by the same name. The body's parts
    do of which the checkpoint has no tensor. A checkpoint of the same class has to hold every tensor.

    Args:
        network: the class of the network that is to be made of the checkpoint.
        config: of that network.
        origin: Hub repository or local folder of the checkpoint.
        **where: See `nuzoo.files.origin.whereabouts`.
    """
    if not is_of_another_task(network, PreTrainedConfig.get_config_dict(origin, **where)[0]):
        return []
    held = set[str]()
    for file in verified_weights(origin, **where).values():
        with safe_open(file, framework="pt") as tensors:
            held.update(tensors.keys())
    prefix = network.base_model_prefix
    if not any(name.startswith(f"{prefix}.") for name in held):
        held = {f"{prefix}.{name}" for name in held}
    with torch.device("meta"):
        model = network(config)
    parts = {f"{prefix}.{name}": part for name, part in model.base_model.named_children()}
    heads = [name for name, part in model.named_children() if name != prefix and part.state_dict()]
    return heads + [
        name
        for name, part in parts.items()
        if (tensors := part.state_dict()) and held.isdisjoint(f"{name}.{tensor}" for tensor in tensors)
    ]


def is_of_another_task(network: type[PreTrainedModel], fields: Mapping[str, Any]) -> bool:
    """Tell whether the fields of a checkpoint's configuration name another class than this one."""
    written_by = fields.get("architectures") or [None]
    return written_by[0] not in (None, network.__name__)
