"""k-fold cross-validation of a recipe, for samples too small to be split once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from nuzoo.training.event_classification import build_trainer
from nuzoo.training.pixel_map_batches import PixelMapBatches
from nuzoo.training.recipe import Recipe, RecipeError
from nuzoo.training.train_model import TRAININGS

WITHOUT_VALIDATION = {"eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": False}
"""The length of a fold's training is the recipe's: nothing is chosen by looking at held-out events."""


def cross_validate(recipe: Recipe, rows: datasets.Dataset, folds: int) -> NDArray[np.float64]:
    """Trains by the recipe on all folds but one, in turn, and classifies the one left out.

    Args:
        recipe: Every fold starts from it anew; `training.seed` also shuffles the folds.
        rows: Labelled pixel-map rows.
        folds: How many, each with the class fractions of the whole.

    Returns:
        float64 (n, classes): for each row the logits of the network that has not seen it.

    Raises:
        RecipeError: Fewer events of a class than folds, or a model that is not trained whole.
    """
    if recipe.model["model_type"] in TRAININGS:
        raise RecipeError(
            f"expected a network that is trained whole to cross-validate, got {recipe.model['model_type']}: "
            "leave out --folds"
        )
    labels = np.array(rows["label"])
    if np.bincount(labels).min() < folds or folds < 2:
        raise RecipeError(
            f"expected at least 2 folds and as many events of each class as folds ({folds}), "
            f"got {np.bincount(labels).tolist()} events"
        )
    seed = int(recipe.training.get("seed", 42))
    recipe = replace(recipe, training=recipe.training | WITHOUT_VALIDATION, early_stopping_patience=None)
    logits = None
    splitter = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for fold, (train, held_out) in enumerate(splitter.split(labels, labels)):
        output = Path(str(recipe.training["output_dir"])) / f"fold-{fold}"
        training = recipe.training | {"output_dir": output.as_posix()}
        trainer = build_trainer(replace(recipe, training=training), {"train": rows.select(train)}, [])
        trainer.train()
        batches = PixelMapBatches(rows.select(held_out), trainer.processing_class)
        predicted = trainer.predict(batches).predictions
        predicted = predicted[0] if isinstance(predicted, tuple) else predicted
        if logits is None:
            logits = np.empty((len(rows), predicted.shape[1]))
        logits[held_out] = predicted
    assert logits is not None
    return logits
