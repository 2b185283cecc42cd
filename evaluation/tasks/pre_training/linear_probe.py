"""How much a network that learnt without labels knows: a linear classifier of its features of points."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from datasets import Dataset
from torch import Tensor
from transformers import PreTrainedModel

from nuzoo.evaluation.core.errors import MissingTruthError
from nuzoo.evaluation.core.events import input_batches
from nuzoo.evaluation.tasks.pre_training.probe_settings import ProbeSettings
from nuzoo.pipelines.finite_outputs import refuse_not_finite
from nuzoo.processors.contract import EventProcessor

STEPS = 100
"""Most steps of the fit; each tries several lengths."""
PENALTY = 1e-4
"""On the squared weights, of features with a standard deviation of 1."""


@dataclass(frozen=True)
class LinearProbe:
    """A linear classifier of features.

    Attributes:
        weight: (classes, features).
        bias: (classes,).
    """

    weight: Tensor
    bias: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """Give logits (points, classes) of features (points, features)."""
        return F.linear(features, self.weight, self.bias)


def fit_probe(features: Tensor, labels: Tensor, classes: int) -> LinearProbe:
    """Fit a multinomial logistic regression, by L-BFGS from zero: the same for the same points.

    Args:
        features: float32 (points, features).
        labels: int64 (points,), from 0.
        classes: How many there are.
    """
    mean, scale = features.mean(dim=0), features.std(dim=0, correction=0).clamp(min=1e-6)
    standard = (features - mean) / scale
    weight = torch.zeros(classes, features.shape[1], device=features.device, requires_grad=True)
    bias = torch.zeros(classes, device=features.device, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = F.cross_entropy(F.linear(standard, weight, bias), labels) + PENALTY * weight.square().sum()
        value.backward()
        return value

    with torch.enable_grad():
        optimiser.step(loss)
    unscaled = weight.detach() / scale
    return LinearProbe(unscaled, bias.detach() - unscaled @ mean)


def fitted_probe(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, settings: ProbeSettings, batch_size: int
) -> LinearProbe:
    """Fit a probe on the features that a network gives of labelled events; see `fit_probe`.

    Raises:
        MissingTruthError: No hit has a class.
    """
    chosen, labels = [], []
    for features, truth, offset in labelled_features(model, processor, rows, settings.target, batch_size):
        kept = torch.cat(list(_spread(offset.tolist(), settings.points)))
        kept = kept[truth[kept] >= 0]
        chosen.append(features[kept])
        labels.append(truth[kept])
    if not sum(map(len, labels)):
        raise MissingTruthError(
            f"expected hits with their {settings.target} to fit the probe on, got none in {len(rows)} "
            "events: take others"
        )
    return fit_probe(torch.cat(chosen), torch.cat(labels), len(processor.schema[settings.target].classes))


def labelled_features(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, target: str, batch_size: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Give for each batch of events the features of its points, their classes, and where events end.

    Yields:
        float32 (points, features), int64 (points,), int64 (events,), where the network is.

    Raises:
        NonFiniteOutputError: A feature is NaN or infinite.
    """
    body: Any = model.base_model
    for batch in input_batches(processor, rows, batch_size, model.device, (target,)):
        labels = batch.pop("labels")
        with torch.no_grad():
            features = body(**batch).last_hidden_state
        refuse_not_finite(model, {"features": features})
        yield features.float(), labels, batch["offset"]


def _spread(ends: list[int], number: int) -> Iterator[Tensor]:
    """Choose rows of each event, evenly."""
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        yield torch.linspace(start, max(end - 1, start), min(number, end - start)).long()
