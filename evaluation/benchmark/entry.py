"""What was measured of a contestant at a task: a folder with its answers and `entry.json`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from nuzoo.evaluation.benchmark.contestants import Asked, Contestant
from nuzoo.evaluation.benchmark.frozen import Benchmark, FrozenTask
from nuzoo.evaluation.core.answers import AnswerReader, Answers, read_answers
from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.core.errors import BenchmarkError
from nuzoo.evaluation.core.results import Number, ResultsFile
from nuzoo.evaluation.core.results_file import read_results, write_results
from nuzoo.files.checksums import sha256
from nuzoo.files.file_stems import file_stem
from nuzoo.files.names import PREDICTIONS_FILE
from nuzoo.files.whole_folder import filling
from nuzoo.registry import TASKS, import_object

ENTRY_FILE = "entry.json"


@dataclass(frozen=True, kw_only=True)
class Entry(ResultsFile):
    """A row of the benchmark.

    Attributes:
        benchmark_sha256: Checksum of the benchmark.
        task: Name of the task.
        name: Of the contestant.
        kind: Of the contestant.
        description: Of the contestant.
        digest: See `Contestant.digest`.
        answers_file: Name of the file of answers beside this one.
        answers_sha256: Of it.
        scores: With errors, by key.
        training_events: See `Told`.
        parameters: See `Told`.
        ms_per_event: See `Told`.
    """

    SCHEMA: ClassVar = ("nuzoo-benchmark-entry", 1)

    benchmark_sha256: str
    task: str
    name: str
    kind: str
    description: str
    digest: str
    answers_file: str
    answers_sha256: str
    scores: dict[str, Number]
    training_events: int | None
    parameters: int | None
    ms_per_event: Number | None


def reader_of(task: FrozenTask) -> AnswerReader:
    """Give what reads the answers to a task.

    Raises:
        BenchmarkError: Its kind has no answers.
    """
    found: AnswerReader | None = import_object(TASKS[task.kinds[0]].evaluator).answers  # type: ignore[arg-type]
    if found is None:
        raise BenchmarkError(f"{task.title}: expected a task that has answers, got {task.kinds[0]}")
    return found


def folder_of(out: Path, task: str, name: str) -> Path:
    """Give the folder of an entry."""
    return out / task / file_stem(name)


def find_entry(out: Path, task: str, contestant: Contestant, benchmark: Benchmark) -> Entry | None:
    """Find what was measured before of this very contestant; None where nothing was."""
    file = folder_of(out, task, contestant.name) / ENTRY_FILE
    if not file.is_file():
        return None
    entry = read_results(file, Entry)
    known = entry.digest, entry.benchmark_sha256
    return entry if known == (contestant.digest(task), benchmark.sha256) else None


def measure(contestant: Contestant, asked: Asked, benchmark: Benchmark, out: Path) -> Entry:
    """Let a contestant answer a task, and write what was measured, whole or not at all.

    Args:
        contestant: Who answers.
        asked: What is asked.
        benchmark: Of the task.
        out: Folder of the benchmark.

    Raises:
        BenchmarkError: It has seen the events before.
        AnswerError: Its answers cannot be scored.
    """
    folder = folder_of(out, asked.name, contestant.name)
    with filling(folder, ENTRY_FILE) as partial:
        told = contestant.answer(asked, partial)
        (file,) = partial.glob(f"{Path(PREDICTIONS_FILE).stem}.*")
        reader = reader_of(asked.task)
        answers = read_answers(file, reader, asked.rows, asked.task.targets)
        entry = Entry(
            benchmark_sha256=benchmark.sha256,
            task=asked.name,
            name=contestant.name,
            kind=contestant.kind,
            description=contestant.description,
            digest=contestant.digest(asked.name),
            answers_file=file.name,
            answers_sha256=sha256(file),
            scores=scores_of(answers, len(asked.rows), benchmark),
            **vars(told),
        )
        write_results(partial / ENTRY_FILE, entry)
    return entry


def scores_of(answers: Answers, events: int, benchmark: Benchmark) -> dict[str, Number]:
    """Score answers with errors, by the bootstrap of the benchmark."""
    return bootstrap(lambda drawn: dict(answers.scores(drawn)), events, benchmark.replicas, benchmark.seed)
