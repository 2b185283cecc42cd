"""What measures event classification: the front of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nuzoo.evaluation.core.evaluator import Option, TaskComparison, imported

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.evaluation.tasks.event_classification.results import ClassificationResults

FOLDER = "nuzoo.evaluation.tasks.event_classification"

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
    check_events = imported(f"{FOLDER}.evaluate.check_events")
    training_metrics = imported(f"{FOLDER}.evaluate.training_metrics")
    describe = imported(f"{FOLDER}.evaluate.describe_classifier")
    evaluate = imported(f"{FOLDER}.evaluate.evaluate_classifier")
    write_report = imported(f"{FOLDER}.report.write_report")
    answers = imported(f"{FOLDER}.answers.ANSWERS")
    check_predictions = imported(f"{FOLDER}.card.check_predictions")
    report_cross_validation = imported(f"{FOLDER}.evaluate.report_cross_validation")
    headline = imported(f"{FOLDER}.card.headline")
    card_values = imported(f"{FOLDER}.card.card_values")

    @property
    def comparison(self) -> TaskComparison:
        """What puts classifiers side by side."""
        from nuzoo.evaluation.comparison.comparison import ClassifierComparison

        return ClassifierComparison()

    def read_results(self, file: Path) -> ClassificationResults:
        """Read results, checked whole."""
        from nuzoo.evaluation.core.results_file import read_results
        from nuzoo.evaluation.tasks.event_classification.results import ClassificationResults

        return read_results(file, ClassificationResults)

    def store_calibration(self, model: PreTrainedModel, folder: Path, results: Any) -> None:
        """Store the fitted temperature, if one was found, in the configuration, or beside an adapter."""
        from nuzoo.modeling.adapter_files import write_calibration
        from nuzoo.modeling.modeling_utils_nu import has_adapter

        if results.calibration.temperature.warning:
            return
        model.config.temperature = results.calibration.temperature.value
        if has_adapter(model):
            write_calibration(folder, model.config.temperature)
        else:
            model.config.save_pretrained(folder)


EVALUATOR = EventClassificationEvaluator()
