"""Loading a dataset for the commands: every way in which it can fail is one clear line."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class UnreachableDatasetError(ValueError):
    """A dataset folder or repository that is not there, or cannot be read."""


def load_events(path: str, **options: Any) -> Any:
    """`datasets.load_dataset` of a dataset folder or repository, and the detector that it describes.

    Args:
        path: Folder, or organisation/name on the Hub.
        **options: See `datasets.load_dataset`; of a folder `name`, `split` and `streaming`.

    Raises:
        UnreachableDatasetError: Neither a folder nor a name, or nothing there that can be read.
        UnfinishedDatasetError: A folder that is half written.
        HubError: No such name, no right to it, or no connection to the Hub.
    """
    from datasets import load_dataset
    from datasets.exceptions import DatasetNotFoundError, DatasetsError
    from pyarrow import ArrowInvalid

    from nuzoo.datasets_scripts.common.described import know_published_detectors
    from nuzoo.datasets_scripts.common.local_dataset import load_folder
    from nuzoo.files.hub_access import explained

    is_folder = Path(path).is_dir()
    if Path(path).is_file() or not (is_folder or _is_repository(path)):
        raise UnreachableDatasetError(
            f"{path}: expected a dataset folder or a repository organisation/name, got neither"
        )
    try:
        with explained(f"load the dataset {path}"):
            if is_folder:
                options.pop("revision", None)
                return load_folder(Path(path), **options)
            loaded = load_dataset(path, **options)
            know_published_detectors(path, options.get("revision"))
            return loaded
    except DatasetNotFoundError as error:
        raise UnreachableDatasetError(
            f"{path}: there is no such folder, nor on the Hub such a dataset that this token may see; check "
            "the name, and `hf auth whoami`"
        ) from error
    except (DatasetsError, ArrowInvalid, FileNotFoundError, RuntimeError) as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise UnreachableDatasetError(f"{path}: expected a readable dataset: {reason}") from error


def _is_repository(path: str) -> bool:
    from nuzoo.files.errors import RepositoryNameError
    from nuzoo.files.hub_access import check_repo_id

    try:
        check_repo_id(path)
    except RepositoryNameError:
        return False
    return True
