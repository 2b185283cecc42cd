"""What a finished dataset folder says about itself, for its card."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow.parquet as pq
from datasets import Features

from nuzoo.datasets_scripts.common.sharded_parquet import DatasetFolderError
from nuzoo.datasets_scripts.pixel_map_rows import LABELS
from nuzoo.files.names import MANIFEST_FILE, PLAN_FILE
from nuzoo.simulation.detectors import DETECTORS, Detector


@dataclass(frozen=True)
class SplitFacts:
    """One split of a dataset.

    Attributes:
        events: How many.
        classes: Events of each class; None stands for events without one.
        bytes: Size of its files.
        unpacked: Size of their content before compression, bytes.
    """

    events: int
    classes: Mapping[str | None, int]
    bytes: int
    unpacked: int


@dataclass(frozen=True)
class DatasetFacts:
    """One dataset folder.

    Attributes:
        detector: Whose events these are.
        features: The columns.
        plan: Contents of plan.json.
        splits: The splits by name, in the order of the manifest.
        shards: How many files.
        first_source: `source` of the first row: the simulation's version, or a file.
    """

    detector: Detector
    features: Features
    plan: Mapping[str, Any]
    splits: Mapping[str, SplitFacts]
    shards: int
    first_source: str

    @property
    def simulated(self) -> bool:
        """Whether nuzoo simulated the events; they were read from files otherwise."""
        return "simulation" in self.plan

    @property
    def events(self) -> int:
        """Events in all splits."""
        return sum(split.events for split in self.splits.values())

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(split.bytes for split in self.splits.values())


def dataset_facts(folder: Path) -> DatasetFacts:
    """Reads plan, manifest, and of the shards the labels and the first row's origin.

    Raises:
        DatasetFolderError: The detector is not a known one.
    """
    plan = json.loads((folder / PLAN_FILE).read_text(encoding="utf-8"))
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    shards = {split: _shards(folder, manifest, split) for split in manifest["splits"]}
    first = next(shard for group in shards.values() for shard in group)
    with pq.ParquetFile(first) as content:
        features = Features.from_arrow_schema(content.schema_arrow)
        row = next(content.iter_batches(1, columns=["detector", "source"])).to_pylist()[0]
    if row["detector"] not in DETECTORS:
        raise DatasetFolderError(
            f"{first}: expected events of {', '.join(DETECTORS)}, got those of {row['detector']!r}"
        )
    return DatasetFacts(
        detector=DETECTORS[row["detector"]],
        features=features,
        plan=plan,
        splits={
            split: SplitFacts(
                events=manifest["splits"][split],
                classes=_classes(group),
                bytes=sum(shard.stat().st_size for shard in group),
                unpacked=sum(_unpacked(shard) for shard in group),
            )
            for split, group in shards.items()
        },
        shards=len(manifest["files"]),
        first_source=row["source"],
    )


def _shards(folder: Path, manifest: Mapping[str, Any], split: str) -> list[Path]:
    return [folder / name for name in manifest["files"] if PurePosixPath(name).name.startswith(f"{split}-")]


def _classes(shards: list[Path]) -> dict[str | None, int]:
    counts: Counter[int | None] = Counter()
    for shard in shards:
        with pq.ParquetFile(shard) as content:
            counts.update(content.read(columns=["label"])["label"].to_pylist())
    return {name: counts[label] for label, name in [*enumerate(LABELS), (None, None)]}


def _unpacked(shard: Path) -> int:
    metadata = pq.read_metadata(shard)
    return sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
