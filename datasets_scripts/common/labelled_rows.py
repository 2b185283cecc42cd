"""What training and evaluation ask of the rows that they are given."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.samples import modality_of
from nuzoo.files.events.event_schema import EventSchema
from nuzoo.files.nearest_names import did_you_mean


class UnusableDatasetError(ValueError):
    """A dataset that no network can be trained or measured on."""


def check_split(splits: Collection[str], split: str, data: str = "the dataset") -> None:
    """Refuse a dataset that does not have a split.

    Args:
        splits: Names of those that it has.
        split: Name of the one that is needed.
        data: Its folder or repository, for the message.

    Raises:
        UnusableDatasetError: It does not.
    """
    if split not in splits:
        mend = ": take a dataset that has one; where there are few events, some split may have none"
        raise UnusableDatasetError(
            f"{data} has no split {split!r}, it has {', '.join(splits) or 'none'}"
            f"{did_you_mean([split], splits) or mend}"
        )


def check_labelled(
    rows: Dataset | None, split: str, targets: Sequence[str] = ("label",), schema: EventSchema | None = None
) -> None:
    """Refuse what is not events, each with its classes.

    Args:
        rows: Of one split; None where there is no such split.
        split: Its name, for the message.
        targets: Columns with the truth: the number of a class, or a list with one for each hit.
        schema: What is read of an event; its columns of hits must be there.

    Raises:
        UnusableDatasetError: No events, a column missing, or events without a class.
    """
    if rows is None or not len(rows):
        raise UnusableDatasetError(
            f"split {split}: expected at least one event, got none: the dataset is too small"
        )
    check_columns(rows, split, [*(column.name for column in (schema.hits if schema else ())), *targets])
    for target in targets:
        _check_target(rows, split, target)


def _check_target(rows: Dataset, split: str, target: str) -> None:
    numbers = _column(rows, target)
    is_list = pa.types.is_nested(numbers.type)
    entries = pc.list_flatten(numbers) if is_list else numbers
    if not pa.types.is_integer(entries.type) and not pa.types.is_null(entries.type):
        raise UnusableDatasetError(
            f"split {split}, column {target}: expected numbers of classes, got {numbers.type}"
        )
    if is_list and numbers.null_count:
        raise UnusableDatasetError(
            f"split {split}, column {target}: expected a list for each event, got {numbers.null_count} of "
            f"{len(numbers)} without one; leave these out"
        )
    if unlabelled := entries.null_count + (pc.sum(pc.less(entries, 0)).as_py() or 0):
        raise UnusableDatasetError(
            f"split {split}, column {target}: expected a class for each {'hit' if is_list else 'event'}, got "
            f"{unlabelled} of {len(entries)} without one; leave these out"
        )


def _column(rows: Dataset, name: str) -> pa.ChunkedArray:
    return rows.select_columns(name).with_format("arrow")[:][name]


def check_columns(rows: Dataset, split: str, needed: Sequence[str]) -> None:
    """Refuse rows of a split without these columns.

    Raises:
        UnusableDatasetError: One is not there.
    """
    if missing := [name for name in needed if name not in rows.column_names]:
        raise UnusableDatasetError(
            f"split {split}: expected events with the columns {', '.join(needed)}, got none named "
            f"{', '.join(missing)}; it has {', '.join(rows.column_names)}"
        )


def check_modality(splits: Mapping[str, Dataset | None], modality: str) -> None:
    """Refuse rows that are other events than a model reads; those that are not known pass.

    Args:
        splits: The rows of each split, None where there are none.
        modality: What the model reads, a name in `nuzoo.registry.MODALITIES`.

    Raises:
        UnusableDatasetError: They are.
    """
    for split, rows in splits.items():
        if not rows or "detector" not in rows.column_names:
            continue
        detector = _column(rows.select([0]), "detector")[0].as_py()
        if (found := modality_of(detector, rows.column_names)) not in (None, modality):
            raise UnusableDatasetError(
                f"split {split}: this model reads {modality}, these events are {found}, of {detector}: take "
                f"a model that reads {found}, or a dataset of {modality}"
            )


def check_detector(rows: Dataset, split: str, detector: str | None) -> None:
    """Refuse rows of a split that another detector recorded than the one a model is for; None is for any.

    Raises:
        UnusableDatasetError: They say so.
    """
    if detector is None or "detector" not in rows.column_names:
        return
    if others := set(_column(rows, "detector").unique().to_pylist()) - {None, detector}:
        raise UnusableDatasetError(
            f"split {split}: this model is for events of {detector}, these are of "
            f"{', '.join(sorted(others))}: take a model of that detector, or train one on these events"
        )


def check_class_names(rows: Dataset, expected: Sequence[str], name: str, target: str = "label") -> None:
    """Refuse events whose labels count other classes, or the same in another order.

    Args:
        rows: Events with labels.
        expected: Names of the classes of a model, in its order.
        name: What the events are called in the error.
        target: The column with the truth.

    Raises:
        UnusableDatasetError: The classes of the column have other names, or another order.
    """
    feature = rows.features[target]
    known = getattr(getattr(feature, "feature", feature), "names", None)
    if known is not None and list(known) != list(expected):
        raise UnusableDatasetError(
            f"{name}: expected labels that count the classes {', '.join(expected)}, got {', '.join(known)}: "
            "map the labels to this order and cast the column (datasets.ClassLabel), or use a model of these "
            "classes"
        )


def check_classes_of(rows: Dataset, split: str, names: Sequence[str], target: str = "label") -> None:
    """Refuse events whose labels are none of the classes of a model.

    Args:
        rows: Events, of which `check_labelled` found nothing wrong with the column.
        split: Theirs, for the message.
        names: Of the classes of the model, in its order.
        target: The column with the truth.

    Raises:
        UnusableDatasetError: See `check_class_names`; or numbers of classes that the model does not have.
    """
    check_class_names(rows, names, f"split {split}", target)
    numbers = _column(rows, target)
    is_list = pa.types.is_nested(numbers.type)
    entries = pc.list_flatten(numbers) if is_list else numbers
    if not len(entries):
        return
    if len(beyond := pc.indices_nonzero(pc.greater_equal(entries, len(names)))):
        first = beyond[0].as_py()
        event = int(np.searchsorted(np.cumsum(_lengths(numbers)), first, side="right")) if is_list else first
        raise UnusableDatasetError(
            f"split {split}, column {target} of event {_event_name(rows, event)}: expected classes from 0 to "
            f"{len(names) - 1} ({', '.join(names)}), got {entries[first].as_py()}: leave such events out, or "
            "use a model of these classes"
        )


def check_lengths(rows: Dataset, split: str, schema: EventSchema, targets: Sequence[str]) -> None:
    """Refuse truth of hits that has other numbers of entries than the hits, and truth without any entry.

    Args:
        rows: Of one split; what is not there at all passes.
        split: Its name, for the message.
        schema: Says what the lists of a column have an entry for.
        targets: Columns with the truth.

    Raises:
        UnusableDatasetError: With the first column and event that are wrong, or no event has an entry.
    """
    known = schema.by_name
    columns = [known[name] for name in targets if name in known and known[name].is_ragged]
    for word in dict.fromkeys(column.per for column in columns):
        alike = [column.name for column in (*schema.hits, *columns) if column.per == word]
        first, *others = [name for name in dict.fromkeys(alike) if name in rows.column_names] or [""]
        if not first or not len(rows):
            continue
        counts = _lengths(_listed(rows, split, first))
        for name in others:
            _check_same(rows, split, (first, counts), (name, _lengths(_listed(rows, split, name))))
        if counts.max() <= 0:
            raise UnusableDatasetError(
                f"split {split}: expected events with {word}s, got {len(rows)} without any: take others"
            )


def _listed(rows: Dataset, split: str, name: str) -> pa.ChunkedArray:
    lists = _column(rows, name)
    if not pa.types.is_nested(lists.type):
        raise UnusableDatasetError(
            f"split {split}, column {name}: expected a list for each event, got {lists.type}: write lists"
        )
    return lists


def _check_same(
    rows: Dataset, split: str, first: tuple[str, NDArray[np.int64]], other: tuple[str, NDArray[np.int64]]
) -> None:
    """Refuse a column, by name with its numbers of entries, that has others than the first one."""
    if (wrong := np.flatnonzero(first[1] != other[1])).size:
        event = int(wrong[0])
        got = other[1][event] if other[1][event] >= 0 else "no list"
        raise UnusableDatasetError(
            f"split {split}, column {other[0]} of event {_event_name(rows, event)}: expected as many entries "
            f"as in {first[0]}, {first[1][event]}, got {got}: write both columns together, or leave the "
            "event out"
        )


def _lengths(lists: pa.ChunkedArray) -> NDArray[np.int64]:
    """How many entries each event has; -1 of one without a list."""
    return np.asarray(pc.fill_null(pc.list_value_length(lists), -1)).astype(np.int64)


def _event_name(rows: Dataset, event: int) -> str:
    return str(rows[event]["event_id"]) if "event_id" in rows.column_names else str(event)
