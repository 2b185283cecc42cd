"""The folder of a training with what was measured of it: all that a published model needs, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.evaluation.core.evaluate_model import task_of
from nuzoo.evaluation.core.training_facts import RunFiles, read_run, training_facts
from nuzoo.files.names import PLAN_FILE, PREDICTIONS_FILE, REPORT_FOLDER, TRAINING_EVENTS_FILE
from nuzoo.hub.errors import MissingResultsError, NotPublishedError
from nuzoo.hub.model.base_model import adapter_facts
from nuzoo.hub.model.card import Publication
from nuzoo.hub.model.dataset_reference import find_measured
from nuzoo.hub.model.dataset_story import dataset_story
from nuzoo.hub.model.files import check_finite
from nuzoo.hub.model.report import Report, read_report
from nuzoo.hub.pinned import Pinned
from nuzoo.pipelines.loading import load_model
from nuzoo.processors.contract import EventProcessor


@dataclass(frozen=True)
class MeasuredRun:
    """A trained model, the report on it, and what its folder tells.

    Attributes:
        folder: Of the training.
        model: The network.
        processor: Its fitted processor.
        report: What was measured.
        event_ids: Names of the measured events.
        told: The files of the training.
        of_task: What the task says on the card.
    """

    folder: Path
    model: PreTrainedModel
    processor: EventProcessor
    report: Report
    event_ids: list[str]
    told: RunFiles
    of_task: Mapping[str, Any]

    def publication(self, name: str, dataset: Pinned, *, base: Pinned | None, **fields: Any) -> Publication:
        """Put together what a repository says of the model.

        Args:
            name: Of the repository, or of a bundled model.
            dataset: That it was trained and measured on.
            base: The network of an adapter.
            **fields: More of `Publication`.

        Raises:
            ResultsMismatchError: The measured events are not of this dataset.
        """
        report, results = self.report, self.report.results
        targets = report.task.targets_of(vars(self.model.config))
        events = find_measured(dataset, results.dataset, self.event_ids, targets)
        adapter = adapter_facts(self.folder, base) if base else {}
        return Publication(
            name,
            self.model,
            self.processor,
            report,
            self.of_task,
            dataset,
            training=training_facts(self.told) | adapter,
            events=dataset_story(events, results.dataset, report.folder / PREDICTIONS_FILE, self.told.recipe),
            arguments=self.told.arguments,
            base=base,
            training_events=self.folder / TRAINING_EVENTS_FILE,
            **fields,
        )


def read_measured(run: Path, report: Path | None) -> MeasuredRun:
    """Load a trained model and the report on it, and check that they belong together.

    Args:
        run: Folder of the training, with a calibrated network and its processor.
        report: Folder that `nuzoo evaluate` wrote; `run/report` by default.

    Raises:
        NotPublishedError: The folder holds a dataset.
        MissingResultsError: Nothing was measured.
        ResultsMismatchError: The report is of another model, or of training events.
        UnpublishableContentError: Weights that are no numbers.
    """
    if (run / PLAN_FILE).exists():
        raise NotPublishedError(f"{run} holds a dataset: add --type dataset")
    model, processor = load_model(str(run))
    try:
        task, _ = task_of(model)
    except EvaluationError as error:
        raise MissingResultsError(f"{error}; or push it (`push_to_hub`), which makes no card") from error
    measured = read_report(report or run / REPORT_FOLDER, run, task)
    check_finite(model)
    measured.check_model(model, processor)
    of_task = measured.evaluator.card_values(model, processor, measured.results)
    return MeasuredRun(run, model, processor, measured, measured.check_events(), read_run(run), of_task)
