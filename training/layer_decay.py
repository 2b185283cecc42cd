"""Parameters in groups for an optimiser: deeper blocks learn faster, and not every weight decays."""

from collections import defaultdict
from typing import Any

from torch import nn
from transformers import PreTrainedModel

DECAYS = "decays"
"""Key of a group: whether its weights decay."""


def parameter_groups(
    model: PreTrainedModel, learning_rate: float, weight_decay: float, layer_decay: float
) -> list[dict[str, Any]]:
    """Sort what is learnt into groups.

    Blocks are the modules that a network names as indivisible, in their order. Biases, weights of
    normalisations, scales of layers and tokens do not decay.

    Args:
        model: The network.
        learning_rate: Of the last block, and of all that is in no block.
        weight_decay: Of what decays.
        layer_decay: Factor from each block to the one before.
    """
    rates = _rates(model, learning_rate, layer_decay)
    groups = defaultdict(list)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            block = next((block for block in rates if name.startswith(f"{block}.")), "")
            decays = parameter.ndim > 1 and not name.endswith("token")
            groups[rates.get(block, learning_rate), decays].append(parameter)
    return [
        {"params": parameters, "lr": rate, "weight_decay": weight_decay * decays, DECAYS: decays}
        for (rate, decays), parameters in groups.items()
    ]


def _rates(model: nn.Module, learning_rate: float, layer_decay: float) -> dict[str, float]:
    kinds = getattr(model, "_no_split_modules", None) or ()
    blocks = [name for name, module in model.named_modules() if type(module).__name__ in kinds]
    return {
        name: learning_rate * layer_decay ** (len(blocks) - 1 - number) for number, name in enumerate(blocks)
    }
