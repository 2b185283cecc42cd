"""What every results file says, whatever the task: the types of its parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, ClassVar, TypeVar

from pydantic import Field, FiniteFloat

T = TypeVar("T")
Absent = Annotated[T | None, Field(exclude_if=lambda value: value is None)]
"""Of a field that is not in the file at all where there is nothing to say."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number with its standard error; None where it is not defined or not known."""

    value: FiniteFloat | None
    error: FiniteFloat | None


@dataclass(frozen=True, kw_only=True)
class Number(Estimate):
    """A number with the central 68.27 % interval of its bootstrap, None where it has none."""

    low: FiniteFloat | None
    high: FiniteFloat | None


@dataclass(frozen=True, kw_only=True)
class Fraction(Number):
    """A part of `events`, with its Wilson interval."""

    events: int


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """How errors were made."""

    replicas: int
    seed: int
    interval: str = "central 68.27 %"


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """Which events were used.

    Attributes:
        sources: Some of the places that they come from; `source_count` is the number of all.
        event_ids_sha256: Names the events wherever they are stored, see `provenance.events_digest`.
        fingerprint: Of `datasets`.
    """

    sample: str
    split: str | None
    events: int
    detectors: list[str]
    sources: list[str]
    source_count: int
    event_ids_sha256: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """What a network is.

    Attributes:
        trainable_parameters: Those of the adapter where there is one: loaded for inference, it is as frozen
            as the network that it adapts.
        quantisation: "4-bit", "8-bit" or None.
        weights_sha256: See `subject.weights_digest`.
    """

    class_name: Annotated[str, Field(alias="class")]
    model_type: str
    parameters: int
    trainable_parameters: int
    adapter: bool
    quantisation: str | None
    dtype: str
    classes: list[str]
    weights_sha256: str


@dataclass(frozen=True, kw_only=True)
class ProcessorFacts:
    """What prepared the events; of a model that writes text also the question, and solved examples."""

    sha256: str
    prompt: Absent[str] = None
    prompt_sha256: Absent[str] = None
    examples: Absent[int] = None


@dataclass(frozen=True, kw_only=True)
class Memory:
    """A peak of memory, and what it counts."""

    mib: FiniteFloat
    counts: str


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Time and memory of inference, the time by part of it."""

    batch_size: int
    ms_per_event: dict[str, Number]
    peak_memory: Memory


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Hardware and software, without the name of the host."""

    system: str
    python: str
    processor: str
    logical_cores: int | None
    threads: int
    device: str
    packages: dict[str, str]
    gpu: Absent[str] = None


@dataclass(frozen=True, kw_only=True)
class SeenEvents:
    """How many of the events a model has seen before.

    Attributes:
        trained_on: It was trained on.
        steered_by: Others, of the validation events of its training.
    """

    trained_on: int
    steered_by: int


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is measured on what: known before anything is measured.

    Attributes:
        seen: Of the events of `dataset`; None where the model does not tell what it was trained on.
    """

    dataset: DatasetFacts
    validation: DatasetFacts | None
    model: ModelFacts
    processor: ProcessorFacts
    seen: Absent[SeenEvents] = None


@dataclass(frozen=True, kw_only=True)
class ResultsFile:
    """A file of results.

    Attributes:
        SCHEMA: Name and version of its format.
        created: Date and time.
    """

    SCHEMA: ClassVar[tuple[str, int]]

    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    def check(self) -> None:
        """Refuse parts that do not fit together.

        Raises:
            ValueError: With the first of them, "lacks …" or "should have … at …, it has …".
        """


@dataclass(frozen=True, kw_only=True)
class Results(Subject, ResultsFile):
    """The results of a network; a task adds its numbers."""

    cost: Cost
    machine: Machine
