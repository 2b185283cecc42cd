"""Which split an event belongs to, and the lists that say so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import MANIFESTS_FOLDER

SPLITS = {"train": 0.90, "validation": 0.05, "test": 0.05}


def split_of(event_id: str) -> str:
    """Return the split of an event, by the SHA-256 of its name: 90 % train, 5 % validation, 5 % test."""
    share = int.from_bytes(hashlib.sha256(event_id.encode()).digest()[:8]) / 2**64
    for split, fraction in SPLITS.items():
        if share < fraction:
            return split
        share -= fraction
    return "test"


def by_split(event_ids: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of each split, in their order; a split without any is there as well."""
    members: dict[str, list[str]] = {split: [] for split in SPLITS}
    for event_id in event_ids:
        members[split_of(event_id)].append(event_id)
    return members


def write_split_lists(out: Path, members: Mapping[str, Iterable[str]]) -> None:
    """Write the names of the events of each split, a line each.

    Args:
        out: Folder of the dataset.
        members: Names by split.
    """
    for split, event_ids in members.items():
        path = out / split_list(split)
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, "".join(f"{event_id}\n" for event_id in event_ids))


def split_list(split: str) -> str:
    """Return the file in a dataset's folder that names the events of a split."""
    return f"{MANIFESTS_FOLDER}/{split}.txt"
