"""Repositories of the Hub by name: which names there are, who may write, and what a refusal means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from httpx2 import HTTPError, TimeoutException
from huggingface_hub import HfApi, constants, get_token
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import validate_repo_id

from nuzoo.files.errors import HubAccessError, RepositoryNameError

PATIENCE = 1.5
"""Seconds in which the Hub says whether it has a repository; a slower one is asked for its files instead."""


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


def check_there(repo_id: str, repo_type: str) -> None:
    """Refuse a repository that is neither in the cache nor on the Hub, within seconds.

    Raises:
        HubAccessError: There is none of that name, or the Hub cannot be asked.
    """
    if any(folder.is_dir() for folder in _cached(repo_id, repo_type)):
        return
    intent = f"find {repo_id}, which is no folder here, as a {repo_type} on the Hub"
    with explained(intent), suppress(TimeoutException):
        HfApi().repo_info(repo_id, repo_type=repo_type, timeout=PATIENCE)


def _cached(repo_id: str, repo_type: str) -> Iterator[Path]:
    """Give the folders in which the libraries keep what they had of a repository."""
    yield Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=repo_id, repo_type=repo_type), "snapshots")
    if repo_type == "dataset":
        cache = os.environ.get("HF_DATASETS_CACHE", f"{constants.HF_HOME}/datasets")
        yield Path(cache, repo_id.replace("/", "___"))


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
