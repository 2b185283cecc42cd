"""The section `adapter` of a recipe as a `peft.LoraConfig`, checked before any work."""

from __future__ import annotations

from typing import Any

import torch

from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.training.recipe import Recipe, RecipeError


def adapter_config(recipe: Recipe) -> Any:
    """The recipe's `peft.LoraConfig`.

    It has no task type: with one, PEFT's Auto classes load the language model without its vision tower.

    Raises:
        RecipeError: An unknown field, or a value that it cannot have.
    """
    from peft import LoraConfig

    if recipe.adapter.get("task_type") is not None:
        raise RecipeError(
            f"adapter.task_type: expected none, got {recipe.adapter['task_type']!r}: PEFT would load the "
            "base without its images; leave it out"
        )
    for name in ("r", "lora_alpha"):
        value = recipe.adapter.get(name, 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise RecipeError(f"adapter.{name}: expected a whole number of 1 or more, got {value!r}")
    if not recipe.adapter.get("target_modules"):
        raise RecipeError("adapter.target_modules: expected names of layers, got none")
    try:
        return LoraConfig(**recipe.adapter)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"adapter: {error}; see peft.LoraConfig") from error


def check_adapter(recipe: Recipe, config: NuVlmConfig) -> None:
    """Refuses an adapter that does not fit the base, by attaching it to one without weights.

    Args:
        recipe: The run.
        config: Of its model.

    Raises:
        RecipeError: See `adapter_config`; or the base has no such layers.
    """
    from peft import get_peft_model

    lora = adapter_config(recipe)
    try:
        with torch.device("meta"):
            adapted = get_peft_model(NuVlmForEventClassification(config).base, lora)
    except (TypeError, ValueError, AttributeError, KeyError, NotImplementedError) as error:
        raise RecipeError(f"adapter: {' '.join(str(error).split())}; see peft.LoraConfig") from error
    wanted = recipe.adapter["target_modules"]
    layers = {part for name, _ in adapted.named_modules() for part in _endings(name)}
    if isinstance(wanted, list) and (unknown := [name for name in wanted if name not in layers]):
        raise RecipeError(
            f"adapter.target_modules: expected names of layers of the base, got {', '.join(unknown)}"
        )


def _endings(name: str) -> list[str]:
    """`a.b.c`, `b.c` and `c`."""
    parts = name.split(".")
    return [".".join(parts[start:]) for start in range(len(parts))]
