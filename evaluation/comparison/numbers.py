"""The numbers of a comparison, ours and the published ones, as one list of records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nuzoo.evaluation.comparison.comparison import ComparedModel, columns_of
from nuzoo.evaluation.core.number_format import with_error
from nuzoo.evaluation.tasks.event_classification.published import PAPER, REMARKS, PublishedClassifier, Remark

METRICS = {
    "accuracy": "accuracy",
    "macro_precision": "precision",
    "macro_recall": "recall",
    "macro_auc": "auc",
}
"""Key in our results: field of the published classifiers."""

NOT_STATED = "not stated"
MILLION = 1e6
BYTES_PER_MIB, BYTES_PER_GB = 2**20, 1e9


@dataclass(frozen=True)
class Record:
    """One number of one model.

    Attributes:
        column: The model that it is of.
        source: "measured", or the paper that states it.
        condition: "nominal", "energy" or "image" (half resolution both ways), or "cost".
        quantity: What it is.
        unit: Of value, error, low and high; empty for fractions and texts.
        value: Number or text, None where undefined.
        error: None where there is none; so are low and high.
        low: Of the central 68.27 % interval.
        high: Of the same.
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
    remarks: tuple[Remark, ...] = ()


def records_of(models: Sequence[ComparedModel]) -> list[Record]:
    """Every number of the tables, column by column."""
    return [
        record
        for column in columns_of(models)
        for record in (_measured(column) if isinstance(column, ComparedModel) else _published(column))
    ]


def column_name(column: ComparedModel | PublishedClassifier) -> str:
    """Head of the model's column: published ones carry the name of the paper."""
    return column.name if isinstance(column, ComparedModel) else f"{PAPER}: {column.name}"


def remarks_on(records: Sequence[Record]) -> list[Remark]:
    """The remarks on these numbers, each once, in their order."""
    return list(dict.fromkeys(remark for record in records for remark in record.remarks))


def compact(number: float) -> str:
    """A count with three significant digits: 29.5 M."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if number >= 0.9995 * size:
            return f"{three_digits(number / size)} {letter}"
    return f"{number:,.0f}"


def events_text(events: int | None) -> str:
    """A number of events, if it is known."""
    return NOT_STATED if events is None else f"{events:,}"


def three_digits(number: float) -> str:
    """A positive number with three significant digits, without an exponent."""
    decimals = next((d for d, limit in ((0, 99.95), (1, 9.995), (2, 0.9995)) if number >= limit), 3)
    return f"{number:.{decimals}f}"


def _measured(model: ComparedModel) -> list[Record]:
    results = model.results
    conditions = {"nominal": results["metrics"], **results.get("half_resolution", {})}
    records = [
        _ours(model, condition, metric, "", numbers[metric])
        for condition, numbers in conditions.items()
        for metric in METRICS
    ]
    facts, times = results["model"], results["cost"]["ms_per_event"]
    for quantity in ("trainable_parameters", "parameters"):
        records.append(_fact(model, quantity, facts[quantity], compact(facts[quantity])))
    records.append(_fact(model, "regime", model.regime))
    events = model.training.events
    records.append(_fact(model, "training_events", events, events_text(events)))
    memory = results["cost"]["peak_memory"]["mib"] * BYTES_PER_MIB / BYTES_PER_GB
    records.append(_fact(model, "peak_memory", memory, three_digits(memory), "GB"))
    records.append(_ours(model, "cost", "time_per_event", "ms", times["total"]))
    records.append(_ours(model, "cost", "network_time_per_event", "ms", times["model"]))
    batch_size = results["cost"]["batch_size"]
    records.append(_fact(model, "batch_size", batch_size, f"{batch_size}"))
    records.append(_fact(model, "number_format", number_format(facts)))
    records.append(_fact(model, "machine", machine_text(results["machine"])))
    return records


def number_format(facts: Mapping[str, Any]) -> str:
    """How the weights are stored, e.g. "4-bit, bfloat16"."""
    return ", ".join(filter(None, [facts["quantisation"], facts["dtype"]]))


def machine_text(machine: Mapping[str, Any]) -> str:
    """GPU, or processor and threads."""
    if "gpu" in machine:
        return str(machine["gpu"])
    threads = machine["threads"]
    return f"{machine['processor']}, {threads} thread{'s' if threads > 1 else ''}"


def _ours(
    model: ComparedModel, condition: str, quantity: str, unit: str, number: Mapping[str, Any]
) -> Record:
    known = {key: number[key] for key in ("value", "error", "low", "high")}
    return Record(model.name, "measured", condition, quantity, unit, text=with_error(number), **known)


def _fact(
    model: ComparedModel, quantity: str, value: float | str | None, text: str | None = None, unit: str = ""
) -> Record:
    return Record(model.name, "measured", "cost", quantity, unit, value, str(value) if text is None else text)


def _published(row: PublishedClassifier) -> list[Record]:
    metrics = [
        _theirs(row, condition, metric, prefix + field, f"{getattr(row, prefix + field):.2f}")
        for condition, prefix in (("nominal", ""), (row.half_resolution_like, "half_resolution_"))
        for metric, field in METRICS.items()
    ]
    million = {"trainable_parameters": row.trainable_parameters, "parameters": row.parameters}
    sizes = [
        _theirs(row, "cost", field, field, compact(value * MILLION), value * MILLION)
        for field, value in million.items()
    ]
    machine = f"{NOT_STATED} (trained on {row.training_machine})"
    return [
        *metrics,
        *sizes,
        _theirs(row, "cost", "regime", "regime", row.regime),
        _theirs(row, "cost", "training_events", "training_events", events_text(row.training_events)),
        _theirs(row, "cost", "peak_memory", "memory_gb", f"{row.memory_gb:g}", unit="GB"),
        _theirs(row, "cost", "time_per_event", "ms_per_event", f"{row.ms_per_event:g}", unit="ms"),
        _theirs(row, "cost", "machine", "training_machine", machine, machine),
    ]


def _theirs(
    row: PublishedClassifier,
    condition: str,
    quantity: str,
    field: str,
    text: str,
    value: float | str | None = None,
    unit: str = "",
) -> Record:
    remarks = tuple(r for r in REMARKS if field in r.fields and row.model_type in r.model_types)
    stated = getattr(row, field) if value is None else value
    return Record(column_name(row), PAPER, condition, quantity, unit, stated, text, remarks=remarks)
