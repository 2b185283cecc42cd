"""Which dataset, at which revision, a model was trained and measured on: pinned, checked by its events."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from huggingface_hub import HfApi

from nuzoo.hub.errors import DatasetReferenceError, ResultsMismatchError
from nuzoo.hub.hub_access import explained
from nuzoo.hub.pinned import Pinned, pin

MANIFESTS = "manifests"
"""Folder of a dataset with the names of each split's events."""


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


def check_events(reference: Pinned, dataset: Mapping[str, Any]) -> None:
    """Refuse results of other events than those of the dataset that the card names.

    Args:
        reference: The dataset of the card.
        dataset: Section "dataset" of the results file.

    Raises:
        ResultsMismatchError: The names of the events differ.
        DatasetReferenceError: The dataset lists no names.
    """
    api = HfApi()
    with explained(f"read the event names of {reference.repo_id}"):
        files = api.list_repo_files(reference.repo_id, repo_type="dataset", revision=reference.revision)
        lists = [
            api.hf_hub_download(reference.repo_id, name, repo_type="dataset", revision=reference.revision)
            for name in files
            if PurePosixPath(name).parent.name == MANIFESTS
        ]
    if not lists:
        raise DatasetReferenceError(
            f"{reference.repo_id} has no lists of its events ({MANIFESTS}/): publish it with "
            "`nuzoo publish --type dataset`"
        )
    if dataset["event_ids_sha256"] not in {_digest(lists), *(_digest([path]) for path in lists)}:
        raise ResultsMismatchError(
            f"the results are of {dataset['events']} events that are no split of {reference.repo_id} at "
            f"{reference.revision[:12]}, nor all of it: evaluate on that dataset, or name the one that was "
            "used (`--dataset ORG/NAME@REVISION`)"
        )


def _digest(paths: list[str]) -> str:
    """As `nuzoo.evaluation.provenance` names events: the SHA-256 of their sorted ids."""
    ids = sorted(line for path in paths for line in Path(path).read_text(encoding="utf-8").splitlines())
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()
