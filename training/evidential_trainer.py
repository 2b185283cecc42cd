"""A Trainer of networks whose logits are evidence."""

from __future__ import annotations

from typing import Any, cast

from torch import Tensor

from nuzoo.modeling.evidence import labelled_logits, wrong_evidence
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel
from nuzoo.training.averaging_trainer import AveragingTrainer
from nuzoo.training.event_trainer import EventTrainer
from nuzoo.training.fields import RecipeError


class EvidentialTrainer(EventTrainer):
    """Lets evidence for wrong classes cost more and more, as arXiv 1806.01768 does.

    The weight of `wrong_evidence` rises from 0 to 1 over the epochs that the configuration says. It is no
    part of the loss of validation events, which can be compared between epochs.

    Args:
        *args: See `EventTrainer`.
        **kwargs: See `EventTrainer`.

    Raises:
        RecipeError: The labels are smoothed.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        model = cast(NuPreTrainedModel, self.model)
        if self.args.label_smoothing_factor:
            raise RecipeError(
                "training.label_smoothing_factor: expected 0 beside model.evidential, whose loss is no "
                f"cross-entropy, got {self.args.label_smoothing_factor:g}: leave one of them out"
            )
        config: Any = model.config
        self.epochs, self.evidence = float(config.evidence_epochs), model.evidence

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Give the loss, in training with what evidence for wrong classes costs."""
        loss, outputs = super().compute_loss(model, inputs, True, num_items_in_batch)
        if model.training:
            loss = loss + self._weight() * self._of_wrong_evidence(outputs, inputs)
        return (loss, outputs) if return_outputs else loss

    def _weight(self) -> float:
        epoch = self.state.epoch or 0.0
        return min(1.0, epoch / self.epochs) if self.epochs else 1.0

    def _of_wrong_evidence(self, outputs: Any, inputs: dict[str, Any]) -> Tensor:
        """Average the divergence over what has a class, and add up the heads."""
        total: Tensor = outputs["loss"].new_zeros(())
        for name, truth in labelled_logits(outputs, inputs):
            known = inputs[truth] >= 0
            if name in self.evidence and known.any():
                total = total + wrong_evidence(outputs[name][known].float(), inputs[truth][known]).mean()
        return total


class AveragedEvidentialTrainer(EvidentialTrainer, AveragingTrainer):
    """Learns evidence, and keeps an average of the weights."""
