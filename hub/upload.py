"""Upload a folder to the Hub as one commit, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from httpx2 import HTTPError
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import validate_repo_id

from nuzoo.hub.checksums import CHECKSUMS_FILE, UNLISTED, read_checksums, repository_files
from nuzoo.hub.errors import FolderInUseError, HubAccessError, RepositoryNameError

REPLACEABLE = UNLISTED | {"README.md"}
"""Files that a new repository has, or that its owner writes by hand before the first publication."""

CONFLICT = 409


@dataclass(frozen=True)
class Commit:
    """Where something was published.

    Attributes:
        repo_id: "organisation/name".
        revision: Hash of the commit.
        url: Of the repository.
    """

    repo_id: str
    revision: str
    url: str


def check_repo_id(repo_id: str) -> None:
    """Refuse what is no "organisation/name".

    Raises:
        RepositoryNameError: A path, a bare name, or signs that the Hub does not allow.
    """
    example = 'expected a repository as "organisation/name", for example nuzoo/nu-cnn'
    if repo_id.count("/") != 1 or not re.fullmatch(r"[\w.-]+/[\w.-]+", repo_id) or ".." in repo_id:
        raise RepositoryNameError(f"{example}, got {repo_id!r}")
    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise RepositoryNameError(f"{example}: {error}") from error


def check_access(repo_id: str, token: str | None = None) -> None:
    """Refuse early: a name that the Hub does not allow, or nobody logged in.

    Raises:
        RepositoryNameError: See `check_repo_id`.
        HubAccessError: There is no token.
    """
    check_repo_id(repo_id)
    if token is None and get_token() is None:
        raise HubAccessError(
            f"no token to write to {repo_id} with: run `hf auth login`, or set HF_TOKEN to a token with "
            "write access from https://huggingface.co/settings/tokens"
        )


def upload(
    folder: Path,
    repo_id: str,
    *,
    repo_type: str = "model",
    message: str,
    private: bool | None = None,
    token: str | None = None,
    revision: str | None = None,
    create_pr: bool = False,
    replace: bool = True,
) -> Commit:
    """Make a repository hold what a folder holds, as one commit.

    A repository that is created here and whose upload fails is deleted again, unless somebody has committed
    to it. Interrupted or failed, the remote is as it was, and the same call can be repeated.

    Args:
        folder: With a `checksums.json`.
        repo_id: "organisation/name".
        repo_type: "model" or "dataset".
        message: Of the commit.
        private: For a new repository.
        token: Of the user; the stored one by default.
        revision: Branch.
        create_pr: Propose the commit instead of making it.
        replace: Delete files of the last publication that `folder` does not have.

    Returns:
        The commit.

    Raises:
        RepositoryNameError: See `check_repo_id`.
        HubAccessError: No token, no network, or the Hub refuses.
        FolderInUseError: The repository holds files that were not published by this library.
    """
    check_access(repo_id, token)
    api = HfApi(token=token)
    with explained(f"publish to {repo_id}"), _cause_of_failed_files():
        created, head = _create(api, repo_id, repo_type, private), None
        try:
            head = api.repo_info(repo_id, repo_type=repo_type, revision=revision).sha
            stale = _stale_files(api, folder, repo_id, repo_type, head) if replace else []
            commit = api.create_commit(
                repo_id,
                [
                    *(CommitOperationDelete(path_in_repo=name) for name in stale),
                    *(
                        CommitOperationAdd(path_in_repo=name.as_posix(), path_or_fileobj=folder / name)
                        for name in repository_files(folder)
                    ),
                ],
                commit_message=message,
                repo_type=repo_type,
                revision=revision,
                parent_commit=head,
                create_pr=create_pr,
            )
        except BaseException:
            if created:
                with suppress(Exception):
                    _delete_unless_changed(api, repo_id, repo_type, head)
            raise
    return Commit(repo_id, commit.oid, str(commit.repo_url))


def remote_checksums(
    repo_id: str, repo_type: str = "model", token: str | bool | None = None, revision: str | None = None
) -> dict[str, str]:
    """The checksums that a repository lists; none if it lists none or does not exist."""
    api = HfApi(token=token)
    with explained(f"read {repo_id}"):
        try:
            path = api.hf_hub_download(repo_id, CHECKSUMS_FILE, repo_type=repo_type, revision=revision)
        except (EntryNotFoundError, RepositoryNotFoundError):
            return {}
    return read_checksums(Path(path))


def resolve_revision(repo_id: str, repo_type: str, revision: str | None = None) -> str:
    """The commit that a branch or tag of a repository names now.

    Raises:
        RepositoryNameError: See `check_repo_id`.
        HubAccessError: There is none, or the Hub cannot be reached.
    """
    check_repo_id(repo_id)
    with explained(f"find {repo_type} {repo_id}"):
        return str(HfApi().repo_info(repo_id, repo_type=repo_type, revision=revision).sha)


def _create(api: HfApi, repo_id: str, repo_type: str, private: bool | None) -> bool:
    """Create a repository unless it is there; whether it was not."""
    if api.repo_exists(repo_id, repo_type=repo_type):
        return False
    try:
        api.create_repo(repo_id, repo_type=repo_type, private=private)
    except HfHubHTTPError as error:
        if error.response.status_code == CONFLICT:  # somebody was faster: it is not ours to delete
            return False
        raise
    return True


def _delete_unless_changed(api: HfApi, repo_id: str, repo_type: str, head: str | None) -> None:
    """Delete a repository that stands where it stood when it was created."""
    if head in (None, api.repo_info(repo_id, repo_type=repo_type).sha):
        api.delete_repo(repo_id, repo_type=repo_type)


def _stale_files(api: HfApi, folder: Path, repo_id: str, repo_type: str, head: str | None) -> list[str]:
    remote = set(api.list_repo_files(repo_id, repo_type=repo_type, revision=head))
    ours = set(remote_checksums(repo_id, repo_type, api.token, head)) if CHECKSUMS_FILE in remote else set()
    foreign = sorted(remote - ours - REPLACEABLE)
    if foreign:
        raise FolderInUseError(
            f"{repo_id} holds files that nuzoo did not publish: {', '.join(foreign[:5])}"
            f"{' and more' if len(foreign) > 5 else ''}. Name another repository, or delete them there"
        )
    return sorted((remote & ours) - {name.as_posix() for name in repository_files(folder)})


@contextmanager
def explained(intent: str) -> Iterator[None]:
    """Turn what the Hub's client raises into one line that says what to do.

    Args:
        intent: What was to be done, for the message.

    Raises:
        HubAccessError: No network, no such repository, no right to it, or a fault of the Hub.
    """
    try:
        yield
    except GatedRepoError as error:
        raise HubAccessError(
            f"cannot {intent}: its owner asks for consent; accept the terms on its page, then log in with "
            "`hf auth login`"
        ) from error
    except RepositoryNotFoundError as error:
        raise HubAccessError(
            f"cannot {intent}: there is no such repository, or this token may not see it; check the name, "
            "and `hf auth whoami`"
        ) from error
    except OfflineModeIsEnabled as error:
        raise HubAccessError(f"cannot {intent}: HF_HUB_OFFLINE is set; unset it") from error
    except HfHubHTTPError as error:
        raise HubAccessError(f"cannot {intent}: the Hub answered {_answer(error)}") from error
    except (HTTPError, ConnectionError, LocalEntryNotFoundError) as error:
        raise HubAccessError(
            f"cannot {intent}: no connection to the Hub ({_first_line(error)}); check the network, "
            "HF_ENDPOINT and proxies, then give the same command again"
        ) from error


@contextmanager
def _cause_of_failed_files() -> Iterator[None]:
    """Raise what stopped a large file, which the client hides in a `RuntimeError`."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error.__cause__, HfHubHTTPError | HTTPError | ConnectionError):
            raise error.__cause__ from None
        raise


def _answer(error: HfHubHTTPError) -> str:
    status = error.response.status_code
    advice = {
        401: "use a token with write access (`hf auth login`)",
        403: "ask the owner of the organisation for write access",
        404: "check the name and the revision",
        412: "somebody else committed at the same time; give the same command again",
    }
    text = (error.server_message or "").strip()
    remedy = advice.get(status, "give the same command again later; nothing was changed there")
    return f"{status}{f' ({text})' if text else ''}: {remedy}"


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
