"""What the body of a network makes of whole events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nuzoo.evaluation.core.events import input_batches
from nuzoo.pipelines.finite_outputs import refuse_not_finite

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor


def pooled_features(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, batch_size: int
) -> Iterator[Tensor]:
    """Give for each batch of events what the network's body makes of them, whole, float32 (events, channels).

    Raises:
        NonFiniteOutputError: A feature is NaN or infinite.
    """
    body: Any = model.base_model
    for batch in input_batches(processor, rows, batch_size, model.device):
        with torch.no_grad():
            features = body(**batch).pooler_output
        refuse_not_finite(model, {"features": features})
        yield features.float()
