"""What a finished dataset folder says about itself, for its card."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from datasets import Features

from nuzoo.datasets_scripts.common.described import know_detectors
from nuzoo.datasets_scripts.common.samples import find_sample, schema_as_stored, targets_of
from nuzoo.datasets_scripts.common.splits import SPLITS
from nuzoo.files.events.event_schema import Column, EventSchema
from nuzoo.files.names import MANIFEST_FILE, PLAN_FILE
from nuzoo.files.plain_text import plain
from nuzoo.registry import Sample
from nuzoo.simulation.detectors import Detector, find_detector


@dataclass(frozen=True)
class SplitFacts:
    """One split of a dataset.

    Attributes:
        events: How many.
        classes: Events of each class of the columns per event that a task asks for, by column and class.
        bytes: Size of its files.
        unpacked: Size of their content before compression, bytes.
    """

    events: int
    classes: Mapping[str, int]
    bytes: int
    unpacked: int


@dataclass(frozen=True)
class DatasetFacts:
    """One dataset folder.

    Attributes:
        sample: Which dataset it is.
        detector: Whose events these are.
        schema: What their columns mean.
        features: The columns.
        plan: Contents of plan.json.
        splits: The splits by name, in the order of the manifest.
        shares: For each other column of classes the share of entries of each class, of all splits.
        shards: How many files.
        first_source: `source` of the first row: the simulation's version, or a file.
        content: SHA-256 of the SHA-256 of all shards.
    """

    sample: Sample
    detector: Detector
    schema: EventSchema
    features: Features
    plan: Mapping[str, Any]
    splits: Mapping[str, SplitFacts]
    shares: Mapping[str, Mapping[str, float]]
    shards: int
    first_source: str
    content: str

    @property
    def simulated(self) -> bool:
        """Whether nuzoo simulated the events; they were read from files otherwise."""
        return "simulation" in self.plan

    @property
    def given(self) -> str:
        """What the simulation began with, "interactions" or "deposits"; nothing where all of it is ours."""
        return str(self.plan.get("given", ""))

    @property
    def detector_facts(self) -> dict[str, str]:
        """Property and value of its detector, with units; of simulated events also how they were recorded."""
        return self.detector.facts() | (self.detector.readout.simulation_facts() if self.simulated else {})

    @property
    def empty_splits(self) -> list[str]:
        """The splits that no event fell into."""
        return [split for split in SPLITS if split not in self.splits]

    @property
    def events(self) -> int:
        """Events in all splits."""
        return sum(split.events for split in self.splits.values())

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(split.bytes for split in self.splits.values())


def dataset_facts(folder: Path) -> DatasetFacts:
    """Read plan, manifest, and of the shards the classes and the first row's origin.

    Raises:
        UnknownDatasetError: The dataset is not a known one.
        UnknownDetectorError: Its detector is not a known one.
    """
    know_detectors(folder)
    plan = json.loads((folder / PLAN_FILE).read_text(encoding="utf-8"))
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    shards = {split: _shards(folder, manifest, split) for split in manifest["splits"]}
    first = next(shard for group in shards.values() for shard in group)
    with pq.ParquetFile(first) as content:
        features = Features.from_arrow_schema(content.schema_arrow)
        row = next(content.iter_batches(1, columns=["detector", "source"])).to_pylist()[0]
    sample, detector = find_sample(plan["dataset"]), find_detector(row["detector"])
    schema = schema_as_stored(sample, detector, features)
    counted = {
        name: schema[name].classes
        for name in targets_of(sample)
        if name in features and schema[name].classes and not schema[name].is_ragged
    }
    return DatasetFacts(
        sample=sample,
        detector=detector,
        schema=schema,
        features=features,
        plan=plan,
        splits={
            split: SplitFacts(
                events=manifest["splits"][split],
                classes={
                    f"`{column}` {'unknown' if name is None else plain(name)}": number
                    for column, names in counted.items()
                    for name, number in _counts(group, column, names).items()
                },
                bytes=sum(shard.stat().st_size for shard in group),
                unpacked=sum(_unpacked(shard) for shard in group),
            )
            for split, group in shards.items()
        },
        shares={
            column.name: _shares([shard for group in shards.values() for shard in group], column)
            for column in schema.columns
            if column.classes and column.name in features and column.name not in counted
        },
        shards=len(manifest["files"]),
        first_source=row["source"],
        content=_content(manifest),
    )


def _shards(folder: Path, manifest: Mapping[str, Any], split: str) -> list[Path]:
    return [folder / name for name in manifest["files"] if PurePosixPath(name).name.startswith(f"{split}-")]


def _content(manifest: Mapping[str, Any]) -> str:
    digests = "".join(entry["sha256"] for entry in manifest["files"].values())
    return hashlib.sha256(digests.encode()).hexdigest()


def _counts(shards: list[Path], column: str, classes: tuple[str, ...]) -> dict[str | None, int]:
    counts: Counter[int | None] = Counter()
    for shard in shards:
        with pq.ParquetFile(shard) as content:
            counts.update(content.read(columns=[column])[column].to_pylist())
    return {name: counts[number] for number, name in [*enumerate(classes), (None, None)]}


def _shares(shards: list[Path], column: Column) -> dict[str, float]:
    """Return the share of each class among the entries of a column, none where it is not known."""
    counts = np.zeros(len(column.classes), np.int64)
    for shard in shards:
        with pq.ParquetFile(shard) as content:
            for batch in content.iter_batches(columns=[column.name]):
                numbers = batch[column.name].flatten() if column.is_ragged else batch[column.name].drop_null()
                known = numbers.to_numpy(zero_copy_only=False).astype(np.int64)
                counts += np.bincount(known, minlength=len(counts))
    return dict(zip(column.classes, counts / counts.sum(), strict=True)) if counts.any() else {}


def _unpacked(shard: Path) -> int:
    metadata = pq.read_metadata(shard)
    return sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups))
