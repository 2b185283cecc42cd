"""Check a dataset repository that was downloaded, and load it as one who found it on the Hub would."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from datasets import Features, load_dataset
from huggingface_hub import DatasetCard

from nuzoo.datasets_scripts.common.dataset_card import LICENCE_NOT_STATED
from nuzoo.files.checksums import repository_files
from nuzoo.files.names import ATTRIBUTES_FILE, CARD_FILE, CHECKSUMS_FILE
from nuzoo.hub.cards import empty_sections
from nuzoo.hub.checks import Check, run_check
from nuzoo.hub.dataset.files import DatasetFolder, check_bytes, open_dataset
from nuzoo.hub.dataset.rows import check_rows
from nuzoo.hub.errors import DatasetRepositoryError, IncompleteCardError
from nuzoo.hub.licences import DATA_LICENCES, check_licence

REQUIRED_METADATA = ("license", "task_categories", "tags", "pretty_name", "configs", "dataset_info")
PLACEHOLDER = re.compile(
    rf"\$\{{?[a-z]\w*|\bTODO\b|\[More Information Needed\]|{re.escape(LICENCE_NOT_STATED)}"
)
DATA_FILES = re.compile(r"(?P<root>(?:[\w.-]+/)?)data/(?P<split>\w+)-\*\.parquet", re.ASCII)
BESIDE_DATA = (CARD_FILE, CHECKSUMS_FILE, ATTRIBUTES_FILE)


@dataclass(frozen=True)
class _Config:
    """What the card says of a configuration.

    Attributes:
        name: Of the configuration.
        root: Where its files lie: "", or "<name>/".
        features: The columns.
        splits: Events of each split.
    """

    name: str
    root: str
    features: Features
    splits: Mapping[str, int]


def check_dataset_repository(folder: Path, computed: Mapping[str, str] | None = None) -> Iterator[Check]:
    """Check card, files, rows and loading of a dataset repository, one after another.

    What cannot be checked after a problem (the files of a card that cannot be read, say) is left out.

    Args:
        folder: A snapshot of the repository.
        computed: SHA-256 of its files, as far as they are known.
    """
    configs: list[_Config] = []
    yield run_check("card: metadata", lambda: configs.extend(_read_card(folder)))
    if not configs:
        return
    yield run_check("card: sections", lambda: _check_text(folder))
    yield run_check("files: none but the dataset's", lambda: _check_top(folder, configs))
    for config in configs:
        yield from _check_config(folder, config, computed or {})


def _read_card(folder: Path) -> list[_Config]:
    path = folder / CARD_FILE
    if not path.is_file():
        raise IncompleteCardError(f"expected a card, {CARD_FILE}, got none")
    metadata = DatasetCard.load(path).data.to_dict()
    if missing := [key for key in REQUIRED_METADATA if not metadata.get(key)]:
        raise IncompleteCardError(f"{CARD_FILE}: expected {', '.join(missing)} in its metadata, got none")
    check_licence(metadata["license"], DATA_LICENCES)
    described = metadata["dataset_info"]
    described = [described] if isinstance(described, Mapping) else described
    infos = {info.get("config_name", "default"): info for info in described}
    configs = [_config(entry, infos) for entry in metadata["configs"]]
    defaults = [entry["config_name"] for entry in metadata["configs"] if entry.get("default")]
    if defaults != [configs[0].name]:
        raise IncompleteCardError(
            f"{CARD_FILE}: expected the first configuration, {configs[0].name}, as default, got {defaults}"
        )
    return configs


def _config(entry: Mapping[str, Any], infos: Mapping[str, Mapping[str, Any]]) -> _Config:
    name = entry["config_name"]
    if name not in infos:
        raise IncompleteCardError(f"{CARD_FILE}: expected dataset_info of {name}, got none")
    splits = {split["name"]: split["num_examples"] for split in infos[name]["splits"]}
    roots = set()
    for files in entry["data_files"]:
        match = DATA_FILES.fullmatch(files["path"])
        if not match or match["split"] != files["split"] or match["root"] not in ("", f"{name}/"):
            raise DatasetRepositoryError(
                f"{CARD_FILE}: expected the files of {name}, split {files['split']}, at "
                f"data/{files['split']}-*.parquet, got {files['path']!r}"
            )
        roots.add(match["root"])
    if {files["split"] for files in entry["data_files"]} != set(splits) or len(roots) != 1:
        raise IncompleteCardError(
            f"{CARD_FILE}: expected the splits {', '.join(splits)} of {name} in one folder"
        )
    return _Config(name, roots.pop(), Features._from_yaml_list(infos[name]["features"]), splits)


def _check_text(folder: Path) -> None:
    text = DatasetCard.load(folder / CARD_FILE).text
    if empty := empty_sections(text):
        raise IncompleteCardError(
            f"{CARD_FILE}: expected text in every section, got none in {', '.join(empty)}"
        )
    if left := PLACEHOLDER.search(text):
        raise IncompleteCardError(f"{CARD_FILE}: expected a finished text, got the placeholder {left[0]!r}")


def _check_top(folder: Path, configs: Sequence[_Config]) -> None:
    roots = tuple(config.root for config in configs)
    names = [name.as_posix() for name in repository_files(folder)]
    if odd := [name for name in names if name not in BESIDE_DATA and not name.startswith(roots)]:
        raise DatasetRepositoryError(
            f"expected {', '.join(BESIDE_DATA)} and the folders of the configurations, got {odd[0]} as well"
        )


def _check_config(folder: Path, config: _Config, computed: Mapping[str, str]) -> Iterator[Check]:
    root, opened = folder / config.root, list[DatasetFolder]()
    yield run_check(f"{config.name}: manifest", lambda: opened.append(_open(root, config)))
    if not opened:
        return
    dataset = opened[0]
    below = {name.removeprefix(config.root): digest for name, digest in computed.items()}
    yield run_check(f"{config.name}: checksums", lambda: check_bytes(dataset, below))
    yield run_check(f"{config.name}: rows", lambda: check_rows(dataset))
    with tempfile.TemporaryDirectory() as cache:
        for split in config.splits:
            yield run_check(f"{config.name}: {split} loads", partial(_load, folder, config, split, cache))


def _open(root: Path, config: _Config) -> DatasetFolder:
    dataset = open_dataset(root, also=() if config.root else BESIDE_DATA)
    if dataset.events != config.splits:
        raise DatasetRepositoryError(
            f"{CARD_FILE}: expected the events of the manifest, {dataset.events}, got {dict(config.splits)}"
        )
    return dataset


def _load(folder: Path, config: _Config, split: str, cache: str) -> None:
    events = config.splits[split]
    rows = load_dataset(str(folder), config.name, split=split, cache_dir=cache)
    if rows.features != config.features or rows.num_rows != events:
        raise DatasetRepositoryError(
            f"expected {events} events with the columns {', '.join(config.features)}, "
            f"got {rows.num_rows} with {', '.join(rows.features)}"
        )
    streamed = next(iter(load_dataset(str(folder), config.name, split=split, streaming=True)))
    if streamed["event_id"] != rows[0]["event_id"]:
        raise DatasetRepositoryError(
            f"expected {rows[0]['event_id']} first in the stream, got {streamed['event_id']}"
        )
