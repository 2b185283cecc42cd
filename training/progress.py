"""What a training says while it runs: a bar of steps, and a line for each evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import ProgressCallback, TrainerControl, TrainerState, TrainingArguments

from nuzoo.training.curves import epoch_line


class EpochLines(ProgressCallback):
    """The bars of transformers, and in place of every entry of the log a line for each evaluation."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Write the line above the bar."""
        if state.is_world_process_zero and self.training_bar is not None and "eval_loss" in (logs or {}):
            self.training_bar.write(epoch_line(state.log_history))
