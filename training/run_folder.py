"""The output folder of a training: which run it holds, how far that is, and where it goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import datasets
from accelerate import PartialState

from nuzoo.evaluation.core.training_events import write_training_events
from nuzoo.files.atomic import write_atomically
from nuzoo.files.events.event_schema import EventSchema
from nuzoo.files.folder_lock import locked
from nuzoo.files.names import RECIPE_FILE, STATE_FILE, TRANSFER_FILE
from nuzoo.modeling.transfer import Transfer
from nuzoo.training.checkpoints import last_checkpoint, read_state
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


def holds_finished(recipe: Recipe) -> bool:
    """Tell whether the folder of a run holds this very run, ended by its length or by early stopping."""
    output = recipe.output
    ended = read_state(output) is not None and (output / RECIPE_FILE).exists()
    return ended and load_recipe(output / RECIPE_FILE) == recipe


def is_finished(recipe: Recipe) -> bool:
    """Tell whether there is nothing to do, see `holds_finished`; warn if so."""
    if finished := holds_finished(recipe):
        logger.warning("%s holds the finished run of this recipe", recipe.output)
    return finished


@contextmanager
def run_folder(recipe: Recipe) -> Iterator[str | None]:
    """Keep the folder of a run for this run alone, and give the checkpoint from which it goes on, if any.

    Raises:
        FolderInUseError: Another run is writing to it.
        RecipeError: It holds another run, or more of this one than is asked for; or a model of no run.
    """
    with locked(recipe.output) if recipe.training.process_index == 0 else nullcontext():
        yield _checkpoint_to_resume(recipe)


def record_start(recipe: Recipe, splits: Mapping[str, datasets.Dataset], schema: EventSchema) -> None:
    """Write into the folder of a run what is trained and on which events, once every process has read it.

    What says that an earlier, shorter run has ended is removed: it does not say so of this one. Which
    events a stream will bring is not known.
    """
    PartialState().wait_for_everyone()
    if recipe.training.process_index == 0:
        recipe.output.mkdir(parents=True, exist_ok=True)
        (recipe.output / STATE_FILE).unlink(missing_ok=True)
        write_atomically(recipe.output / RECIPE_FILE, recipe.to_yaml())
        if not recipe.data.streaming:
            write_training_events(recipe.output, splits, schema)


def record_transfer(recipe: Recipe, model: Any) -> None:
    """Write into the folder of a run what its network loaded from one of another type, if from any."""
    transfer: Transfer | None = getattr(model, "transfer", None)
    if transfer is not None and recipe.training.process_index == 0:
        logger.warning("%s", transfer.summary)
        write_atomically(recipe.output / TRANSFER_FILE, transfer.to_json())


def _checkpoint_to_resume(recipe: Recipe) -> str | None:
    """Find the last whole checkpoint of a run, if there is one, and refuse what is not of this run."""
    output = recipe.output
    is_longer = _refuse_another_run(recipe, output)
    checkpoint = last_checkpoint(output)
    for folder in (output, *([Path(checkpoint)] if checkpoint else [])):
        _refuse_shorter(recipe, read_state(folder) or {})
    if checkpoint:
        schedule = ", whose learning rates until there were those of another length" if is_longer else ""
        logger.warning("going on from %s%s", checkpoint, schedule)
    return checkpoint


def _refuse_another_run(recipe: Recipe, output: Path) -> bool:
    """Refuse a folder with a model of something else; tell whether it holds this run at another length."""
    mend = "give another training.output_dir, or remove the folder"
    if (output / RECIPE_FILE).exists():
        held = load_recipe(output / RECIPE_FILE)
        if _without_length(held) != _without_length(recipe):
            raise RecipeError(f"{output} holds a run of another recipe (see its {RECIPE_FILE}): {mend}")
        return bool(held != recipe)
    if found := sorted(file.name for pattern in MODEL_FILES for file in output.glob(pattern)):
        raise RecipeError(
            f"{output}: expected a new folder or one with the {RECIPE_FILE} of this run, got "
            f"{', '.join(found)} without it: {mend}"
        )
    return False


def _refuse_shorter(recipe: Recipe, state: Mapping[str, Any]) -> None:
    """Refuse to make less of a run than there is: its weights are of more steps than the recipe would say."""
    arguments = recipe.training
    wanted: float = arguments.max_steps if arguments.max_steps > 0 else arguments.num_train_epochs
    field, progress = (
        ("max_steps", "global_step") if arguments.max_steps > 0 else ("num_train_epochs", "epoch")
    )
    if (made := state.get(progress) or 0) > wanted + 1e-6:
        raise RecipeError(
            f"training.{field}: expected {made:g} or more, which {recipe.output} holds of this run already, "
            f"got {wanted:g}: give another training.output_dir, or remove the folder"
        )


def _without_length(recipe: Recipe) -> dict[str, Any]:
    training = recipe.given.get("training", {})
    return recipe.given | {"training": {k: v for k, v in training.items() if k not in PROGRESS_FIELDS}}
