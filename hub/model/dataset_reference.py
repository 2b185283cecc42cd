"""Which dataset, at which revision, a model was trained and measured on: pinned, checked by its events."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from huggingface_hub import HfApi, HfFileSystem

from nuzoo.datasets_scripts.pixel_map_rows import SPLITS
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
        root: Its folder in the repository: "", or "<name>/".
        lists: Names of the events of each split.
        plan: Contents of its plan.json.
        shards: Files of each split.
    """

    root: str
    lists: Mapping[str, Collection[str]]
    plan: Mapping[str, Any]
    shards: Mapping[str, Sequence[str]]


def find_measured(reference: Pinned, dataset: Mapping[str, Any], event_ids: Sequence[str]) -> PublishedConfig:
    """Find the events of results among those of the dataset that the card names.

    They must be a split, or all splits, without the events that have no label.

    Args:
        reference: The dataset of the card.
        dataset: Section "dataset" of the results file.
        event_ids: Of the predictions beside it.

    Raises:
        ResultsMismatchError: They are others.
        DatasetReferenceError: The dataset lists no names.
    """
    if _digest(event_ids) != dataset["event_ids_sha256"]:
        raise ResultsMismatchError(
            "the results are of other events than the predictions beside them: evaluate again"
        )
    with explained(f"read the event names of {reference.repo_id}"):
        configs = _read_configs(reference)
        if not configs:
            raise DatasetReferenceError(
                f"{reference.repo_id} has no lists of its events ({MANIFESTS_FOLDER}/): publish it with "
                "`nuzoo publish --type dataset`"
            )
        measured = set(event_ids)
        for are_measured in (_are_all, _are_labelled):
            for config in configs:
                parts = [*([split] for split in config.lists), list(config.lists)]
                if any(are_measured(measured, reference, config, part) for part in parts):
                    return config
    raise ResultsMismatchError(
        f"the results are of {dataset['events']} events that are no split of {reference.repo_id} at "
        f"{reference.revision[:12]}, nor all of it, nor their labelled events: evaluate on that dataset, or "
        "name the one that was used (`--dataset ORG/NAME@REVISION`)"
    )


def _are_all(measured: set[str], _: Pinned, config: PublishedConfig, splits: Sequence[str]) -> bool:
    return measured == {name for split in splits for name in config.lists[split]}


def _are_labelled(
    measured: set[str], reference: Pinned, config: PublishedConfig, splits: Sequence[str]
) -> bool:
    """Labels are in the rows: of those only two columns are fetched, and only if the names could fit."""
    if not measured < {name for split in splits for name in config.lists[split]}:
        return False
    folder = f"datasets/{reference.repo_id}@{reference.revision}/{config.root}"
    labelled: set[str] = set()
    for shard in (shard for split in splits for shard in config.shards[split]):
        with HfFileSystem().open(folder + shard) as stream:
            rows = pq.read_table(stream, columns=["event_id", "label"])
        labelled |= set(rows.filter(pc.is_valid(rows["label"]))["event_id"].to_pylist())
    return measured == labelled


def _read_configs(reference: Pinned) -> list[PublishedConfig]:
    api = HfApi()
    place: dict[str, Any] = {"repo_type": "dataset", "revision": reference.revision}
    files = api.list_repo_files(reference.repo_id, **place)

    def read(name: str) -> str:
        return Path(api.hf_hub_download(reference.repo_id, name, **place)).read_text(encoding="utf-8")

    roots = dict.fromkeys(name[: match.start()] for name in files if (match := LIST.search(name)))
    return [
        PublishedConfig(
            root,
            {
                split: read(f"{root}{MANIFESTS_FOLDER}/{split}.txt").splitlines()
                for split in SPLITS
                if f"{root}{MANIFESTS_FOLDER}/{split}.txt" in files
            },
            json.loads(read(f"{root}{PLAN_FILE}")),
            {
                split: sorted(
                    name.removeprefix(root) for name in files if name.startswith(f"{root}data/{split}-")
                )
                for split in SPLITS
            },
        )
        for root in roots
    ]


def _digest(event_ids: Iterable[str]) -> str:
    """As `nuzoo.evaluation.core.provenance` names events: the SHA-256 of their sorted ids."""
    return hashlib.sha256("\n".join(sorted(event_ids)).encode()).hexdigest()
