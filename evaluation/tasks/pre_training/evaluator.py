"""What measures pre-training: the front of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nuzoo.evaluation.core.evaluator import Option, imported

if TYPE_CHECKING:
    from nuzoo.evaluation.tasks.pre_training.results import PreTrainingResults

FOLDER = "nuzoo.evaluation.tasks.pre_training"


class PreTrainingEvaluator:
    """Fulfils `nuzoo.evaluation.core.evaluator.TaskEvaluator`, which says what each method is for."""

    task: ClassVar[str] = "pre-training"
    options: ClassVar[Sequence[Option]] = (
        Option("target", "column of classes of hits that a linear probe tells", alters_model=False),
    )
    comparison = None
    store_calibration = None
    training_metrics = None
    report_cross_validation = None
    check_events = imported(f"{FOLDER}.evaluate.check_events")
    describe = imported(f"{FOLDER}.evaluate.describe_pretrained")
    evaluate: Any = imported(f"{FOLDER}.evaluate.evaluate_pretraining")
    write_report = imported(f"{FOLDER}.report.write_report")
    answers = imported("nuzoo.evaluation.tasks.hit_segmentation.answers.ANSWERS")
    check_predictions = imported("nuzoo.evaluation.tasks.hit_segmentation.card.check_predictions")
    headline = imported("nuzoo.evaluation.tasks.hit_segmentation.card.headline")
    card_values = imported("nuzoo.evaluation.tasks.hit_segmentation.card.card_values")

    def read_results(self, file: Path) -> PreTrainingResults:
        """Read results, checked whole."""
        from nuzoo.evaluation.core.results_file import read_results
        from nuzoo.evaluation.tasks.pre_training.results import PreTrainingResults

        return read_results(file, PreTrainingResults)


EVALUATOR = PreTrainingEvaluator()
