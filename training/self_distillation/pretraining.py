"""Pre-training of a network of point clouds by self-distillation: one recipe in, one model folder out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import datasets
from transformers import TrainerCallback

from nuzoo.evaluation.tasks.pre_training.measure import measure
from nuzoo.training.augmentation.bound import bound
from nuzoo.training.self_distillation.clouds import ViewMaker
from nuzoo.training.self_distillation.recipe import SelfDistillationRecipe
from nuzoo.training.self_distillation.trainer import SelfDistillationTrainer
from nuzoo.training.supervised import run_training
from nuzoo.training.unlabelled import prepare_unlabelled

logger = logging.getLogger(__name__)


def pretrain(
    recipe: SelfDistillationRecipe,
    *,
    splits: Mapping[str, datasets.Dataset] | None = None,
    callbacks: list[TrainerCallback] | None = None,
) -> Path:
    """Pre-train by a recipe, going on from the last checkpoint where there is one.

    Args:
        recipe: The run.
        splits: The events, with `train`, and `validation` where it is evaluated; read from `recipe.data` by
            default. No truth is needed; that of validation events tells how much is learnt.
        callbacks: More `transformers.TrainerCallback`s.

    Returns:
        The output folder: the student, its processor, `recipe.yaml` and checkpoints.

    Raises:
        RecipeError: A value that a field cannot have, or another run in the output folder.
        FolderInUseError: The run is being trained by another process.
        UnusableDatasetError: No training or validation events, or a column missing.
        DivergedError: The loss or the weights are no numbers any more.
    """
    return run_training(recipe, build_pretraining, splits, callbacks)


def build_pretraining(
    recipe: SelfDistillationRecipe,
    splits: Mapping[str, datasets.Dataset],
    callbacks: list[TrainerCallback],
) -> SelfDistillationTrainer:
    """Make the `transformers.Trainer` of a recipe.

    Args:
        recipe: The run.
        splits: `train`, and `validation` unless nothing is to be evaluated.
        callbacks: More callbacks.

    Raises:
        RecipeError: See `pretrain`.
        UnusableDatasetError: See `pretrain`.
    """
    processor, arguments = prepare_unlabelled(recipe, splits, callbacks)
    held_out = splits.get("validation")
    return SelfDistillationTrainer(
        recipe=recipe,
        measure=lambda model: measure(
            model, processor, held_out, recipe.probe, recipe.training.per_device_eval_batch_size
        ),
        augmentation=ViewMaker(recipe.views, bound(recipe.augmentation, processor, ())),
        **arguments,
    )
