"""A Trainer that keeps an average of the weights of its network."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

from transformers import PreTrainedModel, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer_utils import TrainOutput

from nuzoo.training.averaging import Averaging, load_average, save_average, swapped, take_weights
from nuzoo.training.event_trainer import EventTrainer


class AveragingTrainer(EventTrainer):
    """Keeps an average of the weights, in its checkpoints too, and evaluates and saves that where it is used.

    Args:
        *args: See `transformers.Trainer`.
        averaging: How.
        **kwargs: See `EventTrainer`.
    """

    def __init__(self, *args: Any, averaging: Averaging, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.averaging = averaging
        self.averaged = averaging.average_of(self.learner)
        self.add_callback(_EveryStep(self))

    @property
    def learner(self) -> PreTrainedModel:
        """The network that learns."""
        return cast(PreTrainedModel, self.model)

    def train(self, *args: Any, **kwargs: Any) -> TrainOutput:
        """Train; the network then is the average, where that is used: of the best checkpoint, if wanted."""
        output = super().train(*args, **kwargs)
        if self.averaging.is_used:
            take_weights(self.learner, self.averaged)
        return output

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Evaluate the average, where that is used."""
        with swapped(self.learner, self.averaged) if self.averaging.is_used else nullcontext():
            return super().evaluate(*args, **kwargs)

    def _load_best_model(self) -> None:
        super()._load_best_model()
        load_average(self.averaged, Path(str(self.state.best_model_checkpoint)))

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        super()._save_optimizer_and_scheduler(output_dir)
        if self.args.should_save:
            save_average(self.averaged, Path(output_dir))

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            load_average(self.averaged, Path(checkpoint))


class _EveryStep(TrainerCallback):
    """Has the average follow after a step of the optimiser."""

    def __init__(self, trainer: AveragingTrainer) -> None:
        self.trainer = trainer

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Follow."""
        self.trainer.averaged.update_parameters(self.trainer.learner)
