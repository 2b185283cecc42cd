"""The files of a dataset folder: what its manifest promises, and whether they are as promised."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from nuzoo.datasets_scripts.common.dataset_folder import DatasetRequestError
from nuzoo.datasets_scripts.common.described import know_detectors
from nuzoo.datasets_scripts.common.samples import UnknownDatasetError, find_sample
from nuzoo.datasets_scripts.common.simulated import SimulationPlan, simulation_of
from nuzoo.datasets_scripts.common.splits import SPLITS, split_list
from nuzoo.files.checksums import repository_files, sha256
from nuzoo.files.names import DETECTOR_FILE, LEFT_OUT_FILE, MANIFEST_FILE, PLAN_FILE
from nuzoo.hub.errors import DatasetRepositoryError
from nuzoo.registry import Sample
from nuzoo.simulation.errors import DetectorError

SHARD_NAME = re.compile(r"data/(?P<split>\w+)-(?P<number>\d{5})-of-(?P<of>\d{5})\.parquet", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}")
MAKE_AGAIN = "make the dataset again with the command that wrote it, which keeps the shards that are there"


def wrong_file(what: str) -> DatasetRepositoryError:
    """Make the error of a file that is not as it was written; the remedy is to write it again."""
    return DatasetRepositoryError(f"{what}; {MAKE_AGAIN}")


@dataclass(frozen=True)
class ShardEntry:
    """What a manifest says of a shard.

    Attributes:
        name: Path in the folder.
        split: Its split.
        events: Rows.
        bytes: Size.
        sha256: Digest in hexadecimal.
    """

    name: str
    split: str
    events: int
    bytes: int
    sha256: str

    @classmethod
    def of(cls, name: str, entry: Mapping[str, Any]) -> ShardEntry:
        """Read an entry; raises errors of Python for one that makes no sense."""
        match = SHARD_NAME.fullmatch(name)
        if not match:
            raise ValueError(f"expected shards named data/<split>-00000-of-00001.parquet, got {name!r}")
        if not SHA256.fullmatch(entry["sha256"]) or entry["events"] < 1 or entry["bytes"] < 1:
            raise ValueError(f"expected events, bytes and SHA-256 of {name}, got {dict(entry)}")
        return cls(name, match["split"], entry["events"], entry["bytes"], entry["sha256"])


@dataclass(frozen=True)
class DatasetFolder:
    """A folder that has all files of a dataset; what is in them is for others to check.

    Attributes:
        path: The folder.
        shards: In the order of the manifest.
        plan: Contents of `plan.json`.
        sample: Which dataset of the zoo it is.
        simulation: What was simulated, if nuzoo did it.
    """

    path: Path
    shards: list[ShardEntry]
    plan: Mapping[str, Any]
    sample: Sample
    simulation: SimulationPlan | None

    @property
    def events(self) -> dict[str, int]:
        """Events of each split that has any."""
        return _events(self.shards)

    @property
    def empty_splits(self) -> list[str]:
        """The splits without events."""
        return [split for split in SPLITS if split not in self.events]

    @property
    def files(self) -> list[str]:
        """What a dataset consists of, its card apart."""
        described = [DETECTOR_FILE] if (self.path / DETECTOR_FILE).is_file() else []
        return _files(self.shards) + described


def open_dataset(folder: Path, also: Collection[str] = ()) -> DatasetFolder:
    """Read manifest and plan, and refuse a folder that is not a finished dataset.

    Args:
        folder: Dataset folder.
        also: Files that may be there.

    Raises:
        DatasetRepositoryError: A file is missing or no dataset's, the manifest is not of its files, or the
            plan does not tell how the events were made.
    """
    if not (folder / MANIFEST_FILE).is_file():
        raise wrong_file(f"{folder}: expected a finished dataset, got no {MANIFEST_FILE}")
    shards = _read_manifest(folder / MANIFEST_FILE)
    _check_file_list(folder, _files(shards), [*also, DETECTOR_FILE])
    file = folder / PLAN_FILE
    plan, events = _read_json(file), sum(shard.events for shard in shards)
    if plan.get("events") != events:
        raise wrong_file(f"{file}: expected {events} events, got {plan.get('events')}")
    try:
        know_detectors(folder)
        sample = find_sample(plan.get("dataset"))
        simulation = simulation_of(sample, plan) if "simulation" in plan else None
        return DatasetFolder(folder, shards, plan, sample, simulation)
    except (DatasetRequestError, UnknownDatasetError, DetectorError) as error:
        raise wrong_file(f"{file}: {error}") from error


def _read_manifest(file: Path) -> list[ShardEntry]:
    manifest = _read_json(file)
    try:
        shards = [ShardEntry.of(name, entry) for name, entry in manifest["files"].items()]
        splits = {str(split): int(events) for split, events in manifest["splits"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise wrong_file(f"{file}: {error}") from error
    if (counted := _events(shards)) != splits or not shards:
        raise wrong_file(f"{file}: expected the events of its files in its splits, {counted}, got {splits}")
    names = {shard.name for shard in shards}
    for match in filter(None, map(SHARD_NAME.fullmatch, names)):
        expected = {
            f"data/{match['split']}-{n:05d}-of-{match['of']}.parquet" for n in range(int(match["of"]))
        }
        if missing := expected - names:
            raise wrong_file(f"{file}: expected an entry for {min(missing)}, got none")
    return shards


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise wrong_file(f"{file}: expected JSON, got {error}") from error
    if not isinstance(content, dict):
        raise wrong_file(f"{file}: expected a JSON object, got {type(content).__name__}")
    return content


def _events(shards: Collection[ShardEntry]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for shard in shards:
        counted[shard.split] += shard.events
    return dict(counted)


def _files(shards: Collection[ShardEntry]) -> list[str]:
    lists = [split_list(split) for split in dict.fromkeys([*SPLITS, *(shard.split for shard in shards)])]
    return [*(shard.name for shard in shards), *lists, PLAN_FILE, MANIFEST_FILE]


def _check_file_list(folder: Path, needed: Collection[str], also: Collection[str]) -> None:
    """Refuse a folder in which a file is missing, or lies that a dataset does not have."""
    present = {name.as_posix() for name in repository_files(folder)}
    if missing := set(needed) - present:
        raise wrong_file(f"{folder}: expected {_some(missing)}, which is missing")
    unknown = present.difference(needed, also, {LEFT_OUT_FILE})
    if unfinished := {name for name in unknown if name.endswith(".partial")}:
        raise wrong_file(f"{folder}: expected a finished dataset, got {_some(unfinished)} half written")
    if unknown:
        raise DatasetRepositoryError(
            f"{folder}: expected the files of a dataset alone, got {_some(unknown)}; move it elsewhere"
        )


def _some(names: Collection[str]) -> str:
    return ", ".join(sorted(names)[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def check_bytes(dataset: DatasetFolder, computed: Mapping[str, str] | None = None) -> None:
    """Refuse shards that are not those that the manifest was written for.

    Args:
        dataset: From `open_dataset`.
        computed: SHA-256 by path in the folder, where that is known already.

    Raises:
        DatasetRepositoryError: With the shard and what differs: size, digest or rows.
    """
    for shard in dataset.shards:
        path = dataset.path / shard.name
        again = f"remove it and {MAKE_AGAIN}"
        if (size := path.stat().st_size) != shard.bytes:
            raise DatasetRepositoryError(f"{path}: expected {shard.bytes} bytes, got {size}; {again}")
        digest = (computed or {}).get(shard.name) or sha256(path)
        if digest != shard.sha256:
            raise DatasetRepositoryError(f"{path}: expected SHA-256 {shard.sha256}, got {digest}; {again}")
        try:
            rows = pq.read_metadata(path).num_rows
        except (pa.ArrowException, OSError) as error:
            raise DatasetRepositoryError(f"{path}: expected a Parquet file, got {error}; {again}") from error
        if rows != shard.events:
            raise DatasetRepositoryError(f"{path}: expected {shard.events} rows, got {rows}; {again}")
