"""What measures masked modelling of events: the front of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nuzoo.evaluation.core.evaluator import Option, imported

if TYPE_CHECKING:
    from nuzoo.evaluation.tasks.masked_event_modelling.results import MaskedEventResults

FOLDER = "nuzoo.evaluation.tasks.masked_event_modelling"


class MaskedEventEvaluator:
    """Fulfils `nuzoo.evaluation.core.evaluator.TaskEvaluator`, which says what each method is for."""

    task: ClassVar[str] = "masked-event-modelling"
    options: ClassVar[Sequence[Option]] = (
        Option("target", "column of classes of events that a linear probe tells", alters_model=False),
    )
    comparison = None
    store_calibration = None
    training_metrics = None
    report_cross_validation = None
    check_events = imported(f"{FOLDER}.evaluate.check_events")
    describe = imported(f"{FOLDER}.evaluate.describe_masked_modelling")
    evaluate = imported(f"{FOLDER}.evaluate.evaluate_masked_modelling")
    write_report = imported(f"{FOLDER}.report.write_report")
    answers = imported(f"{FOLDER}.answers.ANSWERS")
    check_predictions = imported("nuzoo.evaluation.tasks.event_classification.card.check_predictions")
    headline = imported(f"{FOLDER}.report.headline")
    card_values = imported(f"{FOLDER}.report.card_values")

    def read_results(self, file: Path) -> MaskedEventResults:
        """Read results, checked whole."""
        from nuzoo.evaluation.core.results_file import read_results
        from nuzoo.evaluation.tasks.masked_event_modelling.results import MaskedEventResults

        return read_results(file, MaskedEventResults)


EVALUATOR = MaskedEventEvaluator()
