"""Whether whoever answers has seen the events before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nuzoo.evaluation.core.errors import BenchmarkError
from nuzoo.evaluation.core.training_events import TRAINING, event_digests
from nuzoo.files.events.event_schema import EventSchema

if TYPE_CHECKING:
    from datasets import Dataset


def refuse_leaked(leaked: int, rows: Dataset, who: str) -> None:
    """Refuse whoever learnt from events that are asked about.

    Raises:
        BenchmarkError: Some were.
    """
    if leaked:
        raise BenchmarkError(
            f"{who}: expected training events other than those of the benchmark, got {leaked:,} of the "
            f"{len(rows):,} that are asked about: leave them out and train again"
        )


def known_events(file: Path, rows: Dataset, schema: EventSchema) -> tuple[int, int]:
    """Read a list of events that were learnt from.

    Args:
        file: Text with the name of an event a line; Parquet with a column `event_id`; or the
            `training_events.parquet` of a run, with digests of their content.
        rows: Events that are asked about.
        schema: Of these.

    Returns:
        How many of these are in the list, and how many events it has for training.

    Raises:
        BenchmarkError: It cannot be read.
    """
    if file.suffix == ".parquet":
        table = _read(file)
        if "event_id" in table.column_names:
            return _by_name(set(table["event_id"].to_pylist()), rows)
        if {"split", "digest"} <= set(table.column_names):
            found = np.isin(event_digests(rows, schema), table["digest"].to_numpy())
            training = sum(split == TRAINING for split in table["split"].to_pylist())
            return int(found.sum()), training
        raise BenchmarkError(
            f"{file}: expected a column event_id, or split and digest, got {', '.join(table.column_names)}"
        )
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise BenchmarkError(
            f"{file}: expected a text with the name of an event a line, got {error}"
        ) from error
    return _by_name({line.strip() for line in lines if line.strip()}, rows)


def _by_name(names: set[str], rows: Dataset) -> tuple[int, int]:
    return len(names.intersection(rows["event_id"])), len(names)


def _read(file: Path) -> pa.Table:
    try:
        return pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise BenchmarkError(
            f"{file}: expected a Parquet file, got {' '.join(str(error).split())}"
        ) from error
