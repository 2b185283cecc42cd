"""What evidence for wrong classes costs in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from transformers import TrainingArguments

from nuzoo.modeling.evidence import labelled_logits, wrong_evidence
from nuzoo.training.fields import RecipeError


class EvidentialLoss:
    """Lets evidence for wrong classes cost more and more, as arXiv 1806.01768 does.

    Fulfils `nuzoo.training.event_trainer.AddedLoss`. The weight of `wrong_evidence` rises from 0 to 1 over
    the epochs that the configuration says. It is no part of the loss of validation events, which can be
    compared between epochs.

    Args:
        model: Its logits are evidence.
        arguments: Of the training.

    Raises:
        RecipeError: The labels are smoothed.
    """

    takes: tuple[str, ...] = ()

    def __init__(self, model: Any, arguments: TrainingArguments) -> None:
        if arguments.label_smoothing_factor:
            raise RecipeError(
                "training.label_smoothing_factor: expected 0 beside model.evidential, whose loss is no "
                f"cross-entropy, got {arguments.label_smoothing_factor:g}: leave one of them out"
            )
        self.epochs, self.evidence = float(model.config.evidence_epochs), model.evidence

    def __call__(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor], epoch: float) -> Tensor:
        """Average the divergence over what has a class, and add up the heads."""
        weight = min(1.0, epoch / self.epochs) if self.epochs else 1.0
        total = outputs["loss"].new_zeros(())
        for name, truth in labelled_logits(outputs, inputs):
            known = inputs[truth] >= 0
            if name in self.evidence and known.any():
                total = total + wrong_evidence(outputs[name][known].float(), inputs[truth][known]).mean()
        return weight * total
