"""What measures a task: the contract between training, evaluation, cards and publishing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import EvalPrediction, PreTrainedConfig, PreTrainedModel

    from nuzoo.evaluation.core.events import Events
    from nuzoo.processors.contract import EventProcessor


@dataclass(frozen=True)
class Headline:
    """One of the few numbers that stand for an evaluation.

    Attributes:
        key: Its name in the results file.
        metric: The type of metric that the Hub knows it by.
        title: For people.
        value: The number.
        error: Its standard error, if there is one.
    """

    key: str
    metric: str
    title: str
    value: float
    error: float | None


class TaskEvaluator(Protocol):
    """Measures networks at a task.

    Attributes:
        task: Name of the task.
    """

    task: ClassVar[str]

    def check_events(self, rows: Dataset | None, split: str, config: PreTrainedConfig) -> None:
        """Refuse events that a network cannot be trained or measured on.

        Args:
            rows: Of one split; None where there is no such split.
            split: Its name, for the message.
            config: Of the network.

        Raises:
            UnusableDatasetError: No events, a column missing, no truth, or truth in other classes.
        """

    def training_metrics(self, prediction: EvalPrediction) -> dict[str, float]:
        """The `compute_metrics` of the Trainer.

        Args:
            prediction: Of the validation events.
        """

    def evaluate(
        self, model: PreTrainedModel, processor: EventProcessor, events: Events, *, out: Path, **options: Any
    ) -> Any:
        """Measure a network and write results and predictions.

        Args:
            model: The network.
            processor: Its processor.
            events: What it is measured on.
            out: Folder for `results.json` and `predictions.parquet`; made if absent.
            **options: Of the task, such as `batch_size` and `sample`; an unknown one is refused by name.

        Returns:
            The results.
        """

    def write_report(self, out: Path) -> Path:
        """Write the report and its figures beside results and predictions.

        Args:
            out: Their folder.

        Returns:
            The report.
        """

    def read_results(self, file: Path) -> Any:
        """Read results, checked whole.

        Args:
            file: That `evaluate` wrote.

        Raises:
            ResultsFileError: It is not of this task, or something in it is missing or of another type.
        """

    def check_predictions(self, results: Any, file: Path) -> list[str]:
        """Compute the headline numbers again from the predictions beside them.

        Args:
            results: Of the evaluation.
            file: The predictions.

        Returns:
            Names of the events.

        Raises:
            ResultsFileError: The numbers are not what the predictions give.
        """

    def headline(self, results: Any) -> list[Headline]:
        """The numbers that stand for the evaluation, the most important one first.

        Args:
            results: Of the evaluation.
        """

    def card_values(self, model: PreTrainedModel, processor: EventProcessor, results: Any) -> dict[str, Any]:
        """Values for the task's section of a model card.

        Args:
            model: The network.
            processor: Its processor.
            results: Of the evaluation.
        """
