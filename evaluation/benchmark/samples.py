"""The events of a benchmark: read, put in order, and known again by their names and their truth.

What is frozen are names and truth, exactly: they say which question is asked. The deposits are not: their
last digits depend on the processor that simulates them, and no answer does.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from nuzoo.datasets_scripts.common.loading import load_events
from nuzoo.datasets_scripts.common.samples import find_sample, schema_of
from nuzoo.evaluation.benchmark.frozen import FrozenSample
from nuzoo.evaluation.core.errors import BenchmarkError
from nuzoo.evaluation.core.provenance import events_digest
from nuzoo.files.events.event_schema import EventSchema
from nuzoo.simulation.detectors import find_detector

if TYPE_CHECKING:
    from datasets import Dataset


def read_sample(folder: str, sample: FrozenSample) -> Dataset:
    """Read the events of a sample, of all splits, sorted by name.

    Args:
        folder: Dataset folder or repository.
        sample: What they should be.

    Raises:
        BenchmarkError: They are others.
    """
    rows = in_frozen_order(folder)
    if (found := events_digest(list(rows["event_id"]))) != sample.event_ids_sha256:
        raise BenchmarkError(
            f"{folder}: expected the {sample.events:,} events of `nuzoo simulate {sample.arguments}`, got "
            f"{len(rows):,} with other names (SHA-256 {found}): give another folder, and they are made there"
        )
    for column, digest in sample.truth_sha256.items():
        if column not in rows.column_names or truth_digest(rows, column) != digest:
            raise BenchmarkError(
                f"{folder}: expected the truth in {column} that was frozen, got another: these are events of "
                "another version of the simulation, or were altered; take the published events of the "
                "benchmark"
            )
    return rows


def in_frozen_order(folder: str) -> Dataset:
    """Read the events of all splits of a dataset, sorted by name."""
    from datasets import concatenate_datasets

    splits = load_events(folder)
    rows = concatenate_datasets(list(splits.values()))
    return rows.select(np.argsort(np.array(rows["event_id"])))


def truth_digest(rows: Dataset, column: str) -> str:
    """Give the SHA-256 of a column of whole numbers, or of lists of them: of each event name and numbers.

    Args:
        rows: Sorted by name.
        column: The column.
    """
    digest = sha256()
    table = rows.select_columns(["event_id", column]).with_format("arrow")[:]
    for name, value in zip(table["event_id"], table[column], strict=True):
        numbers = value.values.to_numpy() if hasattr(value, "values") else [value.as_py()]
        digest.update(f"{name} {len(numbers)} ".encode())
        digest.update(np.asarray(numbers, dtype="<i8").tobytes())
    return digest.hexdigest()


def describe_sample(arguments: str, rows: Dataset, columns: Iterable[str]) -> FrozenSample:
    """Freeze a sample.

    Args:
        arguments: Of `nuzoo simulate`, which made it.
        rows: Its events.
        columns: Of whole numbers that are its truth.
    """
    (detector,) = set(rows["detector"])
    return FrozenSample(
        arguments=arguments,
        dataset=arguments.split()[0],
        detector=detector,
        events=len(rows),
        event_ids_sha256=events_digest(list(rows["event_id"])),
        truth_sha256={column: truth_digest(rows, column) for column in columns},
    )


def schema_of_sample(sample: FrozenSample) -> EventSchema:
    """Say what the events of a sample hold."""
    return schema_of(find_sample(sample.dataset).modality, find_detector(sample.detector))
