"""Which training a recipe asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import datasets
from transformers import TrainerCallback

from nuzoo.training.event_classification import train_event_classifier
from nuzoo.training.recipe import Recipe
from nuzoo.training.vlm.instruction_tuning import train_vlm

TRAININGS = {"nu_vlm": train_vlm}
"""By model type; the others are networks that are trained whole, see `train_event_classifier`."""


def train_model(
    recipe: Recipe,
    *,
    splits: Mapping[str, datasets.Dataset] | None = None,
    callbacks: list[TrainerCallback] | None = None,
) -> Path:
    """Trains by a recipe, going on from the last checkpoint where there is one.

    Args:
        recipe: The run.
        splits: The events, with `train` and `validation`; read from `recipe.data` by default.
        callbacks: More `transformers.TrainerCallback`s.

    Returns:
        The output folder.

    Raises:
        ValueError: See `train_event_classifier` and `train_vlm`.
    """
    train = TRAININGS.get(recipe.model["model_type"], train_event_classifier)
    return train(recipe, splits=splits, callbacks=callbacks)
