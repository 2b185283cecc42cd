"""What measures the reconstruction of events: the front of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from nuzoo.evaluation.core.evaluator import Option, imported

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.evaluation.tasks.event_reconstruction.results import ReconstructionResults

FOLDER = "nuzoo.evaluation.tasks.event_reconstruction"


class EventReconstructionEvaluator:
    """Fulfils `nuzoo.evaluation.core.evaluator.TaskEvaluator`, which says what each method is for."""

    task: ClassVar[str] = "event-reconstruction"
    options: ClassVar[Sequence[Option]] = (
        Option(
            "weights",
            "nominal: events count by their column weight, as tau neutrinos are enriched; equal: one each "
            "(default: nominal where there are weights)",
            {"choices": ("nominal", "equal")},
            alters_model=False,
        ),
        Option(
            "expected-events",
            "interactions that S/√(S+B) is for (default: the sum of the weights)",
            {"type": float},
            alters_model=False,
        ),
    )
    comparison = None
    report_cross_validation = None
    training_metrics = imported(f"{FOLDER}.training_metrics.training_metrics")
    check_events = imported(f"{FOLDER}.truth.check_events")
    describe = imported(f"{FOLDER}.evaluate.describe_reconstruction")
    evaluate = imported(f"{FOLDER}.evaluate.evaluate_reconstruction")
    write_report = imported(f"{FOLDER}.report.write_report")
    answers = imported(f"{FOLDER}.answers.ANSWERS")
    check_predictions = imported(f"{FOLDER}.card.check_predictions")
    headline = imported(f"{FOLDER}.card.headline")
    card_values = imported(f"{FOLDER}.card.card_values")

    def read_results(self, file: Path) -> ReconstructionResults:
        """Read results, checked whole."""
        from nuzoo.evaluation.core.results_file import read_results
        from nuzoo.evaluation.tasks.event_reconstruction.results import ReconstructionResults

        return read_results(file, ReconstructionResults)

    def store_calibration(self, model: PreTrainedModel, folder: Path, results: Any) -> None:
        """Store the temperatures that were found in the configuration."""
        for field, of in (("temperature", results.flavour), ("charm_temperature", results.charm)):
            if not of.calibration.temperature.warning:
                setattr(model.config, field, of.calibration.temperature.value)
        model.config.save_pretrained(folder)


EVALUATOR = EventReconstructionEvaluator()
