"""Publish a dataset: checked row by row, with its card, as one commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from nuzoo.files.checksums import write_checksums
from nuzoo.files.hub_access import check_access
from nuzoo.hub.dataset.repository import prepare_dataset_repository
from nuzoo.hub.safety import check_publishable
from nuzoo.hub.scratch import scratch_folder
from nuzoo.hub.upload import Commit, upload


def publish_dataset(
    folders: Mapping[str, Path],
    repo_id: str,
    *,
    licence: str | None = None,
    citation: str | None = None,
    private: bool | None = None,
    message: str | None = None,
    announce: Callable[[str], None] = print,
) -> Commit:
    """Make a repository of dataset folders and upload it.

    Args:
        folders: Of each configuration, as `nuzoo simulate` and `nuzoo convert` write them.
        repo_id: "organisation/name".
        licence: Hub identifier; needed for converted files.
        citation: What users of the data cite, Markdown; the card says so in general by default.
        private: For a new repository.
        message: Of the commit.
        announce: Told what its readers may miss.

    Returns:
        The commit.

    Raises:
        HubError: See `nuzoo.hub.errors`; nothing is published then.
    """
    check_access(repo_id)
    beside = next(iter(folders.values())).absolute().parent
    with scratch_folder(beside) as scratch:
        folder = scratch / "repository"
        checked = prepare_dataset_repository(folders, repo_id, folder, licence=licence, citation=citation)
        for name, dataset in checked.items():
            if empty := dataset.empty_splits:
                announce(f"warning: {name} has no events in {' and '.join(empty)}; its card says so")
        check_publishable(folder)
        computed = {
            f"{'' if len(checked) == 1 else f'{name}/'}{shard.name}": shard.sha256
            for name, dataset in checked.items()
            for shard in dataset.shards
        }
        write_checksums(folder, computed=computed)
        return upload(folder, repo_id, repo_type="dataset", message=message, private=private)
