"""Where a model or a dataset is: a folder of this machine, or a repository of the Hub."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from nuzoo.files.errors import HubError, PlaceError, RepositoryNameError
from nuzoo.files.nearest_names import LIKENESS, nearest_names


def check_place(path: str, repo_type: str) -> None:
    """Refuse at once what is neither a folder nor a repository that can be had.

    Args:
        path: Folder, or organisation/name; a repository is looked for in the cache first, then on the Hub.
        repo_type: "model" or "dataset".

    Raises:
        PlaceError: It is a file, or no name of a repository.
        HubAccessError: There is no such repository, or the Hub cannot be asked.
    """
    if Path(path).is_dir():
        return
    if not is_repository_name(path) or Path(path).exists():
        raise PlaceError(
            f"{path}: expected a {repo_type} folder or a repository organisation/name, got neither"
            f"{_beside(path)}"
        )
    from nuzoo.files.hub_access import check_there

    try:
        check_there(path, repo_type)
    except HubError as error:
        if not Path(path).parent.is_dir():
            raise
        raise PlaceError(
            f"{path}: there is no such folder{_beside(path)}; nor on the Hub: {error}"
        ) from error


def _beside(path: str) -> str:
    """Say which folder beside a path that is not there was probably meant, if any is like it."""
    wanted = Path(path)
    if wanted.exists() or not wanted.parent.is_dir():
        return ""
    there: list[str] = []
    with suppress(OSError):
        there = [entry.name for entry in wanted.parent.iterdir() if entry.is_dir()]
    meant = nearest_names([wanted.name], there, LIKENESS).get(wanted.name)
    return f": did you mean {wanted.with_name(meant)}?" if meant else ""


def is_repository_name(path: str) -> bool:
    """Tell whether a text can be the name of a repository."""
    if path.count("/") != 1 or path.startswith((".", "/", "~")):
        return False
    from nuzoo.files.hub_access import check_repo_id

    try:
        check_repo_id(path)
    except RepositoryNameError:
        return False
    return True
