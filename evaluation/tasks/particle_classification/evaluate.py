"""Measure a classifier of particles, as one of events is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nuzoo.evaluation.tasks.event_classification.evaluate import evaluate_classifier

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.evaluation.core.events import Events
    from nuzoo.evaluation.tasks.event_classification.results import ClassificationResults
    from nuzoo.processors.contract import EventProcessor


def evaluate_particles(
    model: PreTrainedModel, processor: EventProcessor, events: Events, **options: Any
) -> ClassificationResults:
    """Run a classifier over events with one particle, see `evaluate_classifier`, at full resolution alone.

    Args:
        model: Particle classifier.
        processor: Its processor.
        events: Those of `validation` fit the temperature.
        **options: See `evaluate_classifier`.
    """
    return evaluate_classifier(model, processor, events, half_resolution=False, **options)
