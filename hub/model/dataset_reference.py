"""Which dataset, at which revision, a model was trained and measured on: pinned, checked by its events."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from huggingface_hub import HfApi, HfFileSystem

from nuzoo.datasets_scripts.common.splits import SPLITS, split_list
from nuzoo.evaluation.core.results import DatasetFacts
from nuzoo.files.hub_access import explained
from nuzoo.files.names import MANIFESTS_FOLDER, PLAN_FILE
from nuzoo.hub.errors import DatasetReferenceError, ResultsMismatchError
from nuzoo.hub.pinned import Pinned, pin

LIST = re.compile(rf"(?:^|(?<=/)){MANIFESTS_FOLDER}/\w+\.txt$")


def dataset_reference(stated: str | None, recipe: Mapping[str, Any]) -> Pinned:
    """Find out the dataset of a run and pin its revision.

    Args:
        stated: "organisation/name" or "organisation/name@revision"; the recipe's dataset by default.
        recipe: Of the run.

    Raises:
        DatasetReferenceError: Nothing names a dataset on the Hub.
        HubAccessError: There is none of that name or revision.
    """
    data = recipe.get("data", {})
    path, revision = data.get("path"), data.get("revision")
    if stated is not None:
        path, revision = stated, None
    if path is None or (stated is None and Path(path).exists()):
        raise DatasetReferenceError(
            f"the model was trained on {path or 'no dataset that its folder names'}; a card names a dataset "
            "on the Hub: publish it (`nuzoo publish FOLDER --repo ORG/NAME --type dataset`), then give "
            "`--dataset ORG/NAME`"
        )
    return pin(path, "dataset", revision)


@dataclass(frozen=True)
class PublishedConfig:
    """A configuration of a published dataset.

    Attributes:
        lists: Names of the events of each split.
        plan: Contents of its plan.json.
        shards: Paths in the repository of the files of each split.
    """

    lists: Mapping[str, Collection[str]]
    plan: Mapping[str, Any]
    shards: Mapping[str, Sequence[str]]


def find_measured(
    reference: Pinned, dataset: DatasetFacts, event_ids: Sequence[str], targets: Sequence[str]
) -> PublishedConfig:
    """Find the events of results among those of the dataset that the card names.

    They must be a split, or all splits, or those of their events that have a truth.

    Args:
        reference: The dataset of the card.
        dataset: Section "dataset" of the results.
        event_ids: Of the predictions beside them.
        targets: Columns that hold the truth.

    Returns:
        The configuration that they are of.

    Raises:
        ResultsMismatchError: They are others.
        DatasetReferenceError: The dataset lists no names.
    """
    with explained(f"read the event names of {reference.repo_id}"):
        configs = _read_configs(reference)
        if not configs:
            raise DatasetReferenceError(
                f"{reference.repo_id} has no lists of its events ({MANIFESTS_FOLDER}/): publish it with "
                "`nuzoo publish --type dataset`"
            )
        measured = set(event_ids)
        for columns in ((), targets):
            for config in configs:
                parts = [*([split] for split in config.lists), list(config.lists)]
                if any(measured == _events_of(reference, config, part, columns, measured) for part in parts):
                    return config
    raise ResultsMismatchError(
        f"the results are of {dataset.events} events that are no split of {reference.repo_id} at "
        f"{reference.revision[:12]}, nor all of it, nor their labelled events: evaluate on that dataset, or "
        "name the one that was used (`--dataset ORG/NAME@REVISION`)"
    )


def _events_of(
    reference: Pinned, config: PublishedConfig, splits: list[str], columns: Sequence[str], measured: set[str]
) -> set[str]:
    """Names of the events of splits that have a value in each of some columns.

    Those are in the rows, which are fetched only if all measured events are in the splits.
    """
    names = {name for split in splits for name in config.lists[split]}
    if not columns or not measured < names:
        return names
    folder = f"datasets/{reference.repo_id}@{reference.revision}/"
    known: set[str] = set()
    for shard in (shard for split in splits for shard in config.shards[split]):
        with HfFileSystem().open(folder + shard) as stream:
            rows = pq.read_table(stream, columns=["event_id", *columns])
        for column in columns:
            rows = rows.filter(pc.is_valid(rows[column]))
        known |= set(rows["event_id"].to_pylist())
    return known


def _read_configs(reference: Pinned) -> list[PublishedConfig]:
    api = HfApi()
    place: dict[str, Any] = {"repo_type": "dataset", "revision": reference.revision}
    files = api.list_repo_files(reference.repo_id, **place)

    def read(name: str) -> str:
        return Path(api.hf_hub_download(reference.repo_id, name, **place)).read_text(encoding="utf-8")

    def config(root: str) -> PublishedConfig:
        lists = {split: f"{root}{split_list(split)}" for split in SPLITS}
        names = {split: read(file).splitlines() for split, file in lists.items() if file in files}
        shards = {s: sorted(f for f in files if f.startswith(f"{root}data/{s}-")) for s in SPLITS}
        return PublishedConfig(names, json.loads(read(f"{root}{PLAN_FILE}")), shards)

    roots = dict.fromkeys(name[: match.start()] for name in files if (match := LIST.search(name)))
    return [config(root) for root in roots]
