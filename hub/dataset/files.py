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

from nuzoo.datasets_scripts.pixel_map_rows import SPLITS
from nuzoo.files.checksums import repository_files, sha256
from nuzoo.files.names import MANIFEST_FILE, PLAN_FILE
from nuzoo.hub.errors import DatasetRepositoryError
from nuzoo.simulation.detectors import DETECTORS
from nuzoo.simulation.spectra import SPECTRA

SHARD_NAME = re.compile(r"data/(?P<split>\w+)-(?P<number>\d{5})-of-(?P<of>\d{5})\.parquet", re.ASCII)
SIMULATION_PLAN = {"dataset", "simulation", "events", "seed", "detector", "spectrum", "shard_size"}
CONVERSION_PLAN = {"dataset", "events", "sha256"}
SHA256 = re.compile(r"[0-9a-f]{64}")
MAKE_AGAIN = "make the dataset again with the command that wrote it, which keeps the shards that are there"


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


def read_manifest(folder: Path) -> list[ShardEntry]:
    """The shards of a dataset folder, in the order of the manifest.

    Raises:
        DatasetRepositoryError: There is no manifest, or it names files that no dataset has, counts events
            wrongly, or leaves shards out.
    """
    file = folder / MANIFEST_FILE
    if not file.is_file():
        raise DatasetRepositoryError(
            f"{folder}: expected a finished dataset, got no {MANIFEST_FILE}; {MAKE_AGAIN}"
        )
    manifest = read_json(file)
    try:
        shards = [_entry(name, entry) for name, entry in manifest["files"].items()]
        splits = {str(split): int(events) for split, events in manifest["splits"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetRepositoryError(f"{file}: {error}; {MAKE_AGAIN}") from error
    counted: Counter[str] = Counter()
    for shard in shards:
        counted[shard.split] += shard.events
    if dict(counted) != splits or not shards:
        raise DatasetRepositoryError(
            f"{file}: expected the events of its files in its splits, {dict(counted)}, got {splits}; "
            f"{MAKE_AGAIN}"
        )
    _refuse_gaps(file, [shard.name for shard in shards])
    return shards


def read_json(file: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        DatasetRepositoryError: It holds something else.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DatasetRepositoryError(f"{file}: expected JSON, got {error}; {MAKE_AGAIN}") from error
    if not isinstance(content, dict):
        raise DatasetRepositoryError(
            f"{file}: expected a JSON object, got {type(content).__name__}; {MAKE_AGAIN}"
        )
    return content


def _entry(name: str, entry: Mapping[str, Any]) -> ShardEntry:
    match = SHARD_NAME.fullmatch(name)
    if not match:
        raise ValueError(f"expected shards named data/<split>-00000-of-00001.parquet, got {name!r}")
    if not SHA256.fullmatch(entry["sha256"]) or entry["events"] < 1 or entry["bytes"] < 1:
        raise ValueError(f"expected events, bytes and SHA-256 of {name}, got {dict(entry)}")
    return ShardEntry(name, match["split"], entry["events"], entry["bytes"], entry["sha256"])


def _refuse_gaps(file: Path, names: Collection[str]) -> None:
    for match in filter(None, map(SHARD_NAME.fullmatch, names)):
        of = int(match["of"])
        expected = {f"data/{match['split']}-{number:05d}-of-{of:05d}.parquet" for number in range(of)}
        if missing := expected.difference(names):
            raise DatasetRepositoryError(
                f"{file}: expected an entry for {min(missing)}, got none; {MAKE_AGAIN}"
            )


def check_plan(folder: Path, shards: Collection[ShardEntry]) -> None:
    """Refuse a plan that does not tell how the events of the shards were made.

    Raises:
        DatasetRepositoryError: With what is missing or differs.
    """
    file = folder / PLAN_FILE
    plan = read_json(file)
    needed = SIMULATION_PLAN if "simulation" in plan else CONVERSION_PLAN
    if missing := sorted(needed - plan.keys()):
        raise DatasetRepositoryError(f"{file}: expected {', '.join(missing)}, got none; {MAKE_AGAIN}")
    events = sum(shard.events for shard in shards)
    if plan["events"] != events:
        raise DatasetRepositoryError(f"{file}: expected {events} events, got {plan['events']}; {MAKE_AGAIN}")
    if "simulation" in plan:
        _check_simulation(file, plan)


def _check_simulation(file: Path, plan: Mapping[str, Any]) -> None:
    for key, known in (("detector", DETECTORS), ("spectrum", SPECTRA)):
        if not isinstance(plan[key], str) or plan[key] not in known:
            raise DatasetRepositoryError(
                f"{file}: expected the {key} {' or '.join(known)}, got {plan[key]!r}; {MAKE_AGAIN}"
            )
    if type(plan["seed"]) is not int:
        raise DatasetRepositoryError(
            f"{file}: expected a whole number as seed, got {plan['seed']!r}; {MAKE_AGAIN}"
        )


def split_manifests(shards: Collection[ShardEntry]) -> list[str]:
    """The files that name the events of each split."""
    return [
        f"manifests/{split}.txt" for split in dict.fromkeys([*SPLITS, *(shard.split for shard in shards)])
    ]


def check_file_list(folder: Path, shards: Collection[ShardEntry], also: Collection[str] = ()) -> None:
    """Refuse a folder in which a file is missing, or lies that a dataset does not have.

    Args:
        folder: Dataset folder.
        shards: From `read_manifest`.
        also: Files that may be there.

    Raises:
        DatasetRepositoryError: With the names.
    """
    needed = {MANIFEST_FILE, PLAN_FILE, *split_manifests(shards), *(shard.name for shard in shards)}
    present = {name.as_posix() for name in repository_files(folder)}
    if missing := sorted(needed - present):
        raise DatasetRepositoryError(f"{folder}: expected {_some(missing)}, which is missing; {MAKE_AGAIN}")
    unknown = sorted(present - needed - set(also))
    if unfinished := [name for name in unknown if name.endswith(".partial")]:
        raise DatasetRepositoryError(
            f"{folder}: expected a finished dataset, got {_some(unfinished)} half written; {MAKE_AGAIN}"
        )
    if unknown:
        raise DatasetRepositoryError(
            f"{folder}: expected the files of a dataset alone, got {_some(unknown)}; move it elsewhere"
        )


def _some(names: Collection[str]) -> str:
    first = list(names)[:3]
    return ", ".join(first) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def check_shard_bytes(folder: Path, shard: ShardEntry) -> None:
    """Refuse a shard that is not the one its manifest was written for.

    Raises:
        DatasetRepositoryError: With the shard and what differs: size, digest or rows.
    """
    path = folder / shard.name
    again = f"remove it and {MAKE_AGAIN}"
    size = path.stat().st_size
    if size != shard.bytes:
        raise DatasetRepositoryError(f"{path}: expected {shard.bytes} bytes, got {size}; {again}")
    digest = sha256(path)
    if digest != shard.sha256:
        raise DatasetRepositoryError(f"{path}: expected SHA-256 {shard.sha256}, got {digest}; {again}")
    try:
        rows = pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError) as error:
        raise DatasetRepositoryError(f"{path}: expected a Parquet file, got {error}; {again}") from error
    if rows != shard.events:
        raise DatasetRepositoryError(f"{path}: expected {shard.events} rows, got {rows}; {again}")
