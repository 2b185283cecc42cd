"""What it costs to answer otherwise than a teacher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from nuzoo.training.distillation.taught_batches import PREFIX
from nuzoo.training.distillation.teacher import Teacher

LOGITS, FEATURES = f"{PREFIX}logits", f"{PREFIX}features"


class DistillationLoss:
    """Fulfils `nuzoo.training.event_trainer.AddedLoss`; see `Teacher` for the formula.

    Args:
        teacher: How much what counts.
        model: The network that learns; its pooled features are read where its body makes them.
    """

    takes: tuple[str, ...] = (LOGITS, FEATURES)

    def __init__(self, teacher: Teacher, model: Any) -> None:
        self.teacher = teacher
        self.pooled: Tensor | None = None
        if teacher.features:
            model.base_model.register_forward_hook(self._read)

    def __call__(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor], epoch: float) -> Tensor:
        """Add up what answers and features cost."""
        cost = self.teacher.weight * answers_apart(
            outputs["logits"], inputs[LOGITS], self.teacher.temperature
        )
        if self.teacher.features and self.pooled is not None:
            cost = cost + self.teacher.features * similarities_apart(self.pooled, inputs[FEATURES])
        return cost

    def _read(self, body: nn.Module, inputs: Any, outputs: Any) -> None:
        self.pooled = outputs.pooler_output


def answers_apart(logits: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """Compute T² KL(teacher ‖ student), nats, a mean over events.

    Args:
        logits: (B, C) of the student.
        taught: (B, C) of the teacher.
        temperature: T, by which both are divided.
    """
    told = (logits.float() / temperature).log_softmax(dim=-1)
    wanted = (taught.float() / temperature).log_softmax(dim=-1)
    return temperature**2 * F.kl_div(told, wanted, reduction="batchmean", log_target=True)


def similarities_apart(features: Tensor, taught: Tensor) -> Tensor:
    """Compute how much the similarities of the events of a batch differ, arXiv:1907.09682, equation 4.

    Args:
        features: (B, D) of the student.
        taught: (B, E) of the teacher.

    Returns:
        The mean squared difference of the two (B, B) tables of products, the rows of each of length 1.
    """
    ours, theirs = (
        F.normalize(each.float().flatten(1) @ each.float().flatten(1).T, dim=1) for each in (features, taught)
    )
    return (ours - theirs).square().mean()
