"""What training and evaluation ask of the rows that they are given."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, DatasetDict, concatenate_datasets

from nuzoo.simulation.detectors import DETECTORS


class UnusableDatasetError(ValueError):
    """A dataset that no event classifier can be trained or measured on."""


def check_labelled(rows: Dataset | None, split: str) -> None:
    """Refuses what is not pixel maps, each with its class.

    Args:
        rows: Of one split; None where there is no such split.
        split: Its name, for the message.

    Raises:
        UnusableDatasetError: No events, a column missing, or events without a class.
    """
    if rows is None or not len(rows):
        raise UnusableDatasetError(
            f"split {split}: expected at least one event, got none: the dataset is too small"
        )
    _check_columns(rows, split, ["detector", "label"])
    detector = DETECTORS.get(rows[0]["detector"])
    views = detector.views if detector else ()
    _check_columns(rows, split, [f"{view.name}_{part}" for view in views for part in ("index", "energy")])
    labels = _labels(rows)
    if not pa.types.is_integer(labels.type) and not pa.types.is_null(labels.type):
        raise UnusableDatasetError(
            f"split {split}, column label: expected numbers of classes, got {labels.type}"
        )
    unlabelled = labels.null_count + (pc.sum(pc.less(labels, 0)).as_py() or 0)
    if unlabelled:
        raise UnusableDatasetError(
            f"split {split}, column label: expected a class for each event, got {unlabelled} of {len(rows)} "
            "without one; leave these out"
        )


def all_labelled(splits: DatasetDict) -> Dataset:
    """The events of all splits together, without those that have no label (tau neutrinos, say).

    Raises:
        UnusableDatasetError: No event has one.
    """
    rows = concatenate_datasets(list(splits.values()))
    _check_columns(rows, "all", ["label"])
    labels = _labels(rows).to_pylist()
    labelled = rows.select([position for position, label in enumerate(labels) if label is not None])
    if not len(labelled):
        raise UnusableDatasetError(f"column label: expected a class, got none for all of {len(rows)} events")
    check_labelled(labelled, "all")
    return labelled


def _labels(rows: Dataset) -> pa.ChunkedArray:
    return rows.select_columns("label").with_format("arrow")[:]["label"]


def _check_columns(rows: Dataset, split: str, needed: list[str]) -> None:
    if missing := [name for name in needed if name not in rows.column_names]:
        raise UnusableDatasetError(
            f"split {split}: expected pixel maps with the columns {', '.join(needed)}, got none named "
            f"{', '.join(missing)}; it has {', '.join(rows.column_names)}"
        )


def check_class_names(rows: Dataset, expected: Sequence[str], name: str) -> None:
    """Refuse events whose labels count other classes, or the same in another order.

    Args:
        rows: Pixel-map rows with labels.
        expected: Names of the classes of a model, in its order.
        name: What the events are called in the error.

    Raises:
        UnusableDatasetError: The classes of the column `label` have other names, or another order.
    """
    known = getattr(rows.features["label"], "names", None)
    if known is not None and list(known) != list(expected):
        raise UnusableDatasetError(
            f"{name}: expected labels that count the classes {', '.join(expected)}, got {', '.join(known)}: "
            "map the labels to this order and cast the column (datasets.ClassLabel), or use a model of these "
            "classes"
        )
