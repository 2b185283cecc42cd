"""The output folder of a training: which run it holds, how far that is, and where it goes on."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from transformers.trainer_utils import get_last_checkpoint

from nuzoo.training.recipe import Recipe, RecipeError, load_recipe

logger = logging.getLogger(__name__)

RECIPE_FILE = "recipe.yaml"
STATE_FILE = "trainer_state.json"
"""What `Trainer.save_state` writes when a run has ended; checkpoints have their own."""

PROGRESS_FIELDS = ("num_train_epochs", "max_steps")


def is_finished(recipe: Recipe, output: Path) -> bool:
    """Whether the folder holds this very run, ended by its length or by early stopping."""
    finished = (output / STATE_FILE).exists() and load_recipe(output / RECIPE_FILE) == recipe
    if finished:
        logger.warning("%s holds the finished run of this recipe", output)
    return finished


def checkpoint_to_resume(recipe: Recipe, output: Path) -> str | None:
    """The last checkpoint of the run, if it was begun.

    Raises:
        RecipeError: The folder holds checkpoints of another recipe.
    """
    checkpoint = checkpoint_of(output)
    if checkpoint is None:
        return None
    refuse_another_run(recipe, output)
    logger.warning("going on from %s", checkpoint)
    return checkpoint


def checkpoint_of(output: Path) -> str | None:
    """The last checkpoint in a folder, if there is one."""
    return get_last_checkpoint(str(output)) if output.is_dir() else None


def refuse_another_run(recipe: Recipe, output: Path) -> None:
    """Refuses a folder that another recipe was begun in; another length of the training is no other recipe.

    Raises:
        RecipeError: It was.
    """
    if _without_length(load_recipe(output / RECIPE_FILE)) != _without_length(recipe):
        raise RecipeError(
            f"{output} holds checkpoints of another recipe (see its {RECIPE_FILE}): "
            "give another training.output_dir, or remove the folder"
        )


def _without_length(recipe: Recipe) -> dict[str, Any]:
    training = {key: value for key, value in recipe.training.items() if key not in PROGRESS_FIELDS}
    return vars(recipe) | {"training": training}
