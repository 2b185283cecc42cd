"""What was measured of a model, as its report folder tells it: complete, and of this very model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from transformers import PreTrainedModel

from nuzoo.evaluation.core.evaluator import TaskEvaluator
from nuzoo.evaluation.core.results import Results
from nuzoo.evaluation.core.subject import describe_model, processor_digest
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE
from nuzoo.hub.errors import MissingResultsError, ResultsMismatchError, UnpublishableContentError
from nuzoo.processors.contract import EventProcessor
from nuzoo.registry import Task, import_object

OF_THE_MODEL = ("class_name", "parameters", "dtype", "classes", "weights_sha256")


@dataclass(frozen=True)
class Report:
    """A report folder, read.

    Attributes:
        folder: As `nuzoo evaluate` wrote it.
        task: Whose evaluator measured.
        results: Of the evaluation.
    """

    folder: Path
    task: Task
    results: Results

    @property
    def evaluator(self) -> TaskEvaluator:
        """What measures the task."""
        return import_object(str(self.task.evaluator))

    @property
    def pictures(self) -> list[Path]:
        """The figures, in the order of their names."""
        return sorted(self.folder.glob("*.png"))

    def check_model(self, model: PreTrainedModel, processor: EventProcessor) -> None:
        """Refuse results that the model would not give.

        Raises:
            ResultsMismatchError: Other weights, classes, number format or processor.
        """
        described = describe_model(model)
        for key in OF_THE_MODEL:
            stated, found = getattr(self.results.model, key), getattr(described, key)
            if stated != found:
                raise ResultsMismatchError(
                    f"the results are of a model with {key.removesuffix('_name')} {stated}, this one has "
                    f"{found}; evaluate the model that is saved"
                )
        if self.results.processor.sha256 != processor_digest(processor):
            raise ResultsMismatchError(
                "the results were measured with another processor than the one that is saved; evaluate again "
                "with this one"
            )

    def check_events(self) -> list[str]:
        """Refuse results that the predictions beside them do not give, or of training events.

        Returns:
            Names of the events.

        Raises:
            ResultsFileError: A number or an event is another.
            ResultsMismatchError: The model was trained on them.
        """
        if self.results.dataset.split == "train":
            raise ResultsMismatchError(
                f"{self.folder / RESULTS_FILE} is of split 'train', a card shows held-out events: "
                "evaluate on another split"
            )
        return self.evaluator.check_predictions(self.results, self.folder / PREDICTIONS_FILE)


def read_report(folder: Path, run: Path, task: Task) -> Report:
    """Read a report folder.

    Args:
        folder: As `nuzoo evaluate` wrote it.
        run: Folder of the model, for messages.
        task: That was measured.

    Raises:
        MissingResultsError: There are no results.
        ResultsFileError: Something in them is missing or of another type.
        UnpublishableContentError: A file of the folder is a link to another place.
    """
    if links := sorted(path for path in folder.glob("*") if path.is_symlink()):
        raise UnpublishableContentError(
            f"{links[0]}: expected a file of the report, got a link, which may lead to anything; remove it, "
            "or put the file there"
        )
    file = folder / RESULTS_FILE
    if not file.is_file():
        raise MissingResultsError(
            f"no {RESULTS_FILE} in {folder}: a card shows measured results; run `nuzoo evaluate --model "
            f"{run} --data DATASET --out {folder}` first, or give --report FOLDER"
        )
    evaluator: TaskEvaluator = import_object(str(task.evaluator))
    return Report(folder, task, evaluator.read_results(file))
