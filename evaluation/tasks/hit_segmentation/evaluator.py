"""What measures hit segmentation: the front of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nuzoo.evaluation.core.evaluator import Option, imported

if TYPE_CHECKING:
    from nuzoo.evaluation.tasks.hit_segmentation.results import SegmentationResults

FOLDER = "nuzoo.evaluation.tasks.hit_segmentation"


class HitSegmentationEvaluator:
    """Fulfils `nuzoo.evaluation.core.evaluator.TaskEvaluator`, which says what each method is for."""

    task: ClassVar[str] = "hit-segmentation"
    options: ClassVar[Sequence[Option]] = ()
    comparison = None
    store_calibration = None
    check_events = imported(f"{FOLDER}.evaluate.check_events")
    training_metrics = imported(f"{FOLDER}.evaluate.training_metrics")
    describe = imported(f"{FOLDER}.evaluate.describe_segmenter")
    evaluate = imported(f"{FOLDER}.evaluate.evaluate_segmenter")
    write_report = imported(f"{FOLDER}.report.write_report")
    answers = imported(f"{FOLDER}.answers.ANSWERS")
    check_predictions = imported(f"{FOLDER}.card.check_predictions")
    report_cross_validation = imported(f"{FOLDER}.evaluate.report_cross_validation")
    headline = imported(f"{FOLDER}.card.headline")
    card_values = imported(f"{FOLDER}.card.card_values")

    def read_results(self, file: Path) -> SegmentationResults:
        """Read results, checked whole."""
        from nuzoo.evaluation.core.results_file import read_results
        from nuzoo.evaluation.tasks.hit_segmentation.results import SegmentationResults

        return read_results(file, SegmentationResults)


EVALUATOR = HitSegmentationEvaluator()
