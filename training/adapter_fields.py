"""The section `adapter` of a recipe as a `peft.LoraConfig`, checked before any work."""

from __future__ import annotations

from typing import Any

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
