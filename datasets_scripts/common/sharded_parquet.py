"""Datasets as folders of Parquet shards: written in parallel, whole or not at all, and resumed after a kill.

A folder holds `plan.json` (what it is to become), `data/<split>-XXXXX-of-XXXXX.parquet`, and once
complete `manifest.json` (events, bytes and SHA-256 of each shard) and `README.md`. A shard depends on the
plan alone, so that processes, order and interruptions do not show in the bytes.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features
from tqdm.auto import tqdm

from nuzoo.datasets_scripts.workers.workers import ThisProcess, Workers
from nuzoo.files.atomic import PARTIAL, replacing, write_atomically
from nuzoo.files.checksums import sha256
from nuzoo.files.names import MANIFEST_FILE, PLAN_FILE

ROWS_PER_GROUP = 100
"""Small row groups: a streaming reader fetches about a megabyte at a time."""


class DatasetFolderError(ValueError):
    """A folder that holds something else than what is to be written there."""


@dataclass(frozen=True)
class Shard:
    """One file of a dataset, `number` of `of` in its split.

    Attributes:
        events: What `make_row` is given for each row, by the name of the event.
    """

    split: str
    number: int
    of: int
    events: Mapping[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """Where it lies in the dataset's folder."""
        return Path("data") / f"{self.split}-{self.number:05d}-of-{self.of:05d}.parquet"


def plan_shards(events: Mapping[str, Mapping[str, Any]], shard_size: int) -> list[Shard]:
    """Cut each split, events by their names, into shards of at most `shard_size` events."""
    shards = []
    for split, members in events.items():
        items = list(members.items())
        chunks = [dict(items[i : i + shard_size]) for i in range(0, len(items), shard_size)]
        shards += [Shard(split, number, len(chunks), chunk) for number, chunk in enumerate(chunks)]
    return shards


def write_shards(
    out: Path,
    shards: Sequence[Shard],
    features: Features,
    make_row: Callable[[Any], Mapping[str, Any]],
    plan: Mapping[str, Any],
    workers: Workers | None = None,
) -> dict[str, Any]:
    """Write the shards that are not there yet or hold something else, and the manifest.

    Args:
        out: Folder of the dataset.
        shards: From `plan_shards`.
        features: Columns.
        make_row: Makes the row of one event; must be picklable for more than one process.
        plan: What decides the content. A folder with another plan is refused.
        workers: Who writes them; this process by default.

    Returns:
        The manifest: for each split its events, and for each shard its events, bytes and SHA-256.

    Raises:
        DatasetFolderError: `out` holds another dataset.
        WorkerLostError: A worker is gone, and nobody does what it was doing.
    """
    _claim(out, plan)
    listed = listed_files(out)
    missing = [shard for shard in shards if not _is_whole(out, shard, listed)]
    total, left = (sum(len(shard.events) for shard in group) for group in (shards, missing))
    write = partial(_write_shard, out, features.arrow_schema, make_row)
    workers = workers or ThisProcess()
    if workers.are_many and missing:
        make_row(next(iter(missing[0].events.values())))  # what this compiles, the others find compiled
    try:
        with tqdm(total=total, initial=total - left, unit="event") as bar:
            deque(workers.do(write, missing, bar.update), maxlen=0)
    finally:
        for leftover in (out / "data").glob(f"*{PARTIAL}"):
            leftover.unlink(missing_ok=True)
    for shard in missing:
        listed.pop(shard.path.as_posix(), None)
    manifest = _manifest(out, shards, listed)
    write_atomically(out / MANIFEST_FILE, json.dumps(manifest, indent=2) + "\n")
    return manifest


def _is_whole(out: Path, shard: Shard, listed: Mapping[str, Any]) -> bool:
    """Say whether a shard is as the manifest lists it.

    Without a manifest, all of it is read: a crash of the machine may leave a torn one.
    """
    if (name := shard.path.as_posix()) in listed:
        return is_as_listed(out / name, listed[name])
    try:
        held = pq.read_table(out / shard.path, partitioning=None)["event_id"].to_pylist()
    except (OSError, KeyError, pa.ArrowException):
        return False
    return held == list(shard.events)


def listed_files(out: Path) -> dict[str, Any]:
    """Return what the manifest of a folder lists of each file; nothing where none can be read."""
    try:
        return dict(json.loads((out / MANIFEST_FILE).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def is_as_listed(file: Path, listed: Mapping[str, Any]) -> bool:
    """Say whether a file has the bytes and the SHA-256 that the manifest lists of it."""
    try:
        return file.stat().st_size == listed["bytes"] and sha256(file) == listed["sha256"]
    except (OSError, KeyError, TypeError):
        return False


def _claim(out: Path, plan: Mapping[str, Any]) -> None:
    """Take an empty folder, or one that holds this very plan."""
    text = json.dumps(plan, indent=2) + "\n"
    (out / "data").mkdir(parents=True, exist_ok=True)
    if holds_plan(out):
        refuse_other(out, (out / PLAN_FILE).read_text(encoding="utf-8"), text)
    else:
        write_atomically(out / PLAN_FILE, text)


def holds_plan(out: Path) -> bool:
    """Say whether a folder says what it is to become.

    Raises:
        DatasetFolderError: It does not, and holds data.
    """
    if (out / PLAN_FILE).exists():
        return True
    data = out / "data"
    if data.is_dir() and any(data.iterdir()):
        raise DatasetFolderError(f"{out} holds data but no {PLAN_FILE}: give an empty or a new folder")
    return False


def refuse_other(out: Path, earlier: str, text: str) -> None:
    """Refuse a folder, with a `DatasetFolderError`, whose plan is another than the one that is wanted.

    Args:
        out: The folder.
        earlier: Its plan, JSON.
        text: The plan that is wanted, JSON.
    """
    if different := _differences(earlier, text):
        raise DatasetFolderError(
            f"{out} holds another dataset: in its {PLAN_FILE}, {different}. "
            "Give another folder, or remove this one"
        )


def _differences(earlier: str, text: str) -> str:
    """Say what two plans disagree on, with both values."""
    try:
        there, here = dict(json.loads(earlier)), json.loads(text)
    except (ValueError, TypeError):
        return "there is no plan"
    keys = [key for key in {**there, **here} if there.get(key) != here.get(key)]
    keys = ["dataset"] if "dataset" in keys else keys  # which says it all
    return ", ".join(f"{key} is {there.get(key)!r} instead of {here.get(key)!r}" for key in keys)


def _write_shard(
    out: Path,
    schema: pa.Schema,
    make_row: Callable[[Any], Mapping[str, Any]],
    written: Callable[[int], object],
    shard: Shard,
) -> None:
    with replacing(out / shard.path) as file, open_shard(file, schema) as writer:
        events = list(shard.events.values())
        for first in range(0, len(events), ROWS_PER_GROUP):
            group = []
            for event in events[first : first + ROWS_PER_GROUP]:
                group.append(make_row(event))
                written(1)
            writer.write_table(pa.Table.from_pylist(group, schema))


def open_shard(file: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open the file of a shard; `ROWS_PER_GROUP` rows are written at a time."""
    options = {"compression": "zstd", "use_dictionary": False, "write_page_index": True}
    return pq.ParquetWriter(file, schema, column_encoding=_encodings(schema), **options)


def _encodings(schema: pa.Schema) -> dict[str, str]:
    """Return encodings that suit sorted indices and measured numbers in list columns."""
    return {
        f"{field.name}.list.element": (
            "DELTA_BINARY_PACKED" if pa.types.is_integer(field.type.value_type) else "BYTE_STREAM_SPLIT"
        )
        for field in schema
        if pa.types.is_list(field.type)
    }


def facts_of_shard(file: Path, events: int) -> dict[str, Any]:
    """Give what the manifest lists of the file of a shard."""
    return {"events": events, "bytes": file.stat().st_size, "sha256": sha256(file)}


def _manifest(out: Path, shards: Iterable[Shard], kept: Mapping[str, Any]) -> dict[str, Any]:
    """Make the manifest; of files that were compared with an earlier one, what that lists is kept."""
    files = {}
    splits: Counter[str] = Counter()
    for shard in shards:
        name, events = shard.path.as_posix(), len(shard.events)
        files[name] = {**kept[name], "events": events} if name in kept else facts_of_shard(out / name, events)
        splits[shard.split] += events
    return {"splits": dict(splits), "files": files}
