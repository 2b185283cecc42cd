"""Repositories at a commit: what a card names stays what it was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

from nuzoo.files.checksums import CHECKSUMS_FILE, read_checksums
from nuzoo.files.hub_access import check_repo_id, explained


@dataclass(frozen=True)
class Pinned:
    """A repository at a commit.

    Attributes:
        repo_id: "organisation/name".
        revision: Hash of the commit.
    """

    repo_id: str
    revision: str


def pin(stated: str, repo_type: str, revision: str | None = None) -> Pinned:
    """Find the commit that a branch or tag of a repository names now.

    Args:
        stated: "organisation/name" or "organisation/name@revision".
        repo_type: "model" or "dataset".
        revision: Branch, tag or commit, if `stated` has none.

    Raises:
        RepositoryNameError: See `nuzoo.files.hub_access.check_repo_id`.
        HubAccessError: There is none, or the Hub cannot be reached.
    """
    repo_id, _, named = stated.partition("@")
    check_repo_id(repo_id)
    with explained(f"find {repo_type} {repo_id}"):
        found = HfApi().repo_info(repo_id, repo_type=repo_type, revision=named or revision or None)
    return Pinned(repo_id, str(found.sha))


def remote_sha256(repository: Pinned, names: list[str]) -> dict[str, str]:
    """Ask for the sums that the Hub itself has of large files of a model's repository."""
    with explained(f"read {repository.repo_id}"):
        found = HfApi().get_paths_info(repository.repo_id, names, revision=repository.revision)
    sums = {file.path: getattr(file, "lfs", None) for file in found}
    return {name: of_hub.sha256 for name, of_hub in sums.items() if of_hub is not None}


def remote_checksums(
    repo_id: str, repo_type: str = "model", token: str | bool | None = None, revision: str | None = None
) -> dict[str, str]:
    """Read the checksums that a repository lists; none if it lists none or does not exist."""
    api = HfApi(token=token)
    with explained(f"read {repo_id}"):
        try:
            path = api.hf_hub_download(repo_id, CHECKSUMS_FILE, repo_type=repo_type, revision=revision)
        except (EntryNotFoundError, RepositoryNotFoundError):
            return {}
    return read_checksums(Path(path))
