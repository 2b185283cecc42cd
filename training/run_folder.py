"""The output folder of a training: which run it holds, how far that is, and where it goes on."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from transformers.trainer_utils import get_last_checkpoint

from nuzoo.files.names import RECIPE_FILE, STATE_FILE
from nuzoo.training.recipe import Recipe, RecipeError, load_recipe

logger = logging.getLogger(__name__)


MODEL_FILES = (
    "config.json",
    "*.safetensors",
    "*.bin",
    "checkpoint-*",
    "adapter/adapter_config.json",
    "base/config.json",
)
"""What a training would replace, or lay its own files beside."""

PROGRESS_FIELDS = ("num_train_epochs", "max_steps")


def is_finished(recipe: Recipe) -> bool:
    """Tell whether the folder of a run holds this very run, ended by its length or by early stopping."""
    output = recipe.output
    ended = (output / STATE_FILE).exists() and (output / RECIPE_FILE).exists()
    if finished := ended and load_recipe(output / RECIPE_FILE) == recipe:
        logger.warning("%s holds the finished run of this recipe", output)
    return finished


def checkpoint_to_resume(recipe: Recipe) -> str | None:
    """Find the last checkpoint of a run, if there is one.

    Raises:
        RecipeError: The folder holds another run, or a model that is not of a run.
    """
    _refuse_another_run(recipe, recipe.output)
    if checkpoint := checkpoint_of(recipe.output):
        logger.warning("going on from %s", checkpoint)
    return checkpoint


def checkpoint_of(output: Path) -> str | None:
    """Find the last checkpoint in a folder, if there is one."""
    return get_last_checkpoint(str(output)) if output.is_dir() else None


def _refuse_another_run(recipe: Recipe, output: Path) -> None:
    """Refuse a folder with a model of something else; another length of the training is no other recipe."""
    mend = "give another training.output_dir, or remove the folder"
    if (output / RECIPE_FILE).exists():
        if _without_length(load_recipe(output / RECIPE_FILE)) != _without_length(recipe):
            raise RecipeError(f"{output} holds a run of another recipe (see its {RECIPE_FILE}): {mend}")
        return
    if found := sorted(file.name for pattern in MODEL_FILES for file in output.glob(pattern)):
        raise RecipeError(
            f"{output}: expected a new folder or one with the {RECIPE_FILE} of this run, got "
            f"{', '.join(found)} without it: {mend}"
        )


def _without_length(recipe: Recipe) -> dict[str, Any]:
    training = recipe.given.get("training", {})
    return recipe.given | {"training": {k: v for k, v in training.items() if k not in PROGRESS_FIELDS}}
