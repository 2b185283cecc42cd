"""What a model folder or repository says about its training, for the tables of a comparison."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nuzoo.evaluation.comparison.comparison import Training
from nuzoo.evaluation.core.training_facts import read_recipe, training_arguments, training_facts
from nuzoo.evaluation.tasks.event_classification.measure import Events
from nuzoo.files.origin import find_file

STARTS = ("pretrained", "timm_weights", "base_model")
"""Fields of a recipe's model that name the weights that a training begins with."""


def training_of(path: str, data: str, events: Events) -> Training:
    """Start, length and sample of a training, as far as they are told.

    Args:
        path: Model folder or repository.
        data: Dataset that the model is measured on.
        events: Of this dataset.

    Raises:
        RunFileError: A file of the training cannot be read.
    """
    config = find_file(path, "config.json")
    if config is None:
        return Training()
    folder = config.parent
    recipe = read_recipe(folder)
    return Training(_start(recipe), _length(folder), _events(recipe, data, events), _base(recipe))


def _start(recipe: dict[str, Any]) -> str | None:
    if not recipe:
        return None
    model = recipe.get("model", {})
    weights = next((model[key] for key in STARTS if model.get(key)), None)
    if recipe.get("adapter"):
        return "LoRA, merged"
    return f"full fine-tuning of {weights}" if weights else "from scratch"


def _base(recipe: dict[str, Any]) -> str | None:
    pretraining = recipe.get("pretraining")
    if not pretraining:
        return None
    epochs = pretraining.get("training", {}).get("num_train_epochs")
    length = f", {epochs:g} epoch{'' if epochs == 1 else 's'}" if epochs else ""
    return f"base pretrained on captions of the same events{length}"


def _length(folder: Path) -> str | None:
    epochs, _, steps = str(training_facts(folder).get("epochs", "")).partition(" ")
    epochs = epochs or str((training_arguments(folder) or {}).get("num_train_epochs", ""))
    return f"{epochs} epoch{'' if epochs == '1' else 's'} {steps}".strip() if epochs else None


def _events(recipe: dict[str, Any], data: str, events: Events) -> int | None:
    source = recipe.get("data", {})
    if source.get("train_events"):
        return int(source["train_events"])
    return events.training_events if _same(source.get("path"), data) else None


def _same(path: str | None, other: str) -> bool:
    return path is not None and (path == other or Path(path).resolve() == Path(other).resolve())
