"""What a network tells of found instances beside mask and class, and what the events know of true ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset

from nuzoo.evaluation.core.events import read_lists
from nuzoo.evaluation.tasks.particle_segmentation.overlaps import Floats, Ints
from nuzoo.evaluation.tasks.particle_segmentation.regression import ToldNumbers

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

    from nuzoo.processors.contract import EventProcessor

logger = logging.getLogger(__name__)

COLUMNS = {"momentum": "{}_p{}", "start": "{}_{}"}
"""Columns of the truth along each axis, of particles or interactions."""

MEV_PER_GEV = 1000.0


def queries_of(event: Mapping[str, Any]) -> Ints:
    """Give the query that found each instance of an event."""
    return np.array([one["query_id"] for one in event["segments_info"]], dtype=np.int64)


def told_numbers(
    rows: Dataset, config: PreTrainedConfig, processor: EventProcessor, found: Sequence[Mapping[str, Any]]
) -> dict[str, ToldNumbers]:
    """Give what the network tells of instances and what is true, in one unit: momenta in MeV/c, starts in mm.

    Args:
        rows: Events.
        config: Of the network.
        processor: Its processor.
        found: Of each event by name what is told of the found instances, as the network tells it.

    Returns:
        By name. What the events do not know is left out, and told of.
    """
    frame: Any = processor.frame  # type: ignore[attr-defined]
    numbers = {}
    for name in config.regressed:
        columns = [COLUMNS[name].format(config.instances, axis) for axis in "xyz"]
        if missing := _unknown(rows, columns):
            logger.warning("%s is not measured: not all events know %s", name, ", ".join(missing))
            continue
        true = _vectors(rows, columns)
        told = [np.asarray(event[name], dtype=np.float64) for event in found]
        if name == "momentum":
            numbers[name] = ToldNumbers(
                [MEV_PER_GEV * 10 ** event[:, 0] for event in told],
                [np.linalg.norm(event, axis=1) for event in true],
            )
        else:
            numbers[name] = ToldNumbers(
                [event * frame.mm_per_unit for event in told],
                [frame.placed(event) * frame.mm_per_unit for event in true],
            )
    return numbers


def _unknown(rows: Dataset, columns: Sequence[str]) -> list[str]:
    """Name columns that are not there, or not of each event."""
    there = [name for name in columns if name in rows.column_names]
    table = rows.select_columns(there).with_format("arrow")[:]
    return [name for name in columns if name not in there or table[name].null_count]


def _vectors(rows: Dataset, columns: Sequence[str]) -> list[Floats]:
    """Read vectors (instances, 3) of each event."""
    axes = (read_lists(rows, name, np.float64) for name in columns)
    return [np.stack(event, axis=1) for event in zip(*axes, strict=True)]
