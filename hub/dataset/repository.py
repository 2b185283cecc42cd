"""Prepare a dataset repository from the folders that `nuzoo simulate` and `nuzoo convert` write."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from nuzoo.datasets_scripts.common.dataset_card import DEFAULT_CONFIG, dataset_card
from nuzoo.datasets_scripts.common.dataset_facts import dataset_facts
from nuzoo.files.errors import RepositoryNameError
from nuzoo.files.names import CARD_FILE
from nuzoo.hub.cards import empty_sections
from nuzoo.hub.dataset.files import DatasetFolder, check_bytes, open_dataset
from nuzoo.hub.dataset.rows import check_rows
from nuzoo.hub.errors import DatasetRepositoryError, IncompleteCardError, LicenceError
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
) -> dict[str, DatasetFolder]:
    """Write the whole tree of a dataset repository, after every file and row was checked.

    One folder lies in the repository as it is; of several, each lies in a folder of its configuration's
    name. The card is made anew. Shards are hard links where the disk allows it, so that a large dataset
    takes no second copy, and copies elsewhere; a link is safe because shards are replaced, never rewritten.

    Args:
        folders: Dataset folders by configuration; the first is the one that loads without a name. The
            name of a single one does not show: it is "default".
        repo_id: Name on the Hub, "organisation/name".
        out: Folder, which is made.
        licence: Identifier of the Hub; converted files need it.
        citation: Markdown.

    Returns:
        The folders by the names given, each checked.

    Raises:
        RepositoryNameError: The Hub would not take the name of a configuration.
        LicenceError: No licence for converted files, or an unknown one.
        DatasetRepositoryError: A folder is unfinished, altered, or holds a file that is not known.
        DatasetRowError: A row is wrong.
        IncompleteCardError: A section of the card would be empty.
    """
    names = list(folders) if len(folders) > 1 else [DEFAULT_CONFIG]
    _check_names(names)
    if licence is not None:
        check_licence(licence, DATA_LICENCES)
    opened = [open_dataset(folder, also=[CARD_FILE]) for folder in folders.values()]
    for dataset in opened:
        if licence is None and dataset.simulation is None:
            raise LicenceError(
                f"{dataset.path} was converted from files of others: state the licence that they gave, "
                "for example --licence cc-by-4.0"
            )
    for dataset in opened:
        _check_content(dataset)
    facts = {name: dataset_facts(dataset.path) for name, dataset in zip(names, opened, strict=True)}
    card = dataset_card(facts, repo_id, licence=licence, citation=citation)
    if empty := empty_sections(card):
        raise IncompleteCardError(f"the card would have empty sections: {', '.join(empty)}")
    out.mkdir()
    for name, dataset in zip(names, opened, strict=True):
        _place(dataset, out if len(names) == 1 else out / name)
    (out / CARD_FILE).write_text(card, encoding="utf-8")
    return dict(zip(folders, opened, strict=True))


def _check_names(configs: list[str]) -> None:
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


def _check_content(dataset: DatasetFolder) -> None:
    """Refuse links, shards that were altered, and rows that are wrong."""
    for path in dataset.path.rglob("*"):
        if path.is_symlink():
            raise DatasetRepositoryError(
                f"{path}: expected a file of the dataset, got a link; put the file there"
            )
    check_bytes(dataset)
    check_rows(dataset)


def _place(dataset: DatasetFolder, root: Path) -> None:
    for name in dataset.files:
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(dataset.path / name, target)
        except OSError:
            shutil.copyfile(dataset.path / name, target)
