"""Loading a dataset for the commands: every way in which it can fail is one clear line."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.files.errors import PlaceError
from nuzoo.files.names import CARD_FILE
from nuzoo.files.places import check_place

if TYPE_CHECKING:
    from datasets.table import CastError


class UnreachableDatasetError(ValueError):
    """A dataset folder or repository that is not there, or cannot be read."""


def load_events(path: str, **options: Any) -> Any:
    """`datasets.load_dataset` of a dataset folder or repository, and the detector that it describes.

    Args:
        path: Folder, or organisation/name on the Hub.
        **options: See `datasets.load_dataset`; of a folder `name`, `split` and `streaming`.

    Raises:
        UnreachableDatasetError: Neither a folder nor a name, files that are not converted yet, nothing
            there that can be read, or a revision of a folder.
        UnfinishedDatasetError: A folder that is half written.
        UnknownConfigurationError: A folder without the configuration that `name` asks for.
        HubError: No such name, no right to it, or no connection to the Hub.
    """
    from datasets import load_dataset
    from datasets.exceptions import DatasetNotFoundError

    from nuzoo.datasets_scripts.common.described import know_published_detectors
    from nuzoo.datasets_scripts.common.local_dataset import load_folder
    from nuzoo.files.hub_access import explained

    is_folder = Path(path).is_dir()
    check_source(path)
    try:
        with readable(path), explained(f"load the dataset {path}"):
            if is_folder:
                _refuse_revision(path, options.pop("revision", None))
                return load_folder(Path(path), **options)
            loaded = load_dataset(path, **options)
            know_published_detectors(path, options.get("revision"))
            return loaded
    except DatasetNotFoundError as error:
        raise UnreachableDatasetError(
            f"{path}: there is no such folder, nor on the Hub such a dataset that this token may see; check "
            "the name, and `hf auth whoami`"
        ) from error


@contextmanager
def readable(path: str) -> Iterator[None]:
    """Say in one line what is wrong with a dataset whose files `datasets` cannot read; see `load_events`."""
    from datasets.exceptions import DatasetNotFoundError, DatasetsError
    from datasets.table import CastError
    from pyarrow import ArrowInvalid

    try:
        yield
    except DatasetNotFoundError:
        raise
    except (DatasetsError, CastError, ArrowInvalid, FileNotFoundError, RuntimeError) as error:
        cause = error.__cause__ or error
        reason = _other_columns(cause) if isinstance(cause, CastError) else " ".join(str(cause).split())
        if "BatchSize must be greater than 0" in reason:
            reason = "a Parquet file of it has no rows: write events to it, or leave the file out"
        raise UnreachableDatasetError(f"{path}: expected a readable dataset: {reason}") from error


def _other_columns(error: CastError) -> str:
    """Say which columns a file lacks, or has alone, beside those of the first file or of the card."""
    promised, there = error.requested_column_names, error.table_column_names
    lacking = [name for name in promised if name not in there]
    more = [name for name in there if name not in promised]
    return (
        f"a file {' and '.join(_told(lacking, 'lacks') + _told(more, 'has also'))}, other than the card or "
        "the first file: write all files, of all splits, with the same columns"
    )


def _told(names: list[str], verb: str) -> list[str]:
    return [f"{verb} {', '.join(names)}"] if names else []


def _refuse_revision(folder: str, revision: str | None) -> None:
    if revision is not None:
        raise UnreachableDatasetError(
            f"revision: expected none, since {folder} is a folder of this machine, got {revision!r}: leave "
            "it out, or name a repository"
        )


def check_source(path: str) -> None:
    """Refuse at once what is neither a dataset folder nor a repository that can be had; see `load_events`."""
    _refuse_detector_files(Path(path))
    try:
        check_place(path, "dataset")
    except PlaceError as error:
        raise UnreachableDatasetError(str(error)) from error


def _refuse_detector_files(path: Path) -> None:
    """Refuse a file, or a folder without Parquet: a dataset is made of it first, which is then read."""
    is_dataset = path.is_dir() and ((path / CARD_FILE).exists() or any(path.rglob("*.parquet")))
    if path.exists() and not is_dataset:
        raise UnreachableDatasetError(
            f"{path}: expected a dataset folder, got a {'folder' if path.is_dir() else 'file'} that is none: "
            f"convert first: `nuzoo convert {shlex.quote(str(path))} --out DATASET`, then give DATASET"
        )
