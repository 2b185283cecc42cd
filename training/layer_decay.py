"""Learning rates of parts of a network: deeper blocks learn faster, and not every weight decays."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from nuzoo.training.fields import Positive, RecipeError

DECAYS = "decays"
"""Key of a group: whether its weights decay."""

ENCODER = "encoder"
"""What a network calls the part of it that a pre-training teaches."""


@dataclass(frozen=True)
class Optimiser:
    """What `transformers.TrainingArguments` does not have.

    Blocks are the modules that a network names as indivisible, in its order; what is in none of them learns
    at `training.learning_rate`.

    Attributes:
        layer_decay: Factor on the learning rate from each block to the one before; of the last it is 1.
        encoder_rate: Another factor, on that of the blocks of the encoder.
    """

    layer_decay: Positive = 1.0
    encoder_rate: Positive = 1.0

    def rates_of(self, model: nn.Module, learning_rate: float) -> dict[str, float]:
        """Give the learning rate of each block by its name."""
        blocks = _blocks(model)
        return {
            name: learning_rate
            * self.layer_decay ** (len(blocks) - 1 - number)
            * (self.encoder_rate if _is_of_encoder(name) else 1.0)
            for number, name in enumerate(blocks)
        }

    def check_effect(self, model: PreTrainedModel) -> None:
        """Refuse factors that change no learning rate of a network.

        Raises:
            RecipeError: None of the blocks that a factor is for learns.
        """
        learns = {
            name: any(weight.requires_grad for weight in block.parameters())
            for name, block in _blocks(model).items()
        }
        for name, where, learning in (
            ("layer_decay", "before the last", list(learns.values())[:-1]),
            ("encoder_rate", "of an encoder", [of for block, of in learns.items() if _is_of_encoder(block)]),
        ):
            if getattr(self, name) != 1 and not any(learning):
                raise RecipeError(
                    f"optimiser.{name}: it has no effect, as no block {where} learns in this network: leave "
                    f"it out (optimiser.{name}=1)"
                )


def parameter_groups(
    model: PreTrainedModel, learning_rate: float, weight_decay: float, optimiser: Optimiser
) -> list[dict[str, Any]]:
    """Sort what is learnt into groups.

    Biases, weights of normalisations, scales of layers and tokens do not decay.

    Args:
        model: The network.
        learning_rate: Of the last block, and of all that is in no block.
        weight_decay: Of what decays.
        optimiser: Factors on the learning rate.
    """
    rates = optimiser.rates_of(model, learning_rate)
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


def _blocks(model: nn.Module) -> dict[str, nn.Module]:
    kinds = getattr(model, "_no_split_modules", None) or ()
    return {name: module for name, module in model.named_modules() if type(module).__name__ in kinds}


def _is_of_encoder(name: str) -> bool:
    return ENCODER in name.split(".")
