"""Which events a model was trained on: told by their content in its folder, and found among others.

An event is the same wherever it is stored and whatever it is called: its digest is of its hits. 40 bits of it
are kept. Of 100,000 training events and as many others, one other event in a hundred trials is taken for one
of them by accident.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.rows import ragged
from nuzoo.evaluation.core.errors import RunFileError
from nuzoo.evaluation.core.results import DatasetFacts, SeenEvents
from nuzoo.files.atomic import replacing
from nuzoo.files.events.event_schema import EventSchema
from nuzoo.files.names import TRAINING_EVENTS_FILE
from nuzoo.files.origin import find_file

if TYPE_CHECKING:
    from datasets import Dataset

DIGEST_BYTES = 5
EVENTS_AT_A_TIME = 1000
TRAINING, STEERING = "train", "validation"


def write_training_events(folder: Path, splits: Mapping[str, Dataset], schema: EventSchema) -> None:
    """Write into the folder of a run which events it trains on, and by which it chooses.

    Args:
        folder: It exists.
        splits: Events by the name of their split.
        schema: Of the events.
    """
    used = {split: event_digests(splits[split], schema) for split in (TRAINING, STEERING) if split in splits}
    table = pa.table(
        {
            "split": pa.array(np.repeat(list(used), [len(of) for of in used.values()])),
            "digest": np.concatenate([np.sort(of) for of in used.values()]),
        }
    )
    with replacing(folder / TRAINING_EVENTS_FILE) as partial:
        packed = {"column_encoding": {"digest": "DELTA_BINARY_PACKED"}, "use_dictionary": ["split"]}
        pq.write_table(table, partial, **packed)


def seen_events(model: str, rows: Dataset, schema: EventSchema) -> SeenEvents | None:
    """Count the events that a model has seen in its training.

    Args:
        model: Folder or repository.
        rows: Events.
        schema: Of them.

    Returns:
        Numbers of events; None where the model does not tell what it was trained on.

    Raises:
        RunFileError: The file that tells it cannot be read.
    """
    table = _record_of(model)
    if table is None:
        return None
    split, digest = np.array(table["split"]), np.array(table["digest"])
    found = event_digests(rows, schema)
    trained_on, steered_by = (np.isin(found, digest[split == name]) for name in (TRAINING, STEERING))
    return SeenEvents(trained_on=int(trained_on.sum()), steered_by=int((steered_by & ~trained_on).sum()))


def count_trained_on(model: str) -> int | None:
    """Count the events that a model, a folder or repository, was trained on; None where it does not tell.

    Raises:
        RunFileError: The file that tells it cannot be read.
    """
    table = _record_of(model)
    return None if table is None else int(np.sum(np.array(table["split"]) == TRAINING))


def training_warning(dataset: DatasetFacts, seen: SeenEvents | None) -> str | None:
    """Say that numbers are of events that the model has seen in its training, if they are."""
    if seen is None:
        if dataset.split != TRAINING:
            return None
        return (
            "these are the events of split train, and the folder of the model does not say which events it "
            "was trained on: if these, the numbers do not say how good it is on new events"
        )
    if seen.trained_on:
        return (
            f"{seen.trained_on:,} of {dataset.events:,} events are events that the model was trained on: the "
            "numbers do not say how good it is on new events"
        )
    if seen.steered_by:
        return (
            f"{seen.steered_by:,} of {dataset.events:,} events are validation events of the training, by "
            "which the model was chosen: the numbers flatter it"
        )
    return None


def event_digests(rows: Dataset, schema: EventSchema) -> NDArray[np.int64]:
    """Give a digest of the hits of each event, (n,); of an event without hits, of its name."""
    columns = [column.name for column in schema.hits if column.name in rows.column_names]
    named = [name for name in ("event_id",) if name in rows.column_names]
    table = rows.select_columns([*columns, *named]).with_format("arrow")
    starts = range(0, len(table), EVENTS_AT_A_TIME)
    parts = (_digests(table[first : first + EVENTS_AT_A_TIME], columns, schema) for first in starts)
    return np.fromiter((digest for part in parts for digest in part), np.int64, len(table))


def _record_of(model: str) -> pa.Table | None:
    if not Path(model).is_dir() and model.count("/") != 1:
        return None
    file = find_file(model, TRAINING_EVENTS_FILE)
    if file is None:
        return None
    try:
        return pq.read_table(file, columns=["split", "digest"])
    except (OSError, pa.ArrowException) as error:
        raise RunFileError(f"{file} cannot be read: {error}; remove it, or train again") from error


def _digests(table: pa.Table, columns: list[str], schema: EventSchema) -> Iterator[int]:
    lists = [ragged(schema[name], table[name].combine_chunks()) for name in columns]
    entries = [
        np.split(of.values.astype(schema[name].dtype), np.cumsum(of.counts)[:-1])
        for name, of in zip(columns, lists, strict=True)
    ]
    names = table["event_id"].to_pylist() if "event_id" in table.column_names else [""] * len(table)
    for name, *hits in zip(names, *entries, strict=True):
        digest = blake2b(digest_size=DIGEST_BYTES)
        for of in hits if any(map(len, hits)) else [np.frombuffer(str(name).encode(), np.uint8)]:
            digest.update(len(of).to_bytes(8, "little"))
            digest.update(of.tobytes())
        yield int.from_bytes(digest.digest(), "little")
