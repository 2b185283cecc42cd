"""What measures particle classification: the front of this folder; its numbers are those of events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from nuzoo.evaluation.core.evaluator import Option, imported
from nuzoo.evaluation.tasks.event_classification.evaluator import EventClassificationEvaluator

FOLDER = "nuzoo.evaluation.tasks.particle_classification"


class ParticleClassificationEvaluator(EventClassificationEvaluator):
    """Fulfils `nuzoo.evaluation.core.evaluator.TaskEvaluator`, which says what each method is for."""

    task: ClassVar[str] = "particle-classification"
    options: ClassVar[Sequence[Option]] = (
        Option("temperature", "divide logits by this, fit none", {"type": float}),
    )
    check_events = imported(f"{FOLDER}.evaluate.check_particles")
    describe = imported(f"{FOLDER}.evaluate.describe_particle_classifier")
    evaluate = imported(f"{FOLDER}.evaluate.evaluate_particles")
    card_values = imported(f"{FOLDER}.card.card_values")


EVALUATOR = ParticleClassificationEvaluator()
