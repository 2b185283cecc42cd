"""TRL's supervised fine-tuning of an adapter, with our batches and without pickles and cards."""

from __future__ import annotations

from typing import Any

from transformers import TrainingArguments
from trl import SFTConfig, SFTTrainer

from nuzoo.training.event_trainer import EventTrainer


class InstructionTrainer(EventTrainer, SFTTrainer):
    """An `SFTTrainer` whose batches come ready from the collator."""

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """Load an adapter in its format: PEFT loads it in float32, but QLoRA trains it in bfloat16."""
        network: Any = model or self.model
        kinds = {name: parameter.dtype for name, parameter in network.named_parameters()}
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        for name, parameter in network.named_parameters():
            parameter.data = parameter.data.to(kinds[name])

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write none: `nuzoo publish` does."""


def instruction_arguments(arguments: TrainingArguments) -> SFTConfig:
    """Make the same arguments for TRL, with nothing cut off or prepared: the collator does all."""
    given = arguments.to_dict() | {"hub_token": arguments.hub_token}
    return SFTConfig(**given, max_length=None, dataset_kwargs={"skip_prepare_dataset": True})
