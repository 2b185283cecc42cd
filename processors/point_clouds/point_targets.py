"""The truth of point-cloud events as tensors: of their points, particles, interactions, or of the whole."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nuzoo.files.events.event_schema import Column, EventSchema, Ragged
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.processors.event_tables import read_hits, read_target
from nuzoo.processors.input_errors import ProcessorSettingError

HIT = "hit"

COUNTED = "energy"
"""Column that says how many hits an event has."""

POSITIONS = {
    "interaction_vertex": ("interaction_x", "interaction_y", "interaction_z"),
    "particle_start": ("particle_x", "particle_y", "particle_z"),
    "keypoint_place": ("keypoint_x", "keypoint_y", "keypoint_z"),
}
"""Places by the name of their tensor, with the columns that they are made of."""

MOMENTA = {"particle_start_momentum": ("particle_px", "particle_py", "particle_pz")}
"""Momenta by the name of their tensor, with the columns that they are made of; they stay in MeV/c."""

IN_VECTORS = {part for parts in (POSITIONS | MOMENTA).values() for part in parts}

Place = Callable[[NDArray[Any]], NDArray[Any]]


def read_targets(
    rows: Any, schema: EventSchema, targets: Sequence[str], events: int, kept: NDArray[np.int64], place: Place
) -> dict[str, Tensor]:
    """Read the truth.

    Args:
        rows: see `nuzoo.processors.event_tables.read_hits`.
        schema: of the events.
        targets: names of columns. Of those that make a vector (`POSITIONS`, `MOMENTA`) all three.
        events: how many there are.
        kept: (points,) the hits whose truth that of the points is.
        place: from positions (n, 3) as they are stored to those of the network.

    Returns:
        A vector by its own name, float32 (n, 3). Of one other column `labels`, of several `<column>_labels`
        each: int64 or float32 (n,), of points, of particles, interactions or points of interest, or
        (events,). Of the latter also `particle_offset`, `interaction_offset` and `keypoint_offset`, where
        each event's end.

    Raises:
        ProcessorSettingError: there is no such column, or one that is part of a vector alone.
        EventError: an event has no truth, or not such as the schema says.
    """
    columns = _columns_of(schema, targets)
    read = _read_ragged(rows, schema, [column for column in columns if column.is_ragged])
    tensors = {
        f"{column.per}_offset": torch.from_numpy(np.cumsum(read[column.name].counts))
        for column in columns
        if column.is_ragged and column.per != HIT
    }
    vectors = {name: parts for name, parts in (POSITIONS | MOMENTA).items() if {*parts} & {*targets}}
    for name, parts in vectors.items():
        stacked = np.stack([read[part].values.astype(np.float64) for part in parts], axis=1)
        placed = place(stacked) if name in POSITIONS else stacked
        tensors[name] = torch.from_numpy(placed.astype(np.float32))
    others = [each for each in columns if each.name not in IN_VECTORS]
    for column in others:
        name = _name_of(column, others)
        if not column.is_ragged:
            tensors[name] = read_target(rows, [column.name], events)["labels"]
            continue
        values = read[column.name].values
        values = values[kept] if column.per == HIT else values
        tensors[name] = torch.from_numpy(values.astype(np.int64 if column.is_integer else np.float32))
    return tensors


def names_of_hit_truth(schema: EventSchema, targets: Sequence[str]) -> set[str]:
    """Name the tensors that `read_targets` makes of columns with an entry for each hit."""
    columns = _columns_of(schema, targets)
    others = [column for column in columns if column.name not in IN_VECTORS]
    return {_name_of(column, others) for column in others if column.per == HIT}


def _name_of(column: Column, others: Sequence[Column]) -> str:
    return "labels" if len(others) == 1 else f"{column.name}_labels"


def _columns_of(schema: EventSchema, targets: Sequence[str]) -> list[Column]:
    if isinstance(targets, str):
        raise ProcessorSettingError(f"expected columns in a list as targets, got {targets!r}: name them")
    known = [column.name for column in schema.columns if column.is_number]
    if unknown := [name for name in targets if name not in known]:
        raise ProcessorSettingError(
            f"expected targets among the columns {', '.join(known)}, got {', '.join(map(str, unknown))}"
            f"{did_you_mean(unknown, known)}"
        )
    for parts in (POSITIONS | MOMENTA).values():
        if {*parts} & {*targets} and not {*parts} <= {*targets}:
            raise ProcessorSettingError(
                f"expected all of {', '.join(parts)} as targets, which are one vector, got {list(targets)}: "
                "add the others"
            )
    return [schema[name] for name in dict.fromkeys(targets)]


def _read_ragged(rows: Any, schema: EventSchema, columns: Sequence[Column]) -> dict[str, Ragged]:
    if not columns:
        return {}
    counted = [] if any(column.name == COUNTED for column in columns) else [schema[COUNTED]]
    truth = replace(schema, columns=(*counted, *(replace(column, required=True) for column in columns)))
    read = read_hits(rows, truth)
    truth.check(read)
    return read
