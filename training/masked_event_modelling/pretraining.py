"""Pre-training by masked modelling of events: one recipe in, one model folder out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
import torch
from transformers import TrainerCallback

from nuzoo.evaluation.tasks.masked_event_modelling.measure import measure_events
from nuzoo.training.augmentation.bound import bound
from nuzoo.training.masked_autoencoding.pretraining import MaskedAutoencodingTrainer
from nuzoo.training.masked_event_modelling.recipe import MaskedEventRecipe
from nuzoo.training.supervised import run_training
from nuzoo.training.unlabelled import prepare_unlabelled

RELATION_SEED = 42
"""Of the draws that decide which steps ask what made hits (arXiv 2604.07037)."""


class MaskedEventTrainer(MaskedAutoencodingTrainer):
    """Decides by its number what a training step asks: the same in every process, and after a stop."""

    def asked(self) -> dict[str, Any]:
        """Ask in a part of the steps what made hits, and in every second one about muons."""
        step = self.state.global_step
        draw = torch.rand((), generator=torch.Generator().manual_seed(RELATION_SEED + step)).item()
        return {
            "with_relations": draw < self.learner.config.relation_probability,
            "with_muons": step % 2 == 0,
        }


def pretrain_events(
    recipe: MaskedEventRecipe,
    *,
    splits: Mapping[str, datasets.Dataset] | None = None,
    callbacks: list[TrainerCallback] | None = None,
) -> Path:
    """Pre-train by a recipe, going on from the last checkpoint where there is one.

    Args:
        recipe: The run.
        splits: See `nuzoo.training.self_distillation.pretraining.pretrain`.
        callbacks: More `transformers.TrainerCallback`s.

    Returns:
        The output folder: network, its processor, `recipe.yaml` and checkpoints.

    Raises:
        RecipeError: A value that a field cannot have, or another run in the output folder.
        FolderInUseError: The run is being trained by another process.
        UnusableDatasetError: No training or validation events, or a column missing.
        DivergedError: The loss or the weights are no numbers any more.
    """
    return run_training(recipe, build_masked_modelling, splits, callbacks)


def build_masked_modelling(
    recipe: MaskedEventRecipe, splits: Mapping[str, datasets.Dataset], callbacks: list[TrainerCallback]
) -> MaskedEventTrainer:
    """Make the `transformers.Trainer` of a recipe.

    Args:
        recipe: The run.
        splits: `train`, and `validation` unless nothing is to be evaluated.
        callbacks: More callbacks.

    Raises:
        RecipeError: See `pretrain_events`.
        UnusableDatasetError: See `pretrain_events`.
    """
    processor, arguments = prepare_unlabelled(recipe, splits, callbacks)
    held_out, size = splits.get("validation"), recipe.training.per_device_eval_batch_size
    return MaskedEventTrainer(
        measure=lambda model: measure_events(model, processor, held_out, recipe.probe, size),
        augmentation=bound(recipe.augmentation, processor, recipe.targets),
        **arguments,
    )
