"""The numbers of a comparison, ours and the published ones, as one list of records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nuzoo.evaluation.comparison.comparison import ComparedModel, columns_of
from nuzoo.evaluation.core.results import Machine, Number
from nuzoo.evaluation.core.text import with_error
from nuzoo.evaluation.tasks.event_classification.published import (
    NOT_STATED,
    PAPER,
    REMARKS,
    PublishedClassifier,
)
from nuzoo.evaluation.tasks.event_classification.results import OVERALL
from nuzoo.files.plain_text import counted

MEASURED = "measured"
MILLION = 1e6
BYTES_PER_MIB, BYTES_PER_GB = 2**20, 1e9


@dataclass(frozen=True)
class Record:
    """One number of one model.

    Attributes:
        column: The model that it is of.
        source: `MEASURED`, or the paper that states it.
        condition: "nominal", "energy" or "image" (half resolution both ways), or "cost".
        quantity: What it is.
        unit: Of value, error, low and high; empty for fractions and texts.
        value: Number or text, None where undefined.
        error: None where there is none; so are low and high, the central 68.27 % interval.
        text: As tables show it.
        remarks: What a reader should know of it.
    """

    column: str
    source: str
    condition: str
    quantity: str
    unit: str
    value: float | str | None
    text: str
    error: float | None = None
    low: float | None = None
    high: float | None = None
    remarks: tuple[str, ...] = ()


def measured_of(records: Sequence[Record]) -> list[Record]:
    """Take the numbers that are ours."""
    return [record for record in records if record.source == MEASURED]


def records_of(models: Sequence[ComparedModel]) -> list[Record]:
    """Give every number of the tables, column by column."""
    return [
        record
        for column in columns_of(models)
        for record in (_measured(column) if isinstance(column, ComparedModel) else _published(column))
    ]


def compact(number: float) -> str:
    """Write a count with three significant digits: 29.5 M."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= 0.9995 * size:
            return f"{three_digits(number / size)} {letter}"
    return f"{number:,.0f}"


def events_text(events: int | None) -> str:
    """Write a number of events, if it is known."""
    return NOT_STATED if events is None else f"{events:,}"


def three_digits(number: float) -> str:
    """Write a positive number with three significant digits, without an exponent."""
    decimals = next((d for d, limit in ((0, 99.95), (1, 9.995), (2, 0.9995)) if number >= limit), 3)
    return f"{number:.{decimals}f}"


def machine_text(machine: Machine) -> str:
    """Name the GPU, or processor and threads."""
    return machine.gpu or f"{machine.processor}, {counted(machine.threads, 'thread')}"


def _measured(model: ComparedModel) -> list[Record]:
    def number(condition: str, quantity: str, unit: str, number: Number) -> Record:
        known = {key: getattr(number, key) for key in ("value", "error", "low", "high")}
        return Record(model.name, MEASURED, condition, quantity, unit, text=with_error(number), **known)

    def fact(quantity: str, value: float | str | None, text: str, unit: str = "") -> Record:
        return Record(model.name, MEASURED, "cost", quantity, unit, value, text)

    results, facts, cost = model.results, model.results.model, model.results.cost
    conditions = {"nominal": vars(results.metrics), **(results.half_resolution or {})}
    events, machine = model.training.events, machine_text(results.machine)
    memory = cost.peak_memory.mib * BYTES_PER_MIB / BYTES_PER_GB
    number_format = ", ".join(filter(None, [facts.quantisation, facts.dtype]))
    return [
        *(number(condition, key, "", of[key]) for condition, of in conditions.items() for key in OVERALL),
        fact("trainable_parameters", facts.trainable_parameters, compact(facts.trainable_parameters)),
        fact("parameters", facts.parameters, compact(facts.parameters)),
        fact("regime", model.regime, model.regime),
        fact("training_events", events, events_text(events)),
        fact("peak_memory", memory, three_digits(memory), "GB"),
        number("cost", "time_per_event", "ms", cost.ms_per_event["total"]),
        number("cost", "network_time_per_event", "ms", cost.ms_per_event["model"]),
        fact("batch_size", cost.batch_size, str(cost.batch_size)),
        fact("number_format", number_format, number_format),
        fact("machine", machine, machine),
    ]


def _published(row: PublishedClassifier) -> list[Record]:
    def stated(
        condition: str, quantity: str, field: str, value: float | str, text: str, unit: str = ""
    ) -> Record:
        known = REMARKS.items()
        remarks = tuple(text for text, (of, types) in known if of == field and row.model_type in types)
        name = f"{PAPER}: {row.name}"
        return Record(name, PAPER, condition, quantity, unit, value, text, remarks=remarks)

    machine = f"{NOT_STATED} (trained on {row.training_machine})"
    events, memory, time = row.training_events, row.memory_gb, row.ms_per_event
    fields = {key: key.removeprefix("macro_") for key in OVERALL}
    metrics = [("nominal", key, field, getattr(row.full, field)) for key, field in fields.items()]
    metrics += [(row.half_like, key, "half", getattr(row.half, field)) for key, field in fields.items()]
    million = {"trainable_parameters": row.trainable_parameters, "parameters": row.parameters}
    return [
        *(stated(*of, f"{of[-1]:.2f}") for of in metrics),
        *(stated("cost", of, of, MILLION * n, compact(MILLION * n)) for of, n in million.items()),
        stated("cost", "regime", "regime", row.regime, row.regime),
        stated("cost", "training_events", "training_events", events, events_text(events)),
        stated("cost", "peak_memory", "memory_gb", memory, f"{memory:g}", "GB"),
        stated("cost", "time_per_event", "ms_per_event", time, f"{time:g}", "ms"),
        stated("cost", "machine", "training_machine", machine, machine),
    ]
