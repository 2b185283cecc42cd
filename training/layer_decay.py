"""Learning rates of parts of a network: deeper blocks learn faster, and not every weight decays."""

from collections import defaultdict
from dataclasses import dataclass
from math import prod
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from nuzoo.modeling.transfer import Transfer
from nuzoo.training.fields import Positive, RecipeError

DECAYS = "decays"
"""Key of a group: whether its weights decay."""

ENCODER = "encoder"
"""What a network calls the part of it that a pre-training teaches."""


@dataclass(frozen=True)
class Optimiser:
    """What `transformers.TrainingArguments` does not have.

    Parts are what a network names in `decay_steps`, else its blocks: the modules that it names as
    indivisible, in its order. What is in none of them learns at `training.learning_rate`.

    Attributes:
        layer_decay: Factor on the learning rate from each block to the one before; of the last it is 1. A
            network that says so puts several parts side by side, or the last one below its heads.
        encoder_rate: Another factor, on that of the blocks of the encoder.
        transfer_decay: As `layer_decay`, of what was loaded from a network of another type alone; without
            such a start it changes nothing, so that one recipe does both.
    """

    layer_decay: Positive = 1.0
    encoder_rate: Positive = 1.0
    transfer_decay: Positive = 1.0

    def rates_of(self, model: nn.Module, learning_rate: float) -> dict[str, float]:
        """Give the learning rate of each part by its name."""
        return {
            name: learning_rate
            * self.layer_decay**steps
            * (self.encoder_rate if _is_of_encoder(name) else 1.0)
            for name, steps in _steps(model).items()
        }

    def check_effect(self, model: PreTrainedModel) -> None:
        """Refuse factors that change no learning rate of a network.

        Raises:
            RecipeError: None of the blocks that a factor is for learns.
        """
        learning = {
            name: steps
            for name, steps in _steps(model).items()
            if any(of.requires_grad for parameter, of in model.named_parameters() if _is_in(parameter, name))
        }
        for name, where, found in (
            ("layer_decay", "before the last", any(learning.values())),
            ("encoder_rate", "of an encoder", any(map(_is_of_encoder, learning))),
        ):
            if getattr(self, name) != 1 and not found:
                raise RecipeError(
                    f"optimiser.{name}: it has no effect, as no block {where} learns in this network: leave "
                    f"it out (optimiser.{name}=1)"
                )


def parameter_groups(
    model: PreTrainedModel, learning_rate: float, weight_decay: float, optimiser: Optimiser
) -> list[dict[str, Any]]:
    """Sort what is learnt into groups.

    Biases, weights of normalisations, scales of layers, tokens, and modules that a network names in
    `without_decay` do not decay. A module with a `rate_factor` has that on its learning rate besides.

    Args:
        model: The network.
        learning_rate: Of the last part, and of all that is in no part.
        weight_decay: Of what decays.
        optimiser: Factors on the learning rate.
    """
    steps, loaded = _steps(model), loaded_by_transfer(model)
    rates, factors = optimiser.rates_of(model, learning_rate), _rate_factors(model)
    without_decay = {*getattr(model, "without_decay", ())}
    groups = defaultdict(list)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            part = next((part for part in rates if _is_in(name, part)), "")
            rate = rates.get(part, learning_rate) * prod(
                factor for module, factor in factors.items() if _is_in(name, module)
            )
            if name in loaded:
                rate *= optimiser.transfer_decay ** steps.get(part, 0)
            is_kept = name.endswith("token") or not without_decay.isdisjoint(name.split("."))
            decays = parameter.ndim > 1 and not is_kept
            groups[rate, decays].append(parameter)
    return [
        {"params": parameters, "lr": rate, "weight_decay": weight_decay * decays, DECAYS: decays}
        for (rate, decays), parameters in groups.items()
    ]


def needs_groups(model: nn.Module, optimiser: Optimiser) -> bool:
    """Tell whether parts of a network learn at rates of their own."""
    return optimiser != Optimiser() or bool(_rate_factors(model))


def _steps(model: nn.Module) -> dict[str, int]:
    """Give how often the decay of layers is taken for each part, by its name."""
    told: dict[str, int] | None = getattr(model, "decay_steps", None)
    if told is not None:
        return told
    kinds = getattr(model, "_no_split_modules", None) or ()
    blocks = [name for name, module in model.named_modules() if type(module).__name__ in kinds]
    return {name: len(blocks) - 1 - number for number, name in enumerate(blocks)}


def loaded_by_transfer(model: nn.Module) -> frozenset[str]:
    """Name the tensors of a network that were loaded from one of another type."""
    transfer: Transfer | None = getattr(model, "transfer", None)
    return frozenset(transfer.loaded if transfer else ())


def _rate_factors(model: nn.Module) -> dict[str, float]:
    return {
        name: module.rate_factor for name, module in model.named_modules() if hasattr(module, "rate_factor")
    }


def _is_in(name: str, part: str) -> bool:
    """Whether a parameter is a part, or in it; both by name."""
    return name == part or name.startswith(f"{part}.")


def _is_of_encoder(name: str) -> bool:
    return ENCODER in name.split(".")
