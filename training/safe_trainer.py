"""A Trainer that writes no pickle of its settings and pushes nothing unsafe."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from transformers import Trainer
from transformers.trainer import TRAINING_ARGS_NAME
from transformers.trainer_utils import HubStrategy

from nuzoo.files.modes import unlock_weights
from nuzoo.files.names import TRAINING_ARGUMENTS_FILE

logger = logging.getLogger(__name__)

OF_THIS_MACHINE = ("output_dir", "logging_dir", "hub_token", "local_rank", "deepspeed", "fsdp_config")
"""Settings that are paths, secrets or places: no reader needs them and a repository must not have them."""


class SafeTrainer(Trainer):
    """Saves its arguments as JSON instead of a pickle, and pushes through the exporter of nuzoo."""

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Save model, processor and `training_args.json`."""
        super().save_model(output_dir, _internal_call)
        if self.args.should_save:
            folder = Path(output_dir or str(self.args.output_dir))
            unlock_weights(folder)
            (folder / TRAINING_ARGS_NAME).unlink(missing_ok=True)
            write_training_arguments(folder / TRAINING_ARGUMENTS_FILE, self.args)

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
