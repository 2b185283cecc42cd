"""Who can take part: a model of the zoo, or a submission of somebody else's code."""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nuzoo.evaluation.benchmark.frozen import Benchmark, FrozenTask
from nuzoo.evaluation.benchmark.leaks import known_events, refuse_leaked
from nuzoo.evaluation.benchmark.samples import read_sample, schema_of_sample
from nuzoo.evaluation.benchmark.submission import (
    SUBMISSION_FILE,
    Submission,
    is_submission,
    read_submission,
    submitted_file,
)
from nuzoo.evaluation.core.errors import BenchmarkError
from nuzoo.evaluation.core.evaluate_model import task_of
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.core.inference import to_inference_device
from nuzoo.evaluation.core.results import Number
from nuzoo.evaluation.core.subject import processor_digest, weights_digest
from nuzoo.evaluation.core.training_events import count_trained_on, seen_events
from nuzoo.files.names import PREDICTIONS_FILE
from nuzoo.pipelines.loading import load_model, resolve_model

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

    from nuzoo.files.events.event_schema import EventSchema
    from nuzoo.processors.contract import EventProcessor

MODEL, ANSWERS_ALONE = "model", "answers"


@dataclass(frozen=True)
class Asked:
    """Events of a task, and what belongs to them.

    Attributes:
        name: Of the task.
        task: The task.
        rows: Its events.
        schema: Of these.
        fit: Events that probes are fitted on, if there are probes.
    """

    name: str
    task: FrozenTask
    rows: Dataset
    schema: EventSchema
    fit: Dataset | None


def asked_of(benchmark: Benchmark, name: str, folder_of: Callable[[str], str]) -> Asked:
    """Read the events of a task.

    Args:
        benchmark: The frozen tasks.
        name: Of one.
        folder_of: Gives the dataset folder of a sample by its name.

    Raises:
        BenchmarkError: The events are not those of the benchmark.
    """
    task = benchmark.task(name)
    sample = benchmark.samples[task.sample]
    fit = task.fit and read_sample(folder_of(task.fit), benchmark.samples[task.fit])
    rows = read_sample(folder_of(task.sample), sample)
    return Asked(name, task, rows, schema_of_sample(sample), fit or None)


@dataclass(frozen=True)
class Told:
    """What a contestant tells beside its answers.

    Attributes:
        training_events: How many it learnt from, None where that is not told.
        parameters: Of a network.
        ms_per_event: Of a network on this machine.
    """

    training_events: int | None
    parameters: int | None = None
    ms_per_event: Number | None = None


class Contestant(Protocol):
    """Answers tasks.

    Attributes:
        name: For people.
        kind: `MODEL` or `ANSWERS_ALONE`.
        description: For people.
    """

    name: str
    kind: str

    @property
    def description(self) -> str:
        """For people."""

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks that it answers."""

    def digest(self, task: str) -> str:
        """Identify what gives the answers to a task: another digest is another contestant."""

    def answer(self, asked: Asked, out: Path) -> Told:
        """Write answers into a folder, in its predictions file.

        Raises:
            BenchmarkError: It has seen the events before.
        """


class ModelContestant:
    """A model of the zoo: fulfils `Contestant`.

    Args:
        path: Folder, repository, or name of a model that comes with nuzoo.
        benchmark: That it takes part in.

    Raises:
        UnusableModelError: There is no such model.
        BenchmarkError: No task is for it.
    """

    kind = MODEL

    def __init__(self, path: str, benchmark: Benchmark) -> None:
        self.place = resolve_model(path)
        self.name = Path(path).resolve().name if Path(path).is_dir() else path
        self.model, self.processor = load_model(self.place)
        self._digest = model_digest(self.model, self.processor)
        row, self.evaluator = task_of(self.model)
        self.tasks = [
            name
            for name, task in benchmark.tasks.items()
            if row.name in task.kinds
            and self.processor.detector in (None, benchmark.samples[task.sample].detector)
        ]
        if not self.tasks:
            raise BenchmarkError(
                f"{path}: expected a model for a task of {benchmark.name}, got one for {row.name} of "
                f"{self.processor.detector}: `nuzoo benchmark` lists the tasks"
            )

    @property
    def description(self) -> str:
        """Name the class of the network."""
        return type(self.model).__name__

    def digest(self, task: str) -> str:
        """Identify weights and processor."""
        return self._digest

    def answer(self, asked: Asked, out: Path) -> Told:
        """Measure the network by the evaluator of its task, and write the report too."""
        seen = seen_events(self.place, asked.rows, asked.schema)
        if seen is not None:
            refuse_leaked(seen.trained_on + seen.steered_by, asked.rows, self.name)
        to_inference_device(self.model)
        options: Mapping[str, Any] = asked.task.options
        events = Events(asked.rows, validation=asked.fit, seen=seen)
        results = self.evaluator.evaluate(self.model, self.processor, events, out=out, **options)
        self.evaluator.write_report(out)
        return Told(
            count_trained_on(self.place), results.model.parameters, results.cost.ms_per_event["total"]
        )


def model_digest(model: PreTrainedModel, processor: EventProcessor) -> str:
    """Identify weights and processor, before the network is used; see `TaskEvaluator.describe`."""
    return sha256((weights_digest(model) + processor_digest(processor)).encode()).hexdigest()


class SubmissionContestant:
    """Answers of somebody else's code: fulfils `Contestant`.

    Args:
        folder: Of the submission.
        benchmark: That it takes part in.

    Raises:
        BenchmarkError: See `read_submission`.
    """

    kind = ANSWERS_ALONE

    def __init__(self, folder: Path, benchmark: Benchmark) -> None:
        self.folder = folder
        self.submission: Submission = read_submission(folder, benchmark)
        self.name = self.submission.name
        self.tasks = list(self.submission.tasks)

    @property
    def description(self) -> str:
        """Give its own words."""
        return self.submission.description

    def digest(self, task: str) -> str:
        """Identify the answers, and what is said of them."""
        submitted = self.submission.tasks[task]
        told = [self.description, submitted.sha256, submitted.training_events]
        return sha256(json.dumps(told).encode()).hexdigest()

    def answer(self, asked: Asked, out: Path) -> Told:
        """Copy the answers."""
        submitted, training = self.submission.tasks[asked.name], None
        if submitted.training_events is not None:
            listed = submitted_file(self.folder, submitted.training_events)
            leaked, training = known_events(listed, asked.rows, asked.schema)
            refuse_leaked(leaked, asked.rows, self.name)
        answers = submitted_file(self.folder, submitted.file)
        shutil.copyfile(answers, (out / PREDICTIONS_FILE).with_suffix(answers.suffix))
        return Told(training)


def contestant(path: str, benchmark: Benchmark) -> Contestant:
    """Find out who takes part.

    Args:
        path: Folder of a submission; or a model, see `ModelContestant`.
        benchmark: That it takes part in.

    Raises:
        BenchmarkError: A file alone, which does not say what it answers.
    """
    if Path(path).is_file():
        raise BenchmarkError(
            f"{path}: expected a model or the folder of a submission, got a file: put it into a folder with "
            f"a {SUBMISSION_FILE} that says which task it answers"
        )
    gc.collect()  # of the network before
    if is_submission(path):
        return SubmissionContestant(Path(path), benchmark)
    return ModelContestant(path, benchmark)
