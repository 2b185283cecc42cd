"""How well a masked autoencoder reconstructs, and what its tokens know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nuzoo.evaluation.tasks.masked_autoencoding.svm_probe import svm_scores, tokens_of
from nuzoo.evaluation.tasks.pre_training.measure import outputs_of

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

LOSSES = ("chamfer_loss", "energy_loss")


def health_of_tokens(
    model: PreTrainedModel,
    processor: EventProcessor,
    fitted_on: Dataset,
    tested_on: Dataset,
    *,
    target: str,
    batch_size: int,
) -> dict[str, float]:
    """Measure a masked autoencoder, see `nuzoo.evaluation.tasks.pre_training.measure.Health`.

    Returns:
        `chamfer_loss` and `energy_loss`, means over batches, with the masks of evaluation; and `svm_scores`.
    """
    measured = _losses(model, processor, tested_on, batch_size)
    if target in tested_on.column_names and len(fitted_on):
        names = list(processor.schema[target].classes)
        fitted, tested = (
            tokens_of(model, processor, rows, target, batch_size) for rows in (fitted_on, tested_on)
        )
        measured |= svm_scores(fitted, tested, names)
    return measured


def _losses(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, batch_size: int
) -> dict[str, float]:
    outputs = outputs_of(model, processor, rows, batch_size, return_loss=True)
    found = [[float(output[name]) for name in LOSSES] for output in outputs]
    return dict(zip(LOSSES, np.mean(found, axis=0).tolist(), strict=True)) if found else {}
