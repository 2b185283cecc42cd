"""Where a model or a dataset is: a folder of this machine, or a repository of the Hub."""

from __future__ import annotations

from pathlib import Path

from nuzoo.files.errors import PlaceError, RepositoryNameError


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
        )
    from nuzoo.files.hub_access import check_there

    check_there(path, repo_type)


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
