"""The Trainer of a self-distillation: a student learns what its slowly following teacher sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from nuzoo.modeling.sparse.ragged import events_of
from nuzoo.training.layer_decay import DECAYS
from nuzoo.training.self_distillation.clouds import INPUTS, first_clouds, tokens_of
from nuzoo.training.self_distillation.losses import Temperatures, view_losses
from nuzoo.training.self_distillation.masks import mask_cubes
from nuzoo.training.self_distillation.recipe import SelfDistillationRecipe
from nuzoo.training.self_distillation.schedules import cosine
from nuzoo.training.self_distillation.teacher import follow, load_teacher, save_teacher, teacher_of
from nuzoo.training.watched_trainer import WatchedTrainer


class SelfDistillationTrainer(WatchedTrainer):
    """Trains the network on views of events, and keeps its teacher in the checkpoints.

    Args:
        *args: See `transformers.Trainer`.
        recipe: The run.
        **kwargs: See `WatchedTrainer`; `augmentation` is a `ViewMaker`.
    """

    def __init__(self, *args: Any, recipe: SelfDistillationRecipe, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.recipe = recipe
        self.student = self.learner
        self.teacher: Any = teacher_of(self.student)
        processor: Any = self.processing_class
        self.frame = processor.frame
        self.add_callback(_EveryStep(self))

    @property
    def progress(self) -> float:
        """Part of the training that is done."""
        return min(1.0, self.state.global_step / max(self.state.max_steps, 1))

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """Make views where the network is, then train."""
        return super().training_step(model, self._prepare_inputs(inputs), *args, **kwargs)

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """Compute the loss of views, see `ViewMaker`."""
        recipe, config = self.recipe, self.teacher.config
        distillation = recipe.distillation
        views = recipe.views.global_views + recipe.views.local_views
        events = len(inputs["offset"]) // views
        large = recipe.views.global_views * events
        clouds = {name: inputs[name] for name in INPUTS}
        whole = first_clouds(clouds, large)
        with torch.no_grad():
            taught = self.teacher(**whole)
        asked = model(**clouds, is_masked=self._masked(clouds, whole), masked_events=large)
        losses = view_losses(
            asked,
            taught,
            tokens_of(inputs, config.serialization_bits, config.token_doublings),
            events,
            large,
            distillation.match_cells * self.frame.cell_edge,
            Temperatures(
                distillation.student_temperature,
                distillation.teacher_temperature_at(self.progress),
                distillation.sinkhorn_iterations,
            ),
        )
        self.watch(losses)
        total: Tensor = sum(weight * losses[name] for name, weight in distillation.weights.items())
        return total

    def _masked(self, clouds: dict[str, Any], whole: dict[str, Any]) -> Tensor:
        """Mask points of the large views: bool (points,) of all."""
        side_mm, fraction = self.recipe.masks.at(self.progress)
        side = side_mm / self.frame.mm_per_unit
        masked = mask_cubes(whole["coordinates"], events_of(whole["offset"]), side, fraction)
        others = len(clouds["coordinates"]) - len(masked)
        return torch.cat([masked, masked.new_zeros(others)])

    def validation_inputs(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Make views."""
        return self.augmentation(batch)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        super()._save_optimizer_and_scheduler(output_dir)
        if self.args.should_save:
            save_teacher(self.teacher, Path(output_dir))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            load_teacher(self.teacher, Path(checkpoint))


class _EveryStep(TrainerCallback):
    """Sets the decay of weights before a step of the optimiser, and has the teacher follow after it."""

    def __init__(self, trainer: SelfDistillationTrainer) -> None:
        self.trainer = trainer

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Set the decay."""
        final = self.trainer.recipe.optimiser.final_weight_decay
        if final is not None:
            decay = cosine((args.weight_decay, final), self.trainer.progress)
            for group in kwargs["optimizer"].param_groups:
                group["weight_decay"] = decay * group[DECAYS]

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Move the teacher."""
        trainer = self.trainer
        follow(trainer.teacher, trainer.student, trainer.recipe.distillation.momentum_at(trainer.progress))
