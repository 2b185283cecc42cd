"""What measures a task: the contract between training, evaluation, cards and publishing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from nuzoo.registry import import_object

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import EvalPrediction, PreTrainedConfig, PreTrainedModel

    from nuzoo.evaluation.core.answers import AnswerReader
    from nuzoo.evaluation.core.events import Events
    from nuzoo.evaluation.core.results import Results, Subject
    from nuzoo.evaluation.core.training_facts import Training
    from nuzoo.processors.contract import EventProcessor


def imported(path: str) -> Any:
    """Make an attribute that is imported when it is first asked for: `options` are read without it.

    Args:
        path: What it is, dotted.
    """
    return property(lambda _: import_object(path))


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

    @property
    def told(self) -> str:
        """The number in words: accuracy 0.934 ± 0.011."""
        error = "" if self.error is None else f" ± {self.error:.3f}"
        return f"{self.title.lower()} {self.value:.3f}{error}"


@dataclass(frozen=True)
class Option:
    """Something that users may ask of the evaluation of a task, and of no other.

    Attributes:
        flag: On the command line, without dashes; `evaluate` takes "energy-edges" as `energy_edges`.
        help: For people.
        arguments: More arguments of `argparse.ArgumentParser.add_argument`.
        alters_model: What is measured is not the model as it was saved.
    """

    flag: str
    help: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    alters_model: bool = True

    @property
    def name(self) -> str:
        """The argument of `evaluate`."""
        return self.flag.replace("-", "_")


class TaskComparison(Protocol):
    """Puts networks that were measured at a task side by side."""

    def check(self, subjects: Mapping[str, Subject]) -> None:
        """Refuse networks, by name, that cannot be compared, before they are measured.

        Raises:
            ComparisonError: With what differs.
        """

    @property
    def is_measured(self) -> Callable[..., bool]:
        """Say whether a folder holds this very evaluation already.

        It takes the folder of the report; the `Subject` that would be measured; the configuration of the
        network; and by name the options of `evaluate`, and `calibrate`: the result is stored in the model.
        """

    def write(self, trainings: Mapping[str, Training], out: Path) -> Path:
        """Write the comparison of evaluations in a folder.

        Args:
            trainings: What is known of the training of each network, by the name of its folder in `out`.
            out: The folder.

        Returns:
            The report.

        Raises:
            ComparisonError: They were not measured on the same events.
        """


class TaskEvaluator(Protocol):
    """Measures networks at a task.

    Attributes:
        task: Name of the task.
        options: What `evaluate` takes beside `batch_size` and `sample`.
        comparison: How networks are compared at it; None where that is not foreseen.
        answers: Reads answers to events from a file of anybody; None where a benchmark is not foreseen.
        store_calibration: Takes a network, its folder and its results, and stores there what calibrates it;
            None where nothing is calibrated.
    """

    task: ClassVar[str]
    options: ClassVar[Sequence[Option]]

    @property
    def comparison(self) -> TaskComparison | None:
        """See the attributes."""

    @property
    def answers(self) -> AnswerReader | None:
        """See the attributes."""

    @property
    def store_calibration(self) -> Callable[[PreTrainedModel, Path, Any], None] | None:
        """See the attributes."""

    def check_events(self, rows: Dataset | None, split: str, config: PreTrainedConfig) -> None:
        """Refuse the events of a split that a network cannot be trained or measured on; None is no split.

        Raises:
            UnusableDatasetError: No events, a column missing, no truth, or truth in other classes.
        """

    @property
    def training_metrics(self) -> Callable[[EvalPrediction], dict[str, float]] | None:
        """Compute the `compute_metrics` of the Trainer, of the validation events.

        None where their loss alone is watched: what the network tells of all of them is too much to keep.
        """

    def describe(
        self, model: PreTrainedModel, processor: EventProcessor, events: Events, sample: str | None = None
    ) -> Subject:
        """Say what is measured on what, after a check.

        Call it on a network that has not been used: bitsandbytes packs 4-bit weights anew in the first
        forward pass on a CPU, and the digest changes.

        Args:
            model: The network.
            processor: Its processor.
            events: What it is measured on.
            sample: What the events are called; needed unless all are our simulation.

        Raises:
            UnusableDatasetError: See `check_events`.
            EvaluationError: Events of unnamed origin, or validation events among those of the report.
        """

    @property
    def evaluate(self) -> Callable[..., Results]:
        """Measure a network and write results and predictions.

        It takes the network, its processor and the `Events`; and by name `out`, the folder for
        `results.json` and `predictions.parquet`, made if absent; `batch_size`; `sample`, see `describe`; and
        `options`.

        Raises:
            UnusableDatasetError: See `check_events`.
            EvaluationError: See `describe`; or the network gave what cannot be measured.
        """

    def write_report(self, out: Path) -> Path:
        """Write the report and its figures beside results and predictions, and return its path.

        Raises:
            ResultsFileError: A file cannot be read, or the two are not of one evaluation.
        """

    def read_results(self, file: Path) -> Results:
        """Read results that `evaluate` wrote, checked whole.

        Raises:
            ResultsFileError: It is not of this task, or something in it is missing or of another type.
        """

    def check_predictions(self, results: Any, file: Path) -> list[str]:
        """Compute the headline numbers again from the predictions, and return the names of the events.

        Raises:
            ResultsFileError: The numbers are not what the predictions give.
        """

    @property
    def report_cross_validation(self) -> Callable[..., Any] | None:
        """Write results, predictions and figures of pooled held-out folds; None where that is not foreseen.

        It takes for each row the logits of the network that has not seen it; the `Dataset` of the rows, with
        the truth; the configuration of the networks; how many folds there are; the folder, made if absent;
        and `sample`, see `describe`. It returns the results, which have a headline.
        """

    def headline(self, results: Any) -> list[Headline]:
        """Choose the numbers that stand for the evaluation, the most important one first.

        Raises:
            ResultsFileError: One of them is not defined.
        """

    def card_values(self, model: PreTrainedModel, processor: EventProcessor, results: Any) -> dict[str, Any]:
        """Make the values for the task's section of a model card.

        Returns:
            Values by name; `captions` holds the captions of the figures by the stem of their file.

        Raises:
            ResultsFileError: The network is calibrated otherwise than it was measured.
        """
