"""What a model card says of a hit segmentation beside the results themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.evaluation.core.errors import ResultsFileError
from nuzoo.evaluation.core.evaluator import Headline
from nuzoo.evaluation.core.predictions_file import check_headline
from nuzoo.evaluation.core.provenance import check_same_events
from nuzoo.evaluation.tasks.hit_segmentation.numbers import scores
from nuzoo.evaluation.tasks.hit_segmentation.predictions import read_predictions
from nuzoo.evaluation.tasks.hit_segmentation.results import OVERALL, SegmentationResults, SegmentedHits

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

METRICS_OF_THE_HUB = {
    "macro_f1": "f1",
    "mean_iou": "mean_iou",
    "macro_precision": "precision",
    "macro_recall": "recall",
    "accuracy": "accuracy",
}

_ELECTRONS = {
    "michel": "the electron of a muon that decays at rest",
    "delta": "an electron that a track knocks out",
}

CLASS_DEFINITIONS = {
    "motif": {
        "shower": "electrons and photons that shower",
        "track": "charged particles that do not shower",
        **_ELECTRONS,
        "led": "a low-energy deposit, far from anything else",
    },
    "role": {
        "primary": "of a particle that leaves the vertex of its interaction",
        **_ELECTRONS,
        "other": "of a secondary particle, or a low-energy deposit",
    },
}
"""By what is learnt, and class."""

CAPTIONS = {
    "classes": "F1, purity and efficiency of each class",
    "confusion": "Confusion matrix of the hits",
    "michel": "Energy of Michel electrons, true and reconstructed",
}
"""Of the figures of the report, by the stem of their file."""


def headline(results: SegmentedHits) -> list[Headline]:
    """Give the numbers of all classes together, see `TaskEvaluator.headline`."""
    found = []
    for key, title in OVERALL.items():
        number = getattr(results.metrics, key)
        if number.value is None:
            raise ResultsFileError(f"results should have a number at metrics.{key}.value, they have None")
        found.append(Headline(key, METRICS_OF_THE_HUB[key], title, number.value, number.error))
    return found


def check_predictions(results: SegmentationResults, file: Path) -> list[str]:
    """Compute the headline again, see `TaskEvaluator.check_predictions`."""
    predictions = read_predictions(file)
    check_same_events(results.dataset, list(predictions.event_id))
    again = scores(predictions.confusions(len(results.class_names)).sum(axis=0))
    check_headline(headline(results), again, file)
    return list(predictions.event_id)


def card_values(
    model: PreTrainedModel, processor: EventProcessor, results: SegmentationResults
) -> dict[str, Any]:
    """Make the values of `model_cards/tasks/hit_segmentation.md`, see `TaskEvaluator.card_values`."""
    return {"captions": CAPTIONS, "class_definitions": CLASS_DEFINITIONS.get(results.target, {})}
