"""A Trainer that stops where a training has diverged, writes no pickle and pushes nothing unsafe."""

from __future__ import annotations

import json
import logging
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import ProgressCallback, Trainer
from transformers.trainer import TRAINING_ARGS_NAME
from transformers.trainer_utils import HubStrategy

from nuzoo.files.modes import unlock_weights
from nuzoo.files.names import TRAINING_ARGUMENTS_FILE
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.training.curves import DrawCurves
from nuzoo.training.fields import RecipeError
from nuzoo.training.progress import EpochLines

logger = logging.getLogger(__name__)

OF_THIS_MACHINE = ("output_dir", "logging_dir", "hub_token", "local_rank", "deepspeed", "fsdp_config")
"""Settings that are paths, secrets or places: no reader needs them and a repository must not have them."""


class DivergedError(ValueError):
    """A training whose loss or weights are no numbers any more."""


class SafeTrainer(Trainer):
    """Saves its arguments as JSON instead of a pickle, and pushes through the exporter of nuzoo.

    It stops at the first loss that is not finite, and saves no weights that are not. Curves of loss and
    metrics are drawn in the output folder.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_callback(DrawCurves())
        if not self.args.disable_tqdm:
            self.remove_callback(ProgressCallback)
            self.add_callback(EpochLines())

    def training_step(self, *args: Any, **kwargs: Any) -> Tensor:
        """Train, or raise `DivergedError`."""
        loss: Tensor = super().training_step(*args, **kwargs)
        if not torch.isfinite(loss):
            raise self._diverged(f"a loss of {loss.item()}")
        return loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log, or raise `DivergedError`: also of validation events, whose loss is no part of a step."""
        super().log(logs, *args, **kwargs)
        for name, value in logs.items():
            if name.endswith("loss") and not math.isfinite(value):
                raise self._diverged(f"{name} {value}")

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Save model, processor and `training_args.json`."""
        model: Any = self.model
        learnt = [item for item in model.named_parameters() if item[1].requires_grad]
        for name, tensor in (*learnt, *model.named_buffers()):
            if not torch.isfinite(tensor).all():
                raise self._diverged(f"{name} with values that are not finite")
        super().save_model(output_dir, _internal_call)
        if self.args.should_save:
            folder = Path(output_dir or str(self.args.output_dir))
            unlock_weights(folder)
            (folder / TRAINING_ARGS_NAME).unlink(missing_ok=True)
            write_training_arguments(folder / TRAINING_ARGUMENTS_FILE, self.args)

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:
        try:
            return bool(super()._determine_best_metric(metrics, trial))
        except KeyError as error:
            wanted = str(self.args.metric_for_best_model)
            known = [name.removeprefix("eval_") for name in metrics]
            raise RecipeError(
                f"training.metric_for_best_model: expected one of {', '.join(known)}, got {wanted}"
                f"{did_you_mean([wanted], known)}"
            ) from error

    def _diverged(self, what: str) -> DivergedError:
        return DivergedError(
            f"the training diverged at step {self.state.global_step + 1}: expected finite numbers, got "
            f"{what}: take a lower training.learning_rate than {self.args.learning_rate:g}, or a longer "
            "warm-up, and another training.output_dir"
        )

    def push_to_hub(self, commit_message: str | None = "End of training", *args: Any, **options: Any) -> Any:
        """Push model, processor and their code as one commit; for a card use `nuzoo publish`."""
        model: Any = self.model
        options.pop("blocking", None)
        given: dict[str, Any] = {"token": self.args.hub_token, "private": self.args.hub_private_repo}
        given |= {"processor": self.processing_class, "commit_message": commit_message}
        repository = self.hub_model_id or self.args.hub_model_id or Path(str(self.args.output_dir)).name
        return model.push_to_hub(repository, *args, **(given | options))

    def _push_from_checkpoint(self, checkpoint_folder: str) -> None:
        """Push the network as it is now; states of the optimiser and settings stay here."""
        if not self.is_world_process_zero() or self.args.hub_strategy == HubStrategy.END:
            return
        message = f"Training in progress, step {self.state.global_step}"
        try:
            self.push_to_hub(message, revision=self.args.hub_revision)
        except (ValueError, OSError) as error:
            logger.warning("not pushed, the checkpoint is in %s: %s", checkpoint_folder, error)


def write_training_arguments(path: Path, arguments: Any) -> None:
    """Write `TrainingArguments` without what is of this machine only."""
    kept = {name: value for name, value in arguments.to_dict().items() if name not in OF_THIS_MACHINE}
    path.write_text(json.dumps(kept, indent=2, sort_keys=True, default=str) + "\n", encoding="utf-8")
