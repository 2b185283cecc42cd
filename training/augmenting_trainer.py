"""A Trainer that augments each batch when it is trained on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from nuzoo.training.safe_trainer import SafeTrainer


class AugmentingTrainer(SafeTrainer):
    """Draws the augmentation in the training step, not while loading.

    Loading runs ahead of training, so random numbers drawn there would be lost when a run is stopped: drawn
    here, they go on from the checkpoint exactly.

    Args:
        *args: See `transformers.Trainer`.
        augmentation: Applied to `pixel_values`.
        **kwargs: See `transformers.Trainer`.
    """

    def __init__(self, *args: Any, augmentation: Callable[[Tensor], Tensor], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.augmentation = augmentation

    def training_step(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """Augments, then trains."""
        inputs = {**inputs, "pixel_values": self.augmentation(inputs["pixel_values"])}
        return super().training_step(model, inputs, *args, **kwargs)
