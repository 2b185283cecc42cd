"""What a model card says of an event classifier beside the results themselves."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.errors import ResultsFileError
from nuzoo.evaluation.core.evaluator import Headline
from nuzoo.evaluation.core.predictions_file import check_headline
from nuzoo.evaluation.core.provenance import check_same_events
from nuzoo.evaluation.core.text import with_error
from nuzoo.evaluation.tasks.event_classification.numbers import checked_logits, scores
from nuzoo.evaluation.tasks.event_classification.predictions import read_predictions
from nuzoo.evaluation.tasks.event_classification.results import (
    HALF_RESOLUTION_MEANING,
    OVERALL,
    Calibration,
    ClassificationResults,
    ClassifiedEvents,
)
from nuzoo.files.plain_text import plain

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

METRICS_OF_THE_HUB = {
    "accuracy": "accuracy",
    "macro_precision": "precision",
    "macro_recall": "recall",
    "macro_auc": "roc_auc",
}

CLASS_DEFINITIONS = {
    "nue_cc": "charged-current interaction of an electron neutrino or antineutrino; an electron leaves it",
    "numu_cc": "charged-current interaction of a muon neutrino or antineutrino; a muon leaves it",
    "nutau_cc": "charged-current interaction of a tau neutrino or antineutrino; a tau lepton leaves it",
    "nc": "neutral-current interaction of a neutrino of any flavour; the lepton that leaves it has no charge",
}

CAPTIONS = {
    "confusion": "Confusion matrices",
    "roc": "ROC curve of each class against the others",
    "confidence": "Confidence of correct and wrong answers",
    "reliability": "Reliability before and after temperature scaling",
    "energy": "Efficiency and purity against neutrino energy",
}
"""Of the figures of the report, by the stem of their file."""


def headline(results: ClassifiedEvents) -> list[Headline]:
    """Give accuracy, macro precision, macro recall and macro AUC, see `TaskEvaluator.headline`."""
    found = []
    for key, title in OVERALL.items():
        number = getattr(results.metrics, key)
        if number.value is None:
            raise ResultsFileError(f"results should have a number at metrics.{key}.value, they have None")
        found.append(Headline(key, METRICS_OF_THE_HUB[key], title, number.value, number.error))
    return found


def check_predictions(results: ClassificationResults, file: Path) -> list[str]:
    """Compute the headline again, see `TaskEvaluator.check_predictions`."""
    predictions = read_predictions(file)
    check_same_events(results.dataset, predictions.event_id)
    logits = checked_logits(predictions.logits, len(predictions.label), len(results.class_names))
    temperature = results.calibration.temperature.value
    again = scores(probabilities(logits, temperature), predictions.label)
    check_headline(headline(results), again, file)
    return predictions.event_id


def card_values(
    model: PreTrainedModel, processor: EventProcessor, results: ClassificationResults
) -> dict[str, Any]:
    """Make the values of `model_cards/tasks/event_classification.md`, see `TaskEvaluator.card_values`."""
    measured, stored = results.calibration.temperature.value, model.config.temperature
    if not math.isclose(measured, stored, rel_tol=1e-6):
        raise ResultsFileError(
            f"the results were measured with temperature {measured:.6g}, the model's configuration has "
            f"{stored:.6g}; set model.config.temperature to the measured one"
        )
    return {
        "captions": CAPTIONS,
        "class_definitions": CLASS_DEFINITIONS,
        "confidence": _confidence(results.calibration),
        "half_resolution_meaning": HALF_RESOLUTION_MEANING,
    }


def _confidence(calibration: Calibration) -> str:
    """Say what a probability of this model is worth, without praise."""
    temperature = calibration.temperature
    if not temperature.is_fitted:
        return "Probabilities are not calibrated: no temperature was fitted"
    return (
        "Probabilities come after one temperature, fitted on the validation split "
        f"({plain(temperature.fitted_on)}); on the events measured here that changed the expected "
        f"calibration error from {with_error(calibration.ece_before)} to {with_error(calibration.ece_after)}"
    )
