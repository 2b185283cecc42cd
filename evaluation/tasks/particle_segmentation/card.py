"""What a model card says of found instances beside the results themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nuzoo.evaluation.core.errors import ResultsFileError
from nuzoo.evaluation.core.evaluator import Headline
from nuzoo.evaluation.core.predictions_file import check_headline
from nuzoo.evaluation.core.provenance import check_same_events
from nuzoo.evaluation.tasks.particle_segmentation.predictions import read_predictions
from nuzoo.evaluation.tasks.particle_segmentation.results import OVERALL, InstanceResults
from nuzoo.evaluation.tasks.particle_segmentation.scores import count_events, scores

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

METRICS_OF_THE_HUB = {
    "pq": "panoptic_quality",
    "pq_any": "panoptic_quality",
    "ari": "adjusted_rand_index",
    "f1_mean": "f1",
    "efficiency": "recall",
    "purity": "precision",
}

CAPTIONS = {
    "sizes": "Part of the true instances that are found, by the number of their hits",
    "classes": "Classes of matched instances",
}
"""Of the figures of the report, by the stem of their file."""


def headline(results: InstanceResults) -> list[Headline]:
    """Give the numbers that are defined of `OVERALL`, see `TaskEvaluator.headline`."""
    found = []
    for key, title in OVERALL.items():
        number = getattr(results.metrics, key)
        if number.value is not None:
            found.append(Headline(key, METRICS_OF_THE_HUB[key], title, number.value, number.error))
    if not found:
        raise ResultsFileError("results should have a number at metrics, no metric is defined: no instances")
    return found


def check_predictions(results: InstanceResults, file: Path) -> list[str]:
    """Compute the headline again, see `TaskEvaluator.check_predictions`."""
    predictions = read_predictions(file)
    check_same_events(results.dataset, predictions.event_id)
    background = [
        label
        for label, name in enumerate(results.class_names)
        if name not in results.dataset.instances_per_class
    ]
    counts = count_events(predictions.overlaps(background), len(results.class_names))
    again = scores(counts, np.ones(len(predictions.event_id)))
    check_headline(headline(results), again, file)
    return list(predictions.event_id)


def card_values(
    model: PreTrainedModel, processor: EventProcessor, results: InstanceResults
) -> dict[str, Any]:
    """Make the values of `model_cards/tasks/particle_segmentation.md`, see `TaskEvaluator.card_values`."""
    return {"captions": CAPTIONS}
