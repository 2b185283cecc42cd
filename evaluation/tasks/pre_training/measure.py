"""What a pre-training is watched by: the health of a network, and what a linear probe makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from torch import Tensor

from nuzoo.evaluation.core.errors import MissingTruthError
from nuzoo.evaluation.core.events import input_batches
from nuzoo.evaluation.tasks.hit_segmentation.numbers import event_confusion, scores
from nuzoo.evaluation.tasks.pre_training.health import health_of
from nuzoo.evaluation.tasks.pre_training.linear_probe import (
    LinearProbe,
    fitted_probe,
    labelled_features,
)
from nuzoo.evaluation.tasks.pre_training.probe_settings import ProbeSettings
from nuzoo.pipelines.finite_outputs import refuse_not_finite

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor


Health = Callable[..., dict[str, float]]
"""Measures what is peculiar to a way of learning.

It takes the network, its processor, the events that probes are fitted on, those that are measured, and by
name `target`, a column with a class for each hit, and `batch_size`. Without that column it leaves out what
needs it.
"""


def health_of_prototypes(
    model: PreTrainedModel,
    processor: EventProcessor,
    fitted_on: Dataset,
    tested_on: Dataset,
    *,
    target: str,
    batch_size: int,
) -> dict[str, float]:
    """Measure the health of a self-distillation, see `Health` and `health_of`."""
    return health_of(outputs_of(model, processor, tested_on, batch_size))


def measure(
    model: PreTrainedModel,
    processor: EventProcessor,
    rows: Dataset,
    settings: ProbeSettings,
    batch_size: int,
    health: Health = health_of_prototypes,
) -> dict[str, float]:
    """Measure a network on events, in evaluation mode.

    Args:
        model: For pre-training.
        processor: Its processor.
        rows: Events; without the truth of the probe there is none.
        settings: Of the probe.
        batch_size: Events per batch.
        health: What is measured beside the probe.

    Returns:
        See `health`; and `macro_f1` of the probe, where there are hits to fit and to measure it on.
    """
    was_training = model.training
    model.eval()
    fitted_on, tested_on = settings.split(rows)
    measured = health(model, processor, fitted_on, tested_on, target=settings.target, batch_size=batch_size)
    if settings.target in rows.column_names:
        with suppress(MissingTruthError):
            probe = fitted_probe(model, processor, fitted_on, settings, batch_size)
            counts = _confusion(
                probe, labelled_features(model, processor, tested_on, settings.target, batch_size)
            )
            if counts.any():
                measured["macro_f1"] = float(scores(counts)["macro_f1"])
    model.train(was_training)
    return measured


def _confusion(probe: LinearProbe, tested: Iterable[tuple[Tensor, Tensor, Tensor]]) -> NDArray[np.float64]:
    """Count the points of each class (true, given) that a probe tells."""
    classes = len(probe.bias)
    counts = np.zeros((classes, classes))
    for features, truth, _ in tested:
        known = (truth >= 0).cpu().numpy()
        given = probe(features).argmax(dim=1).cpu().numpy()[known]
        counts += event_confusion(truth.cpu().numpy()[known], given, classes)
    return counts


def outputs_of(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, batch_size: int, **asked: bool
) -> Iterator[Any]:
    """Give the outputs of a network for events, batch by batch; `asked` is of its `forward`.

    Raises:
        NonFiniteOutputError: One is NaN or infinite.
    """
    for batch in input_batches(processor, rows, batch_size, model.device):
        with torch.no_grad():
            outputs = model(**batch, **asked)
        refuse_not_finite(model, outputs)
        yield outputs
