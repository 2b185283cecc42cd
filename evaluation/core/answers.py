"""Answers to the events of a task, whoever gave them: read from a table and set against the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray

from nuzoo.evaluation.core.errors import AnswerError

if TYPE_CHECKING:
    from datasets import Dataset

Floats = NDArray[np.float64]

EVENT = "event_id"
SHOWN = 3
"""Events that an error names."""

SUM_TOLERANCE = 1e-3
"""Largest difference from one of a sum of probabilities: those of float16 pass."""


class Answers(Protocol):
    """What somebody says of n events, beside what is true of them."""

    @property
    def right(self) -> NDArray[np.bool_] | None:
        """Which events are answered rightly (n,); None where an answer is not simply right or wrong."""

    def scores(self, weights: Floats) -> Mapping[str, Floats]:
        """Compute the headline numbers of the task.

        Args:
            weights: How often each event counts (..., n).

        Returns:
            (...) by key; NaN where one is not defined.
        """


class AnswerReader(Protocol):
    """Reads the answers to events from a table that anybody can write.

    The predictions file of `nuzoo evaluate` is such a table.
    """

    @property
    def columns(self) -> Mapping[str, str]:
        """What a table needs beside `event_id`, with the meaning of each, for people."""

    @property
    def titles(self) -> Mapping[str, str]:
        """The titles of the scores by their key, the one that counts first."""

    def read(self, table: pa.Table, rows: Dataset, targets: Sequence[str]) -> Answers:
        """Read answers.

        Args:
            table: With `event_id` and `columns`, an event a row.
            rows: The same events with their truth, in the same order.
            targets: Columns of the truth.

        Raises:
            AnswerError: Something is missing or cannot be.
        """


def read_answers(file: Path, reader: AnswerReader, rows: Dataset, targets: Sequence[str]) -> Answers:
    """Read the answers to events from a Parquet or CSV file, in any order.

    Args:
        file: In CSV, a list of the same length for each event is one column an entry: `probabilities.0`,
            `probabilities.1` and so on.
        reader: Of the task.
        rows: The events, each once.
        targets: Columns of their truth.

    Raises:
        AnswerError: No such file, not these events, or answers that cannot be.
    """
    table = _read_table(file)
    if missing := [name for name in (EVENT, *reader.columns) if name not in table.column_names]:
        raise AnswerError(
            f"{file}: expected the columns {', '.join((EVENT, *reader.columns))}, got none named "
            f"{', '.join(missing)}: it has {', '.join(table.column_names)}"
        )
    try:
        return reader.read(_in_order(table, list(rows[EVENT])), rows, targets)
    except AnswerError as error:
        raise AnswerError(f"{file}: {error}") from error


def lists_of(table: pa.Table, name: str, lengths: Sequence[int] | None = None) -> list[NDArray[Any]]:
    """Read a column of lists of numbers.

    Args:
        table: Of answers.
        name: The column.
        lengths: How many entries each event should have; None for any.

    Raises:
        AnswerError: No lists of numbers, or of other lengths.
    """
    column = table[name].combine_chunks()
    if not pa.types.is_list(column.type) and not pa.types.is_large_list(column.type):
        raise AnswerError(f"column {name}: expected a list of numbers for each event, got {column.type}")
    values = column.flatten()
    if column.null_count or values.null_count or not _is_number(values.type):
        raise AnswerError(f"column {name}: expected a list of numbers for each event, got some that are none")
    found = np.split(values.to_numpy(zero_copy_only=False), np.cumsum(_lengths(column))[:-1])
    wrong = [
        event
        for event, (of, length) in enumerate(zip(found, lengths or map(len, found), strict=True))
        if len(of) != length
    ]
    if lengths is not None and wrong:
        first = wrong[0]
        raise AnswerError(
            f"column {name}: expected {lengths[first]} numbers for event {table[EVENT][first]}, got "
            f"{len(found[first])} ({len(wrong)} such events)"
        )
    return found


def vectors_of(table: pa.Table, name: str, size: int) -> Floats:
    """Read a column of lists of one size: finite numbers, float64 (n, size).

    Raises:
        AnswerError: It is none.
    """
    values = np.array(lists_of(table, name, [size] * len(table)), dtype=np.float64).reshape(-1, size)
    _refuse(~np.isfinite(values).all(axis=1), table, f"column {name}: expected finite numbers")
    return values


def probabilities_of(table: pa.Table, name: str, classes: Sequence[str]) -> Floats:
    """Read a column with a probability for each class, float64 (n, C).

    Raises:
        AnswerError: They are no probabilities, or do not sum to one.
    """
    values = vectors_of(table, name, len(classes))
    of = f"column {name}: expected probabilities of {', '.join(classes)}"
    _refuse((values < 0).any(axis=1) | (values > 1).any(axis=1), table, f"{of}, each from 0 to 1")
    total = values.sum(axis=1)
    bad = np.abs(total - 1) > SUM_TOLERANCE
    first = f", got a sum of {total[bad.argmax()]:.6g}" if bad.any() else ""
    _refuse(bad, table, f"{of} that sum to 1{first}")
    return values


def check_truth(table: pa.Table, name: str, truth: ArrayLike) -> None:
    """Refuse answers that come with a truth of their own, and another: their classes are numbered otherwise.

    Args:
        table: Of answers; without this column it passes.
        name: The column, of numbers or lists of them.
        truth: That of the events, one after the other.

    Raises:
        AnswerError: It differs.
    """
    if name not in table.column_names or table[name].null_count == len(table):
        return
    column = table[name].combine_chunks()
    stated = column.flatten() if pa.types.is_nested(column.type) else column
    if not np.array_equal(stated.to_numpy(zero_copy_only=False), np.asarray(truth)):
        raise AnswerError(
            f"column {name}: expected the truth of the events, or no such column, got another: the classes "
            "are numbered in another order, or the events are others of the same names"
        )


def class_names(rows: Dataset, target: str) -> list[str]:
    """Give the names of the classes of a column of truth, in the order of their numbers."""
    feature: Any = rows.features[target]
    return list(getattr(feature, "feature", feature).names)


def _refuse(events: ArrayLike, table: pa.Table, expected: str) -> None:
    """Refuse a table some of whose events are not as expected."""
    bad = np.asarray(events)
    if bad.any():
        raise AnswerError(
            f"{expected}; not so in {int(bad.sum())} of {len(table)} events, such as "
            f"{table[EVENT][int(bad.argmax())]}"
        )


def _read_table(file: Path) -> pa.Table:
    try:
        if file.suffix == ".csv":
            names = {EVENT: pa.string()}
            options = pyarrow.csv.ConvertOptions(column_types=names)
            return _with_lists(pyarrow.csv.read_csv(file, convert_options=options))
        return pq.read_table(file)
    except (OSError, pa.ArrowException) as error:
        raise AnswerError(
            f"{file}: expected a Parquet file, or a .csv, got {' '.join(str(error).split())}"
        ) from error


def _with_lists(table: pa.Table) -> pa.Table:
    """Make a column of lists of the columns `name.0`, `name.1` and so on."""
    names = list(dict.fromkeys(name.rpartition(".")[0] for name in table.column_names if "." in name))
    for name in names:
        parts = [f"{name}.{number}" for number in range(len(table.column_names))]
        parts = [part for part in parts if part in table.column_names]
        entries = [table[part].combine_chunks() for part in parts]
        if not parts or not all(_is_number(of.type) and not of.null_count for of in entries):
            continue
        stacked = np.stack([of.to_numpy(zero_copy_only=False) for of in entries], axis=1)
        table = table.drop_columns(parts).append_column(name, pa.array(list(stacked)))
    return table


def _in_order(table: pa.Table, event_ids: list[str]) -> pa.Table:
    """Put the rows of a table into the order of events, whose every one must be there once."""
    given = table[EVENT].to_pylist()
    place = {name: number for number, name in enumerate(given)}
    problems = {
        "missing": [name for name in event_ids if name not in place],
        "not among the events": sorted(map(str, place.keys() - set(event_ids))),
        "there more than once": sorted({str(name) for name in given if given.count(name) > 1})
        if len(place) < len(given)
        else [],
    }
    told = [f"{len(names):,} {what} ({_some(names)})" for what, names in problems.items() if names]
    if told:
        raise AnswerError(
            f"expected an answer to each of {len(event_ids):,} events, once, got {'; '.join(told)}"
        )
    return table.take([place[name] for name in event_ids])


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (" and more" if len(names) > SHOWN else "")


def _lengths(column: pa.Array) -> NDArray[np.int64]:
    return np.diff(column.offsets.to_numpy())


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
