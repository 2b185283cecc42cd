"""What a network is: its size, what of it is trained, how its numbers are stored, its digest."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.evaluation.core.identity import weights_digest

ADAPTER_NAMES = ("lora_", "modules_to_save.")
"""In the names of the parameters that PEFT adds."""

QUANTISED_PARAMETERS = {"Params4bit": "4-bit", "Int8Params": "8-bit"}
"""Classes of bitsandbytes."""


def describe_model(model: Any) -> dict[str, Any]:
    """Class, type, size, number format, classes and digest of a model.

    Trainable parameters are those of the adapter where there is one: loaded for inference, it is as frozen
    as the network that it adapts.
    """
    sizes = {name: parameter_size(parameter) for name, parameter in model.named_parameters()}
    adapter = [name for name in sizes if any(part in name for part in ADAPTER_NAMES)]
    trainable = adapter or [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    return {
        "class": type(model).__name__,
        "model_type": model.config.model_type,
        "parameters": sum(sizes.values()),
        "trainable_parameters": sum(sizes[name] for name in trainable),
        "adapter": bool(adapter),
        "quantisation": quantisation(model),
        "dtype": str(model.dtype).removeprefix("torch."),
        "classes": class_names_of(model.config),
        "weights_sha256": weights_digest(model),
    }


def parameter_size(parameter: nn.Parameter) -> int:
    """Numbers in a parameter; bitsandbytes packs two of 4 bit into one byte and keeps the shape apart."""
    state = getattr(parameter, "quant_state", None)
    return parameter.numel() if state is None else math.prod(state.shape)


def quantisation(model: nn.Module) -> str | None:
    """How the weights of a network, or of a network inside it, are quantised: "4-bit", "8-bit" or None."""
    kinds = {type(parameter).__name__ for parameter in model.parameters()}
    return next((bits for kind, bits in QUANTISED_PARAMETERS.items() if kind in kinds), None)
