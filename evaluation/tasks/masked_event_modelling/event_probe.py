"""How much a pre-trained network knows of whole events: a linear classifier of what it makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nuzoo.evaluation.core.events import input_batches
from nuzoo.evaluation.tasks.pre_training.linear_probe import LinearProbe, fit_probe
from nuzoo.pipelines.finite_outputs import refuse_not_finite

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor


def fitted_event_probe(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, target: str, batch_size: int
) -> LinearProbe:
    """Fit a multinomial logistic regression of the pooled features of events; see `fit_probe`."""
    features = torch.cat(list(pooled_features(model, processor, rows, batch_size)))
    labels = torch.tensor(list(rows[target]), device=features.device)
    return fit_probe(features, labels, len(processor.schema[target].classes))


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
