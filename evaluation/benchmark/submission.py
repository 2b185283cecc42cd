"""A submission: a folder with the answers of somebody else's code, and what it says of itself.

`submission.json` names the benchmark by its checksum, so that answers to another version are not taken for
answers to this one, and each file by its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from nuzoo.evaluation.benchmark.frozen import Benchmark
from nuzoo.evaluation.core.errors import BenchmarkError
from nuzoo.files.checksums import sha256

SUBMISSION_FILE = "submission.json"
LONGEST_NAME = 80


@dataclass(frozen=True, kw_only=True)
class SubmittedTask:
    """Answers to a task.

    Attributes:
        file: Their name in the folder, Parquet or CSV.
        sha256: Of that file.
        training_events: Name in the folder of the list of events that were learnt from, see
            `nuzoo.evaluation.benchmark.leaks.known_events`; null where that is not told.
    """

    file: str
    sha256: str
    training_events: str | None


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What `submission.json` says.

    Attributes:
        benchmark: Name of the benchmark.
        benchmark_sha256: Its checksum.
        name: Of the entry, for people.
        description: How the answers were made, in a sentence or two.
        tasks: By name.
    """

    benchmark: str
    benchmark_sha256: str
    name: str
    description: str
    tasks: dict[str, SubmittedTask]


def is_submission(path: str) -> bool:
    """Tell whether a path is the folder of a submission."""
    return (Path(path) / SUBMISSION_FILE).is_file()


def read_submission(folder: Path, benchmark: Benchmark) -> Submission:
    """Read a submission, and refuse one that cannot be measured as it is.

    Raises:
        BenchmarkError: Of another benchmark, without a task or a file that it names, or with a file that was
            altered.
    """
    file = folder / SUBMISSION_FILE
    try:
        submission = TypeAdapter(Submission).validate_json(file.read_bytes(), strict=True, extra="forbid")
    except (OSError, ValidationError) as error:
        raise BenchmarkError(
            f"{file}: expected benchmark, benchmark_sha256, name, description and tasks, each with file, "
            f"sha256 and training_events: {' '.join(str(error).split())}"
        ) from error
    stated, ours = (submission.benchmark, submission.benchmark_sha256), (benchmark.name, benchmark.sha256)
    if stated != ours:
        raise BenchmarkError(
            f"{file}: expected answers to {' '.join(ours)}, got some to {' '.join(stated)}: answer the "
            "events of this version"
        )
    if not 0 < len(submission.name.strip()) <= LONGEST_NAME or not submission.name.isprintable():
        raise BenchmarkError(
            f"{file}: expected a name of 1 to {LONGEST_NAME} signs on one line, got {submission.name!r}"
        )
    if not submission.tasks:
        raise BenchmarkError(f"{file}: expected tasks, got none: name those that are answered")
    for name, task in submission.tasks.items():
        benchmark.task(name)
        answers = submitted_file(folder, task.file)
        if not answers.is_file():
            raise BenchmarkError(f"{file}: expected the answers to the task {name} in {answers}, got no file")
        if (found := sha256(answers)) != task.sha256:
            raise BenchmarkError(
                f"{answers}: expected SHA-256 {task.sha256}, got {found}: another file than was submitted"
            )
        if task.training_events is not None and not submitted_file(folder, task.training_events).is_file():
            raise BenchmarkError(
                f"{file}: expected the training events of the task {name} in {task.training_events}, got no "
                "file: put it there, or say null"
            )
    return submission


def submitted_file(folder: Path, name: str) -> Path:
    """Give the path of a file of a submission, which lies in its folder and nowhere else.

    Raises:
        BenchmarkError: It does not.
    """
    path = folder / name
    if Path(name).name != name or path.is_symlink():
        raise BenchmarkError(
            f"{folder / SUBMISSION_FILE}: expected the name of a file in this folder, got {name!r}"
        )
    return path
