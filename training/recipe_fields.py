"""Sections of a recipe on how to train, as objects, checked before any work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from transformers import EarlyStoppingCallback, TrainerCallback, TrainingArguments

from nuzoo.training.augmentation.pixel_maps import Augmentation
from nuzoo.training.recipe import Recipe, RecipeError

DEFAULTS: dict[str, Any] = {
    "eval_strategy": "epoch",
    "save_strategy": "epoch",
    "save_total_limit": 2,
    "load_best_model_at_end": True,
    "metric_for_best_model": "eval_loss",
    "logging_steps": 20,
    "label_names": ["labels"],
    "restore_callback_states_from_checkpoint": True,
    "remove_unused_columns": False,
}

Range = tuple[str, Callable[[float], bool]]
COUNT: Range = ("a whole number of 1 or more", lambda value: value >= 1 and value == int(value))
POSITIVE: Range = ("a number above 0", lambda value: value > 0)
NOT_NEGATIVE: Range = ("a number of 0 or more", lambda value: value >= 0)
PROBABILITY: Range = ("a probability, from 0 to 1", lambda value: 0 <= value <= 1)

TRAINING_RANGES = {
    "per_device_train_batch_size": COUNT,
    "per_device_eval_batch_size": COUNT,
    "gradient_accumulation_steps": COUNT,
    "num_train_epochs": POSITIVE,
    "save_steps": POSITIVE,
    "learning_rate": NOT_NEGATIVE,
    "weight_decay": NOT_NEGATIVE,
}
"""What `TrainingArguments` takes and the training then fails on, or makes nonsense of."""

AUGMENTATION_RANGES = {
    "flip_rows": PROBABILITY,
    "swap_views": PROBABILITY,
    "intensity_jitter": NOT_NEGATIVE,
}


def training_arguments(recipe: Recipe) -> TrainingArguments:
    """The recipe's `transformers.TrainingArguments`.

    Raises:
        RecipeError: An unknown field, or a value that it cannot have.
    """
    return checked_arguments("training", recipe.training)


def checked_arguments(section: str, given: Mapping[str, Any]) -> TrainingArguments:
    """`transformers.TrainingArguments` of a section, with our defaults.

    Args:
        section: Its name, for messages.
        given: Its fields.

    Raises:
        RecipeError: An unknown field, or a value that it cannot have.
    """
    if given.get("push_to_hub"):
        raise RecipeError(
            f"{section}.push_to_hub would upload optimiser states, which are pickles: leave it out, and "
            "publish the finished run with `nuzoo publish`"
        )
    _check_numbers(section, given, TrainingArguments, TRAINING_RANGES)
    try:
        return TrainingArguments(**{**DEFAULTS, **_named_strategies(given)})
    except (TypeError, ValueError) as error:
        raise RecipeError(f"{section}: {error}; see transformers.TrainingArguments") from error


def _named_strategies(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with the strategy `no`, which YAML reads as false, as the word that it is."""
    return {
        name: "no" if value is False and name.endswith("_strategy") else value
        for name, value in given.items()
    }


def whole_numbers_as_floats(kind: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a configuration, with 1 as 1.0 where a float is wanted: YAML tells them apart, users do not.

    Args:
        kind: Class of the configuration.
        given: Its fields, as in a recipe.
    """
    floats = [item.name for item in fields(kind) if isinstance(item.default, float)]
    return {
        name: float(value) if name in floats and type(value) is int else value
        for name, value in given.items()
    }


def augmentation(recipe: Recipe) -> Augmentation:
    """The recipe's augmentation.

    Raises:
        RecipeError: An unknown field, or a value that it cannot have.
    """
    known = [item.name for item in fields(Augmentation)]
    if unknown := sorted(set(recipe.augmentation) - set(known)):
        raise RecipeError(f"augmentation: expected fields among {', '.join(known)}, got {', '.join(unknown)}")
    _check_numbers("augmentation", recipe.augmentation, Augmentation, AUGMENTATION_RANGES)
    independent = recipe.augmentation.get("independent_views", True)
    if not isinstance(independent, bool):
        raise RecipeError(f"augmentation.independent_views: expected true or false, got {independent!r}")
    return Augmentation(**recipe.augmentation)


def early_stopping(recipe: Recipe) -> list[TrainerCallback]:
    """The callback that stops the recipe's run early, if it has one."""
    patience = recipe.early_stopping_patience
    return [] if patience is None else [EarlyStoppingCallback(early_stopping_patience=patience)]


def _check_numbers(section: str, given: Mapping[str, Any], kind: Any, ranges: Mapping[str, Range]) -> None:
    """Refuses what is no number where the default is one, and numbers out of range."""
    numbers = [item.name for item in fields(kind) if _is_number(item.default)]
    for name in numbers:
        expected, allowed = ranges.get(name, ("a number", lambda value: True))
        if name in given and not (_is_number(given[name]) and allowed(given[name])):
            raise RecipeError(f"{section}.{name}: expected {expected}, got {given[name]!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
