"""What measures masked autoencoding: a pre-training with its own tokens and losses."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from nuzoo.evaluation.tasks.pre_training.evaluator import PreTrainingEvaluator
from nuzoo.registry import import_object

HEALTH = "nuzoo.evaluation.tasks.masked_autoencoding.health.health_of_tokens"


class MaskedAutoencodingEvaluator(PreTrainingEvaluator):
    """Fulfils `nuzoo.evaluation.core.evaluator.TaskEvaluator`, which says what each method is for."""

    task: ClassVar[str] = "masked-autoencoding"

    @property
    def evaluate(self) -> Any:
        """Evaluate as any pre-training, with the health of tokens."""
        evaluate = import_object("nuzoo.evaluation.tasks.pre_training.evaluate.evaluate_pretraining")
        return partial(evaluate, health=import_object(HEALTH))


EVALUATOR = MaskedAutoencodingEvaluator()
