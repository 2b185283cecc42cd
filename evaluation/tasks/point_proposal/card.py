"""What a model card says of proposed points of interest beside the results themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nuzoo.evaluation.core.errors import ResultsFileError
from nuzoo.evaluation.core.evaluator import Headline
from nuzoo.evaluation.core.predictions_file import check_headline
from nuzoo.evaluation.core.provenance import check_same_events
from nuzoo.evaluation.tasks.point_proposal.numbers import count_points, scores
from nuzoo.evaluation.tasks.point_proposal.predictions import read_predictions
from nuzoo.evaluation.tasks.point_proposal.results import OVERALL, ProposalResults

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

METRICS_OF_THE_HUB = {
    "f1": "f1",
    "precision": "precision",
    "recall": "recall",
    "distance_median_mm": "distance",
}

KIND_DEFINITIONS = {
    "vertex": "where the particles of an interaction begin",
    "track_end": "an end of a track that is no vertex: where it stops, or enters or leaves the detector",
}

CAPTIONS = {"distances": "Distances of found points of interest from true ones"}
"""Of the figures of the report, by the stem of their file."""


def headline(results: ProposalResults) -> list[Headline]:
    """Give the numbers that are defined of `OVERALL`, see `TaskEvaluator.headline`."""
    found = []
    for key, title in OVERALL.items():
        number = getattr(results.metrics, key)
        if number.value is not None:
            found.append(Headline(key, METRICS_OF_THE_HUB[key], title, number.value, number.error))
    if not found:
        raise ResultsFileError("results should have a number at metrics, no metric is defined: no points")
    return found


def check_predictions(results: ProposalResults, file: Path) -> list[str]:
    """Compute the headline again, see `TaskEvaluator.check_predictions`."""
    predictions = read_predictions(file)
    check_same_events(results.dataset, predictions.event_id)
    counts = count_points(predictions, len(results.class_names), results.voxel_mm)
    check_headline(headline(results), scores(counts, np.ones(len(predictions.event_id))), file)
    return list(predictions.event_id)


def card_values(
    model: PreTrainedModel, processor: EventProcessor, results: ProposalResults
) -> dict[str, Any]:
    """Make the values of `model_cards/tasks/point_proposal.md`, see `TaskEvaluator.card_values`."""
    return {"captions": CAPTIONS, "class_definitions": KIND_DEFINITIONS}
