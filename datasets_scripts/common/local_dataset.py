"""Datasets in folders of this machine, cached by what their files hold and found by their very names.

`datasets.load_dataset` takes the path of a folder as a pattern, and knows a folder that has a card by its
card alone: another folder, or other files, of the same columns and numbers of events would be taken for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from datasets import DatasetBuilder, DatasetInfo, config
from datasets.data_files import DataFilesDict, DataFilesList, sanitize_patterns
from datasets.info import DatasetInfosDict
from datasets.packaged_modules.parquet.parquet import Parquet
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCard, DatasetCardData

from nuzoo.datasets_scripts.common.described import know_detectors
from nuzoo.files.checksums import repository_files, sha256
from nuzoo.files.names import CARD_FILE, MANIFEST_FILE, PLAN_FILE
from nuzoo.files.nearest_names import did_you_mean


class UnfinishedDatasetError(ValueError):
    """A folder whose dataset is still being written, or was left half written."""


class UnknownConfigurationError(ValueError):
    """A configuration that a dataset folder does not have."""


def load_folder(
    folder: Path, name: str | None = None, *, split: str | None = None, streaming: bool = False
) -> Any:
    """Load a dataset folder; what it gives is what `datasets.load_dataset` does.

    Its files are read once to know whether the cache holds them, about a second for each gigabyte; streaming
    needs no cache.

    Args:
        folder: Of the dataset.
        name: Of a configuration; the default one by default.
        split: Of the dataset; all by default.
        streaming: Read rows from the files as they are asked for.

    Raises:
        UnfinishedDatasetError: It was not written to its end.
        UnknownConfigurationError: It has no such configuration.
        DetectorError: It describes its detector, and wrongly.
    """
    if (folder / PLAN_FILE).is_file() and not (folder / MANIFEST_FILE).is_file():
        raise UnfinishedDatasetError(
            f"{folder}: expected a finished dataset, got one that is half written (no {MANIFEST_FILE}): give "
            "the command that writes it again, it goes on where it was stopped"
        )
    know_detectors(folder)
    builder = _builder(folder, name, cached=not streaming)
    if builder is None:
        from datasets import load_dataset

        cache = Path(config.HF_DATASETS_CACHE, _content(folder / file for file in repository_files(folder)))
        return load_dataset(str(folder), name, split=split, streaming=streaming, cache_dir=str(cache))
    if streaming:
        return builder.as_streaming_dataset(split)
    builder.download_and_prepare()
    return builder.as_dataset(split)


def _builder(folder: Path, name: str | None, *, cached: bool) -> DatasetBuilder | None:
    """Make the builder of a folder of Parquet shards; None of a folder of something else."""
    card = DatasetCard.load(folder / CARD_FILE).data if (folder / CARD_FILE).is_file() else DatasetCardData()
    configs = MetadataConfigs.from_dataset_card_data(card)
    known = list(configs) or ["default"]
    if name is not None and name not in known:
        raise UnknownConfigurationError(
            f"config: expected a configuration of {folder} ({', '.join(known)}), got {name!r}"
            f"{did_you_mean([name], known)}"
        )
    name = name or configs.get_default_config_name() or next(iter(configs), None)
    files = _files_by_split(folder, configs.get(name, {}).get("data_files"))
    if not all(files.values()) or {file.suffix for shards in files.values() for file in shards} != {
        ".parquet"
    }:
        return None
    info: DatasetInfo | None = DatasetInfosDict.from_dataset_card_data(card).get(name)
    return Parquet(
        dataset_name=folder.name,
        config_name=name,
        base_path=str(folder),
        info=info,
        data_files=DataFilesDict(
            {
                split: DataFilesList([str(file) for file in shards], [(_content(shards),)] if cached else [])
                for split, shards in files.items()
            }
        ),
    )


def _files_by_split(folder: Path, stated: Any) -> Mapping[str, list[Path]]:
    """Find the files of each split: those that the card states, else the shards of `data/`."""
    if stated is None:
        stated = [
            {"split": split, "path": f"data/{split}-*.parquet"}
            for split in dict.fromkeys(
                file.name.partition("-")[0] for file in sorted(folder.glob("data/*-*.parquet"))
            )
        ]
    root = folder.resolve()
    return {
        split: [file for pattern in patterns for file in sorted(root.glob(pattern)) if file.is_file()]
        for split, patterns in sanitize_patterns(stated).items()
    }


def _content(files: Iterable[Path]) -> str:
    """SHA-256 of all that files hold."""
    with ThreadPoolExecutor() as pool:
        return hashlib.sha256("".join(pool.map(sha256, files)).encode()).hexdigest()
