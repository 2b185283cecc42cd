"""k-fold cross-validation of a recipe, for samples too small to be split once."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import datasets
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold

from nuzoo.datasets_scripts.common.labelled_rows import check_modality
from nuzoo.evaluation.core.events import with_truth
from nuzoo.evaluation.core.provenance import describe_dataset
from nuzoo.files.folder_lock import locked
from nuzoo.registry import TASKS, import_object
from nuzoo.training.curves import measured_of
from nuzoo.training.event_batches import EventBatches
from nuzoo.training.event_trainer import events_of
from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe import Recipe
from nuzoo.training.recipe_data import in_classes_of
from nuzoo.training.supervised import build_trainer, describe_network, is_per_hit, train

WITHOUT_VALIDATION = {
    "training.eval_strategy": "no",
    "training.eval_steps": None,
    "training.save_strategy": "no",
    "training.save_steps": None,
    "training.load_best_model_at_end": False,
    "early_stopping_patience": None,
}
"""The length of a fold's training is the recipe's: nothing is chosen by looking at held-out events."""


def cross_validate_and_report(
    recipe: Recipe, splits: Mapping[str, datasets.Dataset], folds: int, sample: str | None = None
) -> str:
    """Cross-validate on the events of all splits that have the truth, and write results and figures.

    Args:
        recipe: See `cross_validate`; they go to its folder.
        splits: The events.
        folds: See `cross_validate`.
        sample: What the events are called, unless all are our simulation.

    Returns:
        What came out, for people.

    Raises:
        RecipeError: See `cross_validate`.
        EvaluationError: Events of unnamed origin.
        FolderInUseError: Another run is writing to the folder.
        UnusableDatasetError: No event has the truth, or see `nuzoo.training.supervised.train`.
    """
    targets = recipe.targets
    _check_recipe(recipe)
    check_modality(splits, recipe.architecture.modality)
    rows = with_truth(splits, targets)
    describe_dataset(rows, sample)
    _, config = describe_network(recipe, rows)
    rows = in_classes_of(config, targets, {"all": rows})["all"]
    with locked(recipe.output):
        predictions = cross_validate(recipe, rows, folds)
        results = recipe.evaluator.report_cross_validation(
            predictions, rows, config, folds, recipe.output, sample
        )
    measured = recipe.evaluator.headline(results)[0].told
    return f"{measured} ({len(rows)} events, {folds} folds)\nresults: {recipe.output}"


def cross_validate(recipe: Recipe, rows: datasets.Dataset, folds: int) -> list[NDArray[Any]]:
    """Train by the recipe on all folds but one, in turn, and predict the one left out.

    Args:
        recipe: Every fold starts from it anew; `training.seed` also shuffles the folds.
        rows: Events with the truth of the task.
        folds: How many, each with the class fractions of the whole where an event has a class.

    Returns:
        For each row the logits of the network that has not seen it: (classes,), or (hits, classes) where
        each hit has a class.

    Raises:
        RecipeError: Fewer events of a class than folds, a limit on training events, or a model that is not
            trained whole.
    """
    _check_recipe(recipe)
    recipe = recipe.changed(WITHOUT_VALIDATION)
    predictions: list[NDArray[Any]] = [np.empty(0)] * len(rows)
    for fold, (seen, held_out) in enumerate(_split(recipe, rows, folds)):
        own = recipe.changed({"training.output_dir": (recipe.output / f"fold-{fold}").as_posix()})
        trainer = build_trainer(own, {"train": rows.select(seen)}, [])
        trainer.train()
        processor: Any = trainer.processing_class
        batches = EventBatches(rows.select(held_out), processor, recipe.targets)
        predicted = trainer.predict(batches)
        if trainer.is_world_process_zero():
            told = ", ".join(measured_of(predicted.metrics or {}, "test_"))
            print(f"fold {fold + 1} of {folds}: {told}", file=sys.stderr, flush=True)
        events = events_of(predicted, trainer.per_hit)
        for row, prediction in zip(held_out, events, strict=True):
            predictions[row] = prediction
    return predictions


def _check_recipe(recipe: Recipe) -> None:
    """Refuse a recipe that cannot be cross-validated."""
    if import_object(TASKS[recipe.task].trainer) is not train:
        raise RecipeError(
            f"expected a network that is trained whole to cross-validate, got one for {recipe.task}: "
            "leave out --folds"
        )
    if recipe.data.train_events is not None:
        raise RecipeError(
            "data.train_events: expected none with --folds, which trains on all but those of a fold, got "
            f"{recipe.data.train_events}: leave it out"
        )


def _split(
    recipe: Recipe, rows: datasets.Dataset, folds: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield rows to train on and rows to predict, by number."""
    options = {"n_splits": folds, "shuffle": True, "random_state": recipe.training.seed}
    targets = recipe.targets
    if is_per_hit(rows, targets):
        if not 2 <= folds <= len(rows):
            raise RecipeError(f"expected 2 to {len(rows)} folds, as many as events, got {folds}")
        return KFold(**options).split(np.arange(len(rows)))
    labels = np.array(rows[targets[0]])
    counts = np.unique(labels, return_counts=True)[1]
    if folds < 2 or counts.min() < folds:
        raise RecipeError(
            f"expected at least 2 folds and as many events of each class as folds ({folds}), "
            f"got {counts.tolist()} events"
        )
    return StratifiedKFold(**options).split(labels, labels)
