"""Training events that are read while they are learnt from: larger samples than a disk or a memory holds.

Each process reads shards of its own, where there are as many. The order follows from the seed alone, so that
a run that was stopped goes on with the very events that come next; it reads again what it passes over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from datasets import Dataset, IterableDataset
from torch import Tensor
from transformers import PreTrainedConfig

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.datasets_scripts.common.labelled_rows import check_class_names
from nuzoo.files.events.event_errors import naming_events
from nuzoo.processors.contract import EventProcessor
from nuzoo.training.event_batches import as_is, event_columns
from nuzoo.training.fields import RecipeError

if TYPE_CHECKING:
    from nuzoo.training.recipe import Recipe

SHUFFLED = 1000
"""Events among which the next one is drawn; shards come in a random order besides."""

EVENTS_AT_A_TIME = 1000

IN_EACH_PROCESS = {"dispatch_batches": False}
"""Of `training.accelerator_config`: every process reads for itself."""


def check_streaming(recipe: Recipe, training: Mapping[str, Any]) -> None:
    """Refuse what does not go with `data.streaming`.

    Args:
        recipe: That has it.
        training: Its checked training arguments.

    Raises:
        RecipeError: With what is wrong.
    """
    if not recipe.streams:
        raise RecipeError(f"data.streaming: expected false for {recipe.task}: leave it out")
    idle = {
        "data.train_events": recipe.data.train_events is not None,
        "data.bootstrap": recipe.data.bootstrap is not None,
        "teacher": recipe.teacher is not None,
        "model.evidential": recipe.given["model"].get("evidential") is not None,
        "training.accelerator_config": "accelerator_config" in training,
    }
    if given := [name for name, is_given in idle.items() if is_given]:
        raise RecipeError(
            f"data.streaming: expected no {', '.join(given)} with it, which needs all events: leave one of "
            "them out"
        )
    if training.get("max_steps", -1) < 1:
        raise RecipeError(
            "data.streaming: expected training.max_steps with it, as a stream has no end, got none"
        )
    for name in ("eval_strategy", "save_strategy"):
        if training[name] == "epoch":
            raise RecipeError(f"training.{name}: expected steps or no with data.streaming, got epoch")


def held(stream: IterableDataset, events: int | None = None) -> Dataset:
    """Read a stream, or its first events, into memory."""
    first = stream if events is None else stream.take(events)
    tables = list(first.with_format("arrow").iter(EVENTS_AT_A_TIME))
    if not tables:
        return Dataset.from_dict({name: [] for name in stream.features}, features=stream.features)
    return Dataset(pa.concat_tables(tables)).cast(stream.features)


def training_stream(
    recipe: Recipe,
    stream: IterableDataset,
    processor: EventProcessor,
    config: PreTrainedConfig,
    head: Dataset,
) -> IterableDataset:
    """Make a stream without an end of the columns that batches are made of, in random order.

    Args:
        recipe: The run.
        stream: The training events.
        processor: That reads them.
        config: Of the network.
        head: First events of the stream.

    Raises:
        UnusableDatasetError: Its classes are not those of the network, in their order.
    """
    for target in recipe.targets:
        check_class_names(head, class_names_of(config, target), "split train", target)
    columns = ["event_id", *event_columns(head, processor, recipe.targets)]
    wanted = stream.select_columns([name for name in dict.fromkeys(columns) if name in head.column_names])
    return wanted.repeat(None).shuffle(seed=recipe.training.seed, buffer_size=SHUFFLED).with_format("arrow")


class RowsToBatch:
    """Collates rows of a stream, and leaves alone what a dataset makes as whole batches.

    Args:
        processor: What turns rows into tensors.
        targets: Columns with the truth.
    """

    def __init__(self, processor: EventProcessor, targets: Sequence[str]) -> None:
        self.processor = processor
        self.targets = tuple(targets)

    def __call__(self, items: Any) -> dict[str, Tensor]:
        """Make a batch of tables of one row, or give one."""
        if isinstance(items, dict):
            return as_is(items)
        rows = pa.concat_tables(items)
        names = rows["event_id"].to_pylist() if "event_id" in rows.column_names else range(len(rows))
        with naming_events(lambda event: names[event]):
            return dict(self.processor(rows, targets=self.targets))
