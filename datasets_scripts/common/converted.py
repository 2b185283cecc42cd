"""Datasets that are read from files of detectors, an event at a time."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from nuzoo.datasets_scripts.common.dataset_card import write_dataset_card
from nuzoo.datasets_scripts.common.dataset_folder import SHARD_SIZE, DatasetRequestError
from nuzoo.datasets_scripts.common.rows import Row, row_features
from nuzoo.datasets_scripts.common.sharded_parquet import (
    DatasetFolderError,
    holds_plan,
    is_as_listed,
    listed_files,
    refuse_other,
)
from nuzoo.datasets_scripts.common.splits import SplitRule
from nuzoo.datasets_scripts.common.streamed_shards import StreamedShards
from nuzoo.files.atomic import write_atomically
from nuzoo.files.events.event_schema import EventSchema
from nuzoo.files.folder_lock import locked
from nuzoo.files.left_out import Omission, OmissionTable, Reasons
from nuzoo.files.names import CONVERTING_FOLDER, LEFT_OUT_FILE, MANIFEST_FILE, PLAN_FILE


@dataclass(frozen=True)
class Conversion:
    """What became of files.

    Attributes:
        manifest: Of the dataset.
        left_out: Why files and events are not in it.
        passed_over: The same of files that were never meant to be read.
        lost: How many files and events were refused as a whole: what is left out inside of files that gave
            other events does not count, nor do events that no list of splits names.
        notes: What was decided about files, a line each.
    """

    manifest: Mapping[str, Any]
    left_out: Reasons
    passed_over: Reasons
    lost: int = 0
    notes: Sequence[str] = ()


def told_apart(left_out: Reasons, passed_over: Reasons) -> Iterator[str]:
    """Say what was left out and what was passed over, a line for each reason."""
    yield from left_out.told()
    for line in passed_over.told():
        yield line.replace("left out", "passed over", 1)


class Leavings:
    """What a conversion leaves out: counted by reason, and all of it in a table.

    Args:
        table: Of all of it.
    """

    def __init__(self, table: OmissionTable) -> None:
        self.table, self.left_out, self.passed_over = table, Reasons(), Reasons()

    def append(self, item: Any) -> None:
        """Take what a reader leaves out, a `LeftOut`."""
        self.add(Omission.of(item.path, item.error), passed_over=item.passed_over)

    def add(self, omission: Omission, *, passed_over: bool = False) -> None:
        """Take anything else."""
        (self.passed_over if passed_over else self.left_out).add(omission)
        self.table.add(omission)

    def add_all(self, omissions: Iterable[Omission]) -> None:
        """Take several."""
        for omission in omissions:
            self.add(omission)

    def told(self) -> Iterator[str]:
        """Say what is left out, a line a reason, and where all of it is."""
        yield from told_apart(self.left_out, self.passed_over)
        if len(self.left_out) or len(self.passed_over):
            yield f"left out: all of it is in {self.table.path}"

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return len(self.left_out)


@contextmanager
def leavings_of(out: Path) -> Iterator[Leavings]:
    """Keep the folder of a dataset for this run, with the table of what it leaves out.

    Raises:
        FolderInUseError: Another run writes to the folder.
    """
    with locked(out), OmissionTable(out / LEFT_OUT_FILE) as table:
        try:
            yield Leavings(table)
        except DatasetFolderError:  # the dataset that is there keeps its own
            table.keep_earlier()
            raise


def write_conversion(
    out: Path,
    dataset: str,
    rows: Iterable[Row],
    schema_of_row: Callable[[Row], EventSchema],
    finish: Callable[[Row], Mapping[str, Any]],
    leavings: Leavings,
    *,
    splits: SplitRule | None = None,
    options: Mapping[str, Any] | None = None,
    shard_size: int = SHARD_SIZE,
) -> Conversion:
    """Write rows that are read from files into a folder that `datasets.load_dataset` reads.

    One event is held at a time, and a group of rows of each split. The dataset is there when all of it is:
    killed before, the same command makes it again.

    Args:
        out: Folder.
        dataset: Its name in `nuzoo.registry.DATASETS`.
        rows: The events; those of another detector than the first are left out, as are those whose name an
            event before had, and those in no split.
        schema_of_row: Columns of the dataset, by its first row.
        finish: Adds to a row what the dataset stores beside it, such as a picture.
        leavings: Takes what is left out.
        splits: Which split an event belongs to.
        options: Of the conversion, that decide what the rows are; those that were given.
        shard_size: Events in a file.

    Returns:
        What became of the files.

    Raises:
        DatasetRequestError: No events.
        DatasetFolderError: `out` holds another dataset.
    """
    rule = splits or SplitRule()
    asked = {"dataset": dataset, **({"options": dict(options)} if options else {}), **rule.plan()}
    _check_folder(out, asked)
    growing = out / CONVERTING_FOLDER
    shutil.rmtree(growing, ignore_errors=True)
    growing.mkdir()
    chosen, shards, digest = _Chosen(rule, leavings), None, hashlib.sha256()
    try:
        for row in tqdm(chosen.of(rows), desc="convert", unit="event"):
            if shards is None:
                shards = StreamedShards(growing, row_features(schema_of_row(row)), shard_size)
            _update(digest, row)
            shards.add(str(rule.of(row["event_id"])), finish(row))
        if shards is None:
            raise DatasetRequestError(_nothing(leavings))
        leavings.add_all(chosen.absent())
        plan = {**asked, "events": sum(shards.events.values()), "sha256": digest.hexdigest()}
        manifest = _finished(out, plan) or _publish(out, shards, plan)
    finally:
        if shards is not None:
            shards.close()
        shutil.rmtree(growing, ignore_errors=True)
    return Conversion(manifest, leavings.left_out, leavings.passed_over, chosen.lost)


class _Chosen:
    """Those events of files that belong in one dataset.

    Args:
        rule: Which split an event belongs to.
        leavings: Takes the others.
    """

    def __init__(self, rule: SplitRule, leavings: Leavings) -> None:
        self.rule, self.leavings = rule, leavings
        self.detector: str | None = None
        self.names: set[int] = set()
        self.awaited = dict(rule.listed or {})
        self.lost = 0

    def of(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows that belong."""
        for row in rows:
            self.awaited.pop(row["event_id"], None)
            if reason := self._problem(row):
                self.leavings.add(Omission.of_row(row["source"], reason))
            else:
                yield row

    def absent(self) -> Iterator[Omission]:
        """Give the events that a list of splits names and no file had, once all are read."""
        reason = "expected an event of this name in the files, got none that can be read; correct the list"
        for name, split in self.awaited.items():
            yield Omission(f"{split}.txt", name, reason)

    def _problem(self, row: Row) -> str:
        self.detector = self.detector or row["detector"]
        if self.rule.of(row["event_id"]) is None:
            return "expected an event that a list of splits names, got another; add it to a list"
        problem = self._unwanted(row)
        self.lost += bool(problem)
        return problem

    def _unwanted(self, row: Row) -> str:
        if row["detector"] != self.detector:
            return (
                f"expected events of one detector, {self.detector}, got one of {row['detector']}; convert "
                "these into a folder of their own"
            )
        name = int.from_bytes(hashlib.sha256(row["event_id"].encode()).digest()[:8])
        if name in self.names:
            return (
                f"expected one event of each name, got {row['event_id']!r} again; rename the file or its "
                "folder, or convert the folders one by one"
            )
        self.names.add(name)
        return ""


def _nothing(leavings: Leavings) -> str:
    told = [*leavings.told()] or ["there are no files"]
    return "\n".join(["expected events, got no readable event", *told])


def _update(digest: Any, row: Row) -> None:
    """Add all that a row holds to a digest, so that other files or another scale are another dataset."""
    for name, value in sorted(row.items()):
        digest.update(name.encode())
        digest.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())


def _check_folder(out: Path, asked: Mapping[str, Any]) -> None:
    """Refuse a folder with something else, before any event is read."""
    if holds_plan(out):
        plan = _read(out / PLAN_FILE)
        known = {key: value for key, value in plan.items() if key not in ("events", "sha256")}
        refuse_other(out, json.dumps(known), json.dumps(asked))


def _finished(out: Path, plan: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the manifest of a folder that holds this very dataset; None of one that lacks any of it."""
    if not (out / MANIFEST_FILE).exists():
        return None
    refuse_other(out, json.dumps(_read(out / PLAN_FILE)), json.dumps(plan))
    listed = listed_files(out)
    is_whole = bool(listed) and all(is_as_listed(out / name, listed[name]) for name in listed)
    return _read(out / MANIFEST_FILE) if is_whole else None


def _read(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        return {}


def _publish(out: Path, shards: StreamedShards, plan: Mapping[str, Any]) -> dict[str, Any]:
    """Put a dataset that is complete in its place, its manifest last."""
    (out / MANIFEST_FILE).unlink(missing_ok=True)
    shutil.rmtree(out / "data", ignore_errors=True)
    write_atomically(out / PLAN_FILE, json.dumps(plan, indent=2) + "\n")
    manifest = shards.publish(out)
    write_atomically(out / MANIFEST_FILE, json.dumps(manifest, indent=2) + "\n")
    write_dataset_card(out)
    return manifest
