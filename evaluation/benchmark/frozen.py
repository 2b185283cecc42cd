"""What a benchmark is: its samples and tasks, frozen in one file with a checksum of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError

from nuzoo.evaluation.core.errors import BenchmarkError
from nuzoo.evaluation.core.results_file import as_json
from nuzoo.files.atomic import write_atomically
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.registry import TASKS

CURRENT = "nuzoo-1"
"""The benchmark that comes with the package."""

CHECKSUM = "sha256"


@dataclass(frozen=True, kw_only=True)
class FrozenSample:
    """Simulated events, and by what they are known again.

    Attributes:
        arguments: Of `nuzoo simulate`, which make it, but for the folder.
        dataset: Of the zoo.
        detector: That records them.
        events: How many.
        event_ids_sha256: See `nuzoo.evaluation.core.provenance.events_digest`.
        truth_sha256: Of columns of truth by name, see `nuzoo.evaluation.benchmark.samples.truth_digest`.
    """

    arguments: str
    dataset: str
    detector: str
    events: int
    event_ids_sha256: str
    truth_sha256: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What is meant to be learnt from.

    Attributes:
        arguments: Of `nuzoo simulate`, which make it.
        events: Labelled events of its training split; an entry that took more is marked.
    """

    arguments: str
    events: int


@dataclass(frozen=True, kw_only=True)
class FrozenTask:
    """What is asked of events.

    Attributes:
        title: For people.
        kinds: Names of the tasks of the zoo whose networks are measured at it.
        sample: Name of the sample that is asked about.
        targets: Columns of the truth.
        metric: The score that counts.
        training: What is meant to be learnt from.
        fit: Name of the sample that probes are fitted on, if there are probes.
        options: Of the evaluator.
    """

    title: str
    kinds: list[str]
    sample: str
    targets: list[str]
    metric: str
    training: Budget
    fit: str | None
    options: dict[str, str | bool]


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Frozen tasks.

    Attributes:
        SCHEMA: Name and version of the file's format.
        name: With the version of the benchmark: whatever would change a number makes another one.
        replicas: Of the bootstrap.
        seed: Of the bootstrap.
        samples: By name.
        tasks: By name.
    """

    SCHEMA: ClassVar = ("nuzoo-benchmark", 1)

    name: str
    replicas: int
    seed: int
    samples: dict[str, FrozenSample]
    tasks: dict[str, FrozenTask]

    @property
    def sha256(self) -> str:
        """The digest of everything in it."""
        return _digest(self._content())

    def task(self, name: str) -> FrozenTask:
        """Look a task up.

        Raises:
            BenchmarkError: There is none of this name.
        """
        if name not in self.tasks:
            raise BenchmarkError(
                f"expected a task of {self.name} ({', '.join(self.tasks)}), got "
                f"{name!r}{did_you_mean([name], self.tasks)}"
            )
        return self.tasks[name]

    def _content(self) -> dict[str, Any]:
        schema, version = self.SCHEMA
        return {"schema": schema, "schema_version": version, **as_json(self)}


def packaged_file(name: str = CURRENT) -> Path:
    """Give the file of a benchmark that comes with the package."""
    return Path(str(files("nuzoo.evaluation.benchmark").joinpath(f"{name}.json")))


def write_benchmark(path: Path, benchmark: Benchmark) -> None:
    """Write a benchmark with the checksum of its content."""
    content = benchmark._content()
    write_atomically(path, json.dumps({**content, CHECKSUM: _digest(content)}, indent=2) + "\n")


def read_benchmark(path: Path | None = None) -> Benchmark:
    """Read a benchmark, that of the package by default.

    Raises:
        BenchmarkError: No such file, altered since it was frozen, or of a format that this version does not
            know.
    """
    path = path or packaged_file()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        stated = content.pop(CHECKSUM)
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise BenchmarkError(f"{path}: expected the file of a benchmark, got {error!r}") from error
    if (found := _digest(content)) != stated:
        raise BenchmarkError(
            f"{path}: expected the content that was frozen, with SHA-256 {stated}, got {found}: it was "
            "altered; take the file of the package, or freeze a benchmark of another name"
        )
    if (schema := (content.pop("schema", None), content.pop("schema_version", None))) != Benchmark.SCHEMA:
        raise BenchmarkError(f"{path}: expected the format {Benchmark.SCHEMA}, got {schema}: update nuzoo")
    try:
        benchmark = TypeAdapter(Benchmark).validate_python(content)
    except ValidationError as error:
        raise BenchmarkError(f"{path}: {' '.join(str(error).split())}") from error
    _check(benchmark, path)
    return benchmark


def _check(benchmark: Benchmark, path: Path) -> None:
    """Refuse tasks of samples that are not there, or for networks that are not known."""
    for name, task in benchmark.tasks.items():
        if unknown := [kind for kind in task.kinds if kind not in TASKS]:
            raise BenchmarkError(
                f"{path}: expected tasks of the zoo ({', '.join(TASKS)}) as kinds of {name}, got "
                f"{', '.join(unknown)}: import the package that enters them, or update nuzoo"
            )
        for sample in filter(None, (task.sample, task.fit)):
            if sample not in benchmark.samples:
                raise BenchmarkError(f"{path}: expected the sample {sample} of the task {name}, got none")


def _digest(content: Mapping[str, Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
