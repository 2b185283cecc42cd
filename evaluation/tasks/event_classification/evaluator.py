"""What measures event classification: the front of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nuzoo.evaluation.comparison.comparison import ClassifierComparison
from nuzoo.evaluation.core.evaluator import Option
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.tasks.event_classification.card import card_values, check_predictions, headline
from nuzoo.evaluation.tasks.event_classification.evaluate import (
    check_events,
    describe_classifier,
    evaluate_classifier,
    report_cross_validation,
    training_metrics,
)
from nuzoo.evaluation.tasks.event_classification.report import write_report
from nuzoo.evaluation.tasks.event_classification.results import ClassificationResults

if TYPE_CHECKING:
    from transformers import PreTrainedModel

NUMBERS = {"type": float, "nargs": "+"}


class EventClassificationEvaluator:
    """Fulfils `nuzoo.evaluation.core.evaluator.TaskEvaluator`, which says what each method is for."""

    task: ClassVar[str] = "event-classification"
    options: ClassVar[Sequence[Option]] = (
        Option(
            "temperature", "divide logits by this, fit none (the VLM paper's T = 5: 0.2)", {"type": float}
        ),
        Option("prompt", "ask a vision-language model with another prompt: a name or file"),
        Option(
            "few-shot",
            "show it one solved training event of each class before each",
            {"action": "store_true"},
        ),
        Option("energy-edges", "bins of efficiency and purity, GeV", NUMBERS, alters_model=False),
    )
    comparison: ClassVar = ClassifierComparison()

    check_events = staticmethod(check_events)
    training_metrics = staticmethod(training_metrics)
    describe = staticmethod(describe_classifier)
    evaluate = staticmethod(evaluate_classifier)
    write_report = staticmethod(write_report)
    check_predictions = staticmethod(check_predictions)
    report_cross_validation = staticmethod(report_cross_validation)
    headline = staticmethod(headline)
    card_values = staticmethod(card_values)

    def read_results(self, file: Path) -> ClassificationResults:
        """Read results, checked whole."""
        return read_results(file, ClassificationResults)

    def store_calibration(self, model: PreTrainedModel, folder: Path, results: Any) -> None:
        """Store the fitted temperature in the configuration, or beside an adapter."""
        from nuzoo.modeling.adapter_files import write_calibration
        from nuzoo.modeling.modeling_utils_nu import has_adapter

        model.config.temperature = results.calibration.temperature.value
        if has_adapter(model):
            write_calibration(folder, model.config.temperature)
        else:
            model.config.save_pretrained(folder)


EVALUATOR = EventClassificationEvaluator()
