"""Shards of splits that are written while their events come in, whose number is known only at the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features

from nuzoo.datasets_scripts.common.sharded_parquet import ROWS_PER_GROUP, Shard, facts_of_shard, open_shard
from nuzoo.datasets_scripts.common.splits import SPLITS, split_list


class StreamedShards:
    """The shards and lists of the splits of one dataset; at most a group of rows a split is held.

    Args:
        folder: Where they grow; `publish` moves them to where they belong.
        features: Columns.
        shard_size: Events in a file.
    """

    def __init__(self, folder: Path, features: Features, shard_size: int) -> None:
        self.folder, self.schema, self.shard_size = folder, features.arrow_schema, shard_size
        self.events: dict[str, int] = dict.fromkeys(SPLITS, 0)
        self._rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._lists: dict[str, TextIO] = {split: self._open_list(split) for split in SPLITS}

    def add(self, split: str, row: Mapping[str, Any]) -> None:
        """Write one more event."""
        if self.events[split] % self.shard_size == 0:
            self._end_shard(split)
        self._rows[split].append(row)
        self._lists[split].write(f"{row['event_id']}\n")
        self.events[split] += 1
        if len(self._rows[split]) == ROWS_PER_GROUP:
            self._end_group(split)

    def publish(self, out: Path) -> dict[str, Any]:
        """Move everything into the folder of the dataset.

        Returns:
            The manifest, see `write_shards`.
        """
        for split, names in self._lists.items():
            self._end_shard(split)
            names.close()
            target = out / split_list(split)
            target.parent.mkdir(exist_ok=True)
            Path(names.name).replace(target)
        files = {}
        (out / "data").mkdir(exist_ok=True)
        for shard, events in self._shards():
            grown = self._path(shard.split, shard.number)
            files[shard.path.as_posix()] = facts_of_shard(grown, events)
            grown.replace(out / shard.path)
        return {"splits": {split: events for split, events in self.events.items() if events}, "files": files}

    def close(self) -> None:
        """Let go of all files."""
        for names in self._lists.values():
            names.close()
        for writer in self._writers.values():
            writer.close()

    def _shards(self) -> Iterator[tuple[Shard, int]]:
        for split, events in self.events.items():
            full, rest = divmod(events, self.shard_size)
            sizes = [self.shard_size] * full + ([rest] if rest else [])
            for number, size in enumerate(sizes):
                yield Shard(split, number, len(sizes)), size

    def _path(self, split: str, number: int) -> Path:
        return self.folder / f"{split}-{number:05d}.parquet"

    def _open_list(self, split: str) -> TextIO:
        return (self.folder / f"{split}.txt").open("w", encoding="utf-8", newline="\n")

    def _end_group(self, split: str) -> None:
        if rows := self._rows.pop(split, []):
            if split not in self._writers:
                number = (self.events[split] - 1) // self.shard_size
                self._writers[split] = open_shard(self._path(split, number), self.schema)
            self._writers[split].write_table(pa.Table.from_pylist(rows, self.schema))

    def _end_shard(self, split: str) -> None:
        self._end_group(split)
        if writer := self._writers.pop(split, None):
            writer.close()
