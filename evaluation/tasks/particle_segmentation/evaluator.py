"""What measures the segmentation into particles or interactions: the front of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nuzoo.evaluation.core.evaluator import Option, imported

if TYPE_CHECKING:
    from nuzoo.evaluation.tasks.particle_segmentation.results import InstanceResults

FOLDER = "nuzoo.evaluation.tasks.particle_segmentation"


class ParticleSegmentationEvaluator:
    """Fulfils `nuzoo.evaluation.core.evaluator.TaskEvaluator`, which says what each method is for."""

    task: ClassVar[str] = "particle-segmentation"
    options: ClassVar[Sequence[Option]] = ()
    comparison = None
    store_calibration = None
    training_metrics = None
    report_cross_validation = None
    check_events = imported(f"{FOLDER}.evaluate.check_events")
    describe = imported(f"{FOLDER}.evaluate.describe_instances")
    evaluate = imported(f"{FOLDER}.evaluate.evaluate_instances")
    write_report = imported(f"{FOLDER}.report.write_report")
    answers = imported(f"{FOLDER}.answers.ANSWERS")
    check_predictions = imported(f"{FOLDER}.card.check_predictions")
    headline = imported(f"{FOLDER}.card.headline")
    card_values = imported(f"{FOLDER}.card.card_values")

    def read_results(self, file: Path) -> InstanceResults:
        """Read results, checked whole."""
        from nuzoo.evaluation.core.results_file import read_results
        from nuzoo.evaluation.tasks.particle_segmentation.results import InstanceResults

        return read_results(file, InstanceResults)


EVALUATOR = ParticleSegmentationEvaluator()
