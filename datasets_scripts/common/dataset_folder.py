"""A whole dataset folder: shards, lists of the splits' events, and the card."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from datasets import Features

from nuzoo.datasets_scripts.common.dataset_card import write_dataset_card
from nuzoo.datasets_scripts.common.sharded_parquet import plan_shards, write_shards
from nuzoo.datasets_scripts.common.splits import by_split, write_split_lists
from nuzoo.datasets_scripts.workers.workers import Workers
from nuzoo.files.folder_lock import locked

SHARD_SIZE = 500


class DatasetRequestError(ValueError):
    """A dataset that cannot be made as asked."""


def write_dataset(
    out: Path,
    events: Mapping[str, Any],
    features: Features,
    make_row: Callable[[Any], Mapping[str, Any]],
    plan: Mapping[str, Any],
    *,
    workers: Workers | None = None,
    shard_size: int = SHARD_SIZE,
) -> dict[str, Any]:
    """Write events into a folder that `datasets.load_dataset` reads.

    Killed and called again it goes on, and ends with the same bytes whoever does the work.

    Args:
        out: Folder.
        events: What `make_row` is given, by the name of the event; the hash of the name decides the split.
        features: Columns.
        make_row: Makes the row of one event; must be picklable for more than one process.
        plan: What decides the content: "dataset" (a name in `nuzoo.registry.DATASETS`), "events" (how many)
            and whatever else. A folder with another plan is refused.
        workers: Who does it; this process by default.
        shard_size: Events in a file.

    Returns:
        The manifest.

    Raises:
        DatasetFolderError: `out` holds another dataset.
        FolderInUseError: another run is writing to `out`.
    """
    members = by_split(events)
    content = {split: {name: events[name] for name in names} for split, names in members.items()}
    with locked(out):
        manifest = write_shards(out, plan_shards(content, shard_size), features, make_row, plan, workers)
        write_split_lists(out, members)
        write_dataset_card(out)
    return manifest
