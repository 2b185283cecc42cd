"""The truth of detector events for a reconstruction: what it needs of rows, and how events count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.datasets_scripts.common.labelled_rows import (
    UnusableDatasetError,
    check_classes_of,
    check_columns,
    check_labelled,
)
from nuzoo.evaluation.core.class_names import labels_by_name
from nuzoo.evaluation.core.errors import OptionError

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedConfig

Floats = NDArray[np.float64]

CLASSES = ("flavour", "charm")
MOMENTA, VERTEX, IS_CC = ("vis_momentum", "jet_momentum"), "primary_vertex", "is_cc"
TRUTH = (*CLASSES, *MOMENTA, VERTEX, IS_CC)
WEIGHT, ENERGY = "weight", "neutrino_energy"


def names_of(config: PreTrainedConfig) -> dict[str, list[str]]:
    """Give the classes of a network, of "flavour" and of "charm"."""
    return {column: class_names_of(config, column) for column in CLASSES}


def in_classes(rows: Dataset, names: Mapping[str, Sequence[str]]) -> Dataset:
    """Renumber the classes of events as a network does, by their names."""
    for column in CLASSES:
        if column in rows.column_names:
            rows = labels_by_name(rows, names[column], column)
    return rows


def check_events(rows: Dataset | None, split: str, config: PreTrainedConfig) -> None:
    """Refuse events without the truth of a reconstruction, see `TaskEvaluator.check_events`."""
    check_labelled(rows, split, CLASSES)
    assert rows is not None
    check_columns(rows, split, TRUTH)
    for column, names in names_of(config).items():
        check_classes_of(rows, split, names, column)
    for column in (*MOMENTA, VERTEX, IS_CC):
        if missing := _arrow(rows, column).null_count:
            raise UnusableDatasetError(
                f"split {split}, column {column}: expected the truth of each event, got {missing} of "
                f"{len(rows)} without it; leave these out"
            )


def read_vectors(rows: Dataset, column: str) -> Floats:
    """Read a column of vectors, (n, 3)."""
    return np.array(list(rows[column]), dtype=np.float64).reshape(-1, 3)


def read_numbers(rows: Dataset, column: str) -> Floats:
    """Read a column of numbers (n,), NaN where there is none."""
    if column not in rows.column_names:
        return np.full(len(rows), np.nan)
    return np.array(list(rows[column]), dtype=np.float64)


def weights_of(rows: Dataset, asked: str | None, nominal: str, equal: str) -> tuple[Floats, str]:
    """Say how many events each one stands for.

    Args:
        rows: Events.
        asked: `nominal`, `equal`, or None: nominal where every event has a weight.
        nominal: The word for weights by the column `weight`.
        equal: The word for events that count alike.

    Returns:
        Weights (n,), and which they are.

    Raises:
        OptionError: Nominal weights are asked for, and events do not have them.
    """
    weight = read_numbers(rows, WEIGHT)
    known = bool(len(weight)) and bool(np.isfinite(weight).all()) and weight.sum() > 0
    if asked == nominal and not known:
        raise OptionError(
            f"--weights {nominal}: expected a column {WEIGHT!r} with the weight of each event in the nominal "
            f"sample, got {int(np.isfinite(weight).sum())} of {len(weight)} events with one: give "
            f"--weights {equal}, or add the column"
        )
    return (weight, nominal) if known and asked != equal else (np.ones(len(rows)), equal)


def _arrow(rows: Dataset, column: str) -> Any:
    return rows.select_columns(column).with_format("arrow")[:][column]
