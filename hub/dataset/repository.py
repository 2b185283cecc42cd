"""Prepare a dataset repository from the folders that `nuzoo simulate` and `nuzoo convert` write."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from nuzoo.datasets_scripts.common.dataset_card import DEFAULT_CONFIG, dataset_card
from nuzoo.datasets_scripts.common.dataset_facts import DatasetFacts, dataset_facts
from nuzoo.datasets_scripts.pixel_map_rows import SPLITS
from nuzoo.files.errors import RepositoryNameError
from nuzoo.files.hub_access import check_repo_id
from nuzoo.files.names import CARD_FILE, MANIFEST_FILE, PLAN_FILE
from nuzoo.hub.cards import empty_sections
from nuzoo.hub.dataset.files import (
    ShardEntry,
    check_file_list,
    check_plan,
    check_shard_bytes,
    read_json,
    read_manifest,
    split_manifests,
)
from nuzoo.hub.dataset.rows import check_rows
from nuzoo.hub.errors import (
    DatasetRepositoryError,
    FolderInUseError,
    IncompleteCardError,
    LicenceError,
)
from nuzoo.hub.licences import DATA_LICENCES, check_licence

CONFIG_NAME = re.compile(r"[A-Za-z0-9](?:[\w.-]*\w)?", re.ASCII)
CONFIG_ROOTS_TAKEN = {"data", "manifests"}


def prepare_dataset_repository(
    folders: Mapping[str, Path],
    repo_id: str,
    out: Path,
    *,
    licence: str | None = None,
    citation: str | None = None,
) -> None:
    """Write the whole tree of a dataset repository, after every file and row was checked.

    One folder lies in the repository as it is; of several, each lies in a folder of its configuration's
    name. The card is made anew. Shards are hard links where the disk allows it, so that a large dataset
    takes no second copy, and copies elsewhere; a link is safe because shards are replaced, never rewritten.

    Args:
        folders: Dataset folders by configuration; the first is the one that loads without a name. The
            name of a single one does not show: it is "default".
        repo_id: Name on the Hub, "organisation/name".
        out: Empty folder.
        licence: Identifier of the Hub; converted files need it.
        citation: Markdown.

    Raises:
        RepositoryNameError: The Hub would not take the name of the repository or of a configuration.
        FolderInUseError: `out` is not empty.
        LicenceError: No licence for converted files, or an unknown one.
        DatasetRepositoryError: A folder is unfinished, altered, or holds a file that is not known.
        DatasetRowError: A row is wrong.
        IncompleteCardError: A section of the card would be empty.
    """
    configs = (
        dict(folders) if len(folders) > 1 else dict(zip([DEFAULT_CONFIG], folders.values(), strict=False))
    )
    _check_names(repo_id, list(configs))
    if out.exists() and any(out.iterdir()):
        raise FolderInUseError(f"{out} is not empty; name an empty folder")
    if licence is not None:
        check_licence(licence, DATA_LICENCES)
    for folder in configs.values():
        check_licence_is_known(folder, licence)
    shards = {name: check_dataset_folder(folder) for name, folder in configs.items()}
    facts = {name: dataset_facts(folder) for name, folder in configs.items()}
    card = _complete_card(facts, repo_id, licence, citation)
    for name, folder in configs.items():
        _place(folder, out if len(configs) == 1 else out / name, shards[name])
    (out / CARD_FILE).write_text(card, encoding="utf-8")


def _check_names(repo_id: str, configs: Sequence[str]) -> None:
    check_repo_id(repo_id)
    if not configs:
        raise DatasetRepositoryError("expected a dataset folder at least, got none")
    for name in configs:
        if not CONFIG_NAME.fullmatch(name) or name in CONFIG_ROOTS_TAKEN:
            raise RepositoryNameError(
                f"expected a configuration named with letters, digits, '-', '_' and '.', and not "
                f"{' or '.join(sorted(CONFIG_ROOTS_TAKEN))}, got {name!r}"
            )
    if len({name.lower() for name in configs}) < len(configs):
        raise RepositoryNameError(
            f"expected configurations that differ by more than case, got {', '.join(configs)}"
        )


def check_licence_is_known(folder: Path, licence: str | None) -> None:
    """Refuse to publish converted files without the licence of those who made them.

    Raises:
        LicenceError: Says how to state it.
    """
    if (
        licence is None
        and (folder / PLAN_FILE).is_file()
        and "simulation" not in read_json(folder / PLAN_FILE)
    ):
        raise LicenceError(
            f"{folder} was converted from files of others: state the licence that they gave, "
            "for example --licence cc-by-4.0"
        )


def check_dataset_folder(folder: Path) -> list[ShardEntry]:
    """Refuse a folder that is not a finished, unaltered dataset with good rows.

    Returns:
        Its shards.

    Raises:
        DatasetRepositoryError: Unfinished, altered, a link, or a file that is not known.
        DatasetRowError: A row is wrong.
    """
    shards = read_manifest(folder)
    check_file_list(folder, shards, also=[CARD_FILE])
    check_plan(folder, shards)
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise DatasetRepositoryError(
                f"{path}: expected a file of the dataset, got a link; put the file there"
            )
    for shard in shards:
        check_shard_bytes(folder, shard)
    check_rows(folder, shards)
    return shards


def empty_splits(folder: Path) -> list[str]:
    """The splits in which a dataset folder has no events."""
    there = {shard.split for shard in read_manifest(folder)}
    return [split for split in SPLITS if split not in there]


def _complete_card(
    facts: Mapping[str, DatasetFacts], repo_id: str, licence: str | None, citation: str | None
) -> str:
    card = dataset_card(facts, repo_id, licence=licence, citation=citation)
    if empty := empty_sections(card):
        raise IncompleteCardError(f"the card would have empty sections: {', '.join(empty)}")
    return card


def _place(folder: Path, root: Path, shards: Sequence[ShardEntry]) -> None:
    for name in (*(shard.name for shard in shards), *split_manifests(shards), PLAN_FILE, MANIFEST_FILE):
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(folder / name, target)
        except OSError:
            shutil.copyfile(folder / name, target)
