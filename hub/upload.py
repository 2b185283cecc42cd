"""Upload a folder to the Hub as one commit, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from httpx2 import HTTPError
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError

from nuzoo.files.checksums import UNLISTED, repository_files
from nuzoo.files.errors import ChecksumsFileError
from nuzoo.files.hub_access import explained
from nuzoo.files.names import ATTRIBUTES_FILE, CARD_FILE
from nuzoo.hub.errors import FolderInUseError
from nuzoo.hub.pinned import Pinned, remote_checksums

REPLACEABLE = UNLISTED | {CARD_FILE}
"""Files that a new repository has, or that its owner writes by hand before the first publication."""

SPACE_SDK = "gradio"
"""What serves the page of a Space."""

CONFLICT = 409
COMMITS_SEARCHED = 30
"""How far back a list of checksums is looked for that somebody deleted."""


@dataclass(frozen=True)
class Commit(Pinned):
    """Where something was published.

    Attributes:
        url: Of the repository.
        changed: Whether the repository was another before.
    """

    url: str
    changed: bool = True


class _Added(CommitOperationAdd):
    """A file that goes up without a progress bar of its own: there is one for all of them."""

    @contextmanager
    def as_file(self, with_tqdm: bool = False) -> Iterator[BinaryIO]:
        with super().as_file() as stream:
            yield stream


def upload(
    folder: Path,
    repo_id: str,
    *,
    repo_type: str = "model",
    message: str | None = None,
    private: bool | None = None,
    token: str | None = None,
    revision: str | None = None,
    create_pr: bool = False,
    replace: bool = True,
) -> Commit:
    """Make a repository hold what a folder holds, as one commit.

    A repository is created last, and deleted again if the upload fails, unless somebody has committed to it.
    Interrupted or failed, the remote is as it was, and the same call can be repeated.

    Args:
        folder: With a `checksums.json`.
        repo_id: "organisation/name", checked with `check_access`.
        repo_type: "model", "dataset" or "space".
        message: Of the commit; by default, that it was published.
        private: For a new repository.
        token: Of the user; the stored one by default.
        revision: Branch.
        create_pr: Propose the commit instead of making it.
        replace: Delete files of the last publication that `folder` does not have.

    Returns:
        The commit.

    Raises:
        HubAccessError: No network, or the Hub refuses.
        FolderInUseError: The repository holds files that were not published by this library.
    """
    api = HfApi(token=token)
    names = [name.as_posix() for name in repository_files(folder)]
    added = [_Added(path_in_repo=name, path_or_fileobj=folder / name) for name in names]
    with (
        explained(f"publish to {repo_id}"),
        _cause_of_failed_files(),
        _created(api, repo_id, repo_type, private),
    ):
        head = api.repo_info(repo_id, repo_type=repo_type, revision=revision).sha
        stale = _published_there(api, repo_id, repo_type, head) - set(names) if replace else set()
        commit = api.create_commit(
            repo_id,
            [*(CommitOperationDelete(path_in_repo=name) for name in sorted(stale)), *added],
            commit_message=message or f"Publish {repo_id} with nuzoo",
            repo_type=repo_type,
            revision=revision,
            parent_commit=head,
            create_pr=create_pr,
        )
    return Commit(repo_id, commit.oid, str(commit.repo_url), changed=commit.oid != head)


@contextmanager
def _created(api: HfApi, repo_id: str, repo_type: str, private: bool | None) -> Iterator[None]:
    """Create a repository unless it is there, and delete it again if the block fails or is interrupted."""
    ours = not api.repo_exists(repo_id, repo_type=repo_type)
    try:
        if ours:
            try:
                sdk = SPACE_SDK if repo_type == "space" else None
                api.create_repo(repo_id, repo_type=repo_type, private=private, space_sdk=sdk)
            except HfHubHTTPError as error:
                if error.response.status_code != CONFLICT:
                    raise
                ours = False  # somebody was faster, so that it is not ours to delete
        yield
    except BaseException:
        if ours:
            with suppress(Exception):
                if set(api.list_repo_files(repo_id, repo_type=repo_type)) <= {ATTRIBUTES_FILE}:
                    api.delete_repo(repo_id, repo_type=repo_type)
        raise


def _published_there(api: HfApi, repo_id: str, repo_type: str, head: str | None) -> set[str]:
    """Name the files there that we published; refuse a repository with those of others."""
    remote = set(api.list_repo_files(repo_id, repo_type=repo_type, revision=head))
    ours = _published_files(api, repo_id, repo_type, head) if remote - REPLACEABLE else set()
    if foreign := sorted(remote - ours - REPLACEABLE):
        raise FolderInUseError(
            f"{repo_id} holds files that nuzoo did not publish: {', '.join(foreign[:5])}"
            f"{' and more' if len(foreign) > 5 else ''}. Name another repository, or delete them there"
        )
    return remote & ours


def _published_files(api: HfApi, repo_id: str, repo_type: str, head: str | None) -> set[str]:
    """Read the names in the newest list of checksums: somebody may have deleted or torn the last one."""
    history = api.list_repo_commits(repo_id, repo_type=repo_type, revision=head)
    for commit in islice(history, COMMITS_SEARCHED):
        with suppress(ChecksumsFileError):
            if listed := remote_checksums(repo_id, repo_type, api.token, commit.commit_id):
                return set(listed)
    return set()


@contextmanager
def _cause_of_failed_files() -> Iterator[None]:
    """Raise what stopped a large file, which the client hides in a `RuntimeError`."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error.__cause__, HfHubHTTPError | HTTPError | ConnectionError):
            raise error.__cause__ from None
        raise
