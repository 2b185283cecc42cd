"""What of a network a checkpoint of another task says nothing about, and so starts afresh."""

from collections.abc import Mapping
from typing import Any

import torch
from transformers import PreTrainedConfig, PreTrainedModel


def modules_of_another_task(
    network: type[PreTrainedModel], config: PreTrainedConfig, origin: Any, **where: Any
) -> list[str]:
    """Name the parts of a network that start afresh from a checkpoint, if that is one of another class.

    What is around the network's body does, whatever the checkpoint calls by the same name. The body's parts
    do which the network of the checkpoint does not have, by its configuration: tensors that it should have
    and has not are for `from_pretrained` to refuse. A checkpoint of the same class has to hold every tensor.

    Args:
        network: the class of the network that is to be made of the checkpoint.
        config: of that network.
        origin: Hub repository or local folder of the checkpoint.
        **where: See `nuzoo.files.origin.whereabouts`.
    """
    fields = PreTrainedConfig.get_config_dict(origin, **where)[0]
    if not is_of_another_task(network, fields):
        return []
    with torch.device("meta"):
        model = network(config)
        known = type(model.base_model)(type(config).from_dict(fields))
    prefix = network.base_model_prefix
    before = dict(known.named_children())
    heads = [name for name, part in model.named_children() if name != prefix and part.state_dict()]
    body = [name for name, part in model.base_model.named_children() if part.state_dict()]
    return heads + [f"{prefix}.{name}" for name in body if name not in before]


def is_of_another_task(network: type[PreTrainedModel], fields: Mapping[str, Any]) -> bool:
    """Tell whether the fields of a checkpoint's configuration name another class than this one."""
    written_by = fields.get("architectures") or [None]
    return written_by[0] not in (None, network.__name__)
