"""What the Trainer of a network that learns without labels of events is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import datasets
from transformers import TrainerCallback, set_seed

from nuzoo.datasets_scripts.common.labelled_rows import check_detector
from nuzoo.processors.contract import EventProcessor
from nuzoo.training.event_batches import EventBatches, as_is
from nuzoo.training.recipe import Recipe
from nuzoo.training.recipe_data import check_splits
from nuzoo.training.supervised import build_processor, fit_constants


def prepare_unlabelled(
    recipe: Recipe, splits: Mapping[str, datasets.Dataset], callbacks: list[TrainerCallback]
) -> tuple[EventProcessor, dict[str, Any]]:
    """Make the processor of a recipe, fitted, and what any Trainer of its network is given.

    Args:
        recipe: The run.
        splits: `train`, and `validation` unless nothing is to be evaluated; with the truth of the recipe's
            targets, if it has any.
        callbacks: More callbacks.

    Raises:
        RecipeError: A value that a field cannot have.
        UnusableDatasetError: No events, a column missing, or another detector.
    """
    set_seed(recipe.training.seed)  # the Trainer does so after the network was initialised
    processor = build_processor(recipe, splits.get("train"))
    config = recipe.model.config(processor)
    for split, rows in splits.items():
        check_detector(rows, split, processor.detector)
    check_splits(recipe, splits, config, processor.schema)
    fit_constants(processor, config, splits["train"])
    batches = {split: EventBatches(rows, processor, recipe.targets) for split, rows in splits.items()}
    model = recipe.model.build(config)
    recipe.optimiser.check_effect(model)
    return processor, {
        "optimiser": recipe.optimiser,
        "model": model,
        "args": recipe.training,
        "data_collator": as_is,
        "train_dataset": batches["train"],
        "eval_dataset": batches.get("validation"),
        "processing_class": processor,
        "callbacks": [*recipe.early_stopping(), *callbacks],
    }
