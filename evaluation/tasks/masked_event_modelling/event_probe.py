"""How much a pre-trained network knows of whole events: a linear classifier of what it makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nuzoo.evaluation.core.pooled_features import pooled_features
from nuzoo.evaluation.tasks.pre_training.linear_probe import LinearProbe, fit_probe

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
