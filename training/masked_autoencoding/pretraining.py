"""Pre-training of a masked autoencoder: one recipe in, one model folder out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
from torch import Tensor
from transformers import TrainerCallback

from nuzoo.evaluation.tasks.masked_autoencoding.health import health_of_tokens
from nuzoo.evaluation.tasks.pre_training.measure import measure
from nuzoo.training.augmentation.bound import bound
from nuzoo.training.masked_autoencoding.recipe import MaskedAutoencodingRecipe
from nuzoo.training.supervised import run_training
from nuzoo.training.unlabelled import prepare_unlabelled
from nuzoo.training.watched_trainer import WatchedTrainer

PART = "_loss"
"""What the names of the parts of a network's loss end with."""


class MaskedAutoencodingTrainer(WatchedTrainer):
    """Trains a network that masks events itself and says what its reconstruction costs."""

    def asked(self) -> dict[str, Any]:
        """Say what the network is asked in this training step beside the batch."""
        return {}

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """Compute the loss of a batch of events."""
        asked = self.asked() if model.training else {}
        output = model(**inputs, **asked, return_loss=True)
        self.watch({name.removesuffix(PART): of for name, of in output.items() if name.endswith(PART)})
        loss: Tensor = output.loss
        return loss


def pretrain_masked(
    recipe: MaskedAutoencodingRecipe,
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
    return run_training(recipe, build_masked_autoencoding, splits, callbacks)


def build_masked_autoencoding(
    recipe: MaskedAutoencodingRecipe,
    splits: Mapping[str, datasets.Dataset],
    callbacks: list[TrainerCallback],
) -> MaskedAutoencodingTrainer:
    """Make the `transformers.Trainer` of a recipe.

    Args:
        recipe: The run.
        splits: `train`, and `validation` unless nothing is to be evaluated.
        callbacks: More callbacks.

    Raises:
        RecipeError: See `pretrain_masked`.
        UnusableDatasetError: See `pretrain_masked`.
    """
    processor, arguments = prepare_unlabelled(recipe, splits, callbacks)
    held_out, size = splits.get("validation"), recipe.training.per_device_eval_batch_size
    return MaskedAutoencodingTrainer(
        measure=lambda model: measure(model, processor, held_out, recipe.probe, size, health_of_tokens),
        augmentation=bound(recipe.augmentation, processor, ()),
        **arguments,
    )
