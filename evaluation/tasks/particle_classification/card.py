"""What a model card says of a particle classifier beside the results themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nuzoo.evaluation.tasks.event_classification import card as of_events

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.evaluation.tasks.event_classification.results import ClassificationResults
    from nuzoo.processors.contract import EventProcessor

CLASS_DEFINITIONS = {
    "proton": "a proton",
    "pion": "a charged pion of either sign",
    "muon": "a muon of either sign",
    "electron": "an electron or a positron",
    "photon": "a photon",
    "none": "any other particle",
}


def card_values(
    model: PreTrainedModel, processor: EventProcessor, results: ClassificationResults
) -> dict[str, Any]:
    """Make the values of `model_cards/tasks/particle_classification.md`, see `TaskEvaluator.card_values`."""
    return of_events.card_values(model, processor, results) | {"class_definitions": CLASS_DEFINITIONS}
