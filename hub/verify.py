"""Verify a published repository: files, safety, card, loading, golden outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from huggingface_hub import snapshot_download

from nuzoo.files.checksums import CHECKSUMS_FILE, differences, read_checksums
from nuzoo.files.errors import ChecksumsFileError, HubError
from nuzoo.files.hub_access import check_repo_id, explained
from nuzoo.files.names import CARD_FILE, GOLDEN_FILE, PLAN_FILE, RESULTS_FILE
from nuzoo.hub.checks import Check
from nuzoo.hub.dataset.checks import check_dataset_repository
from nuzoo.hub.errors import NotPublishedError
from nuzoo.hub.model.card_lint import check_model_card
from nuzoo.hub.model.flat_copy import check_flat_copy
from nuzoo.hub.model.golden import check_golden
from nuzoo.hub.safety import check_publishable

Load = Callable[[str], tuple[Any, Any]]

RUN_SIGNS = ("recipe.yaml", "trainer_state.json", "training_args.bin", "report")
"""What a training or an evaluation leaves in the folder of a model, and no publication has."""


def fetch(repository: str, repo_type: str, revision: str | None = None) -> Path:
    """The folder of a repository: itself if it is one, else a snapshot in the cache.

    Raises:
        RepositoryNameError: It is no folder and no name of a repository.
        HubAccessError: The Hub cannot be reached or has no such repository or revision.
        NotPublishedError: The folder is that of a training run, or holds a dataset and no model.
    """
    if Path(repository).is_dir():
        _refuse_unpublished(Path(repository), repo_type)
        return Path(repository)
    check_repo_id(repository)
    with explained(f"download {repository} as a {repo_type}"):
        return Path(snapshot_download(repository, repo_type=repo_type, revision=revision))


def _refuse_unpublished(folder: Path, repo_type: str) -> None:
    if repo_type == "model" and (folder / PLAN_FILE).is_file():
        raise NotPublishedError(f"{folder} holds a dataset: add --type dataset")
    signs = [name for name in RUN_SIGNS if (folder / name).exists()]
    if signs and not (folder / CHECKSUMS_FILE).exists():
        raise NotPublishedError(
            f"{folder} is the folder of a training run ({', '.join(signs)}), not a published repository, so "
            f"there is nothing to compare it with. Measure it (`nuzoo evaluate --model {folder} --data DATA "
            f"--calibrate`), publish it (`nuzoo publish {folder} --repo ORG/NAME`), then verify ORG/NAME"
        )


def verify_files(folder: Path) -> Iterator[Check]:
    """Compare every file with its checksum, and look for what must not be published.

    Yields:
        Two checks.
    """
    yield _checked("checksums", lambda: _refuse_differences(folder))
    yield _checked("no pickle, secret, path of a disk or NaN", lambda: check_publishable(folder))


def verify_dataset(folder: Path) -> Iterator[Check]:
    """Verify a dataset repository.

    Yields:
        Each check as it is done.
    """
    yield from verify_files(folder)
    yield from check_dataset_repository(folder)


def verify_model(folder: Path, load: Load, *, run_code: bool = False) -> Iterator[Check]:
    """Verify a model repository.

    No code of the repository runs unless asked for.

    Args:
        folder: The repository.
        load: Returns network and processor of a folder, with the classes of this package.
        run_code: Also load it in a process without this package, by the code in the repository.

    Yields:
        Each check as it is done. When files are not as published, nothing is loaded.
    """
    files = list(verify_files(folder))
    yield from files
    listed = _listed(folder)
    if listed and RESULTS_FILE not in listed and CARD_FILE not in listed:
        yield Check("card", note="none, since this was pushed, not published; `nuzoo publish` makes one")
    else:
        yield _checked("card", lambda: check_model_card(folder))
    if any(check.problem for check in files):
        return
    loaded: list[Any] = []
    yield _checked("loads", lambda: loaded.extend(load(str(folder))))
    if loaded and listed and GOLDEN_FILE not in listed:
        yield Check("golden outputs", note="none, since the model was pushed without its processor")
    elif loaded:
        yield _checked("golden outputs", lambda: check_golden(folder, *loaded))
    if run_code:
        yield _checked("its own code gives the same", lambda: check_flat_copy(folder))


def _listed(folder: Path) -> set[str]:
    """The files of the publication; none if the list cannot be read, which another check tells."""
    with suppress(ChecksumsFileError):
        return set(read_checksums(folder / CHECKSUMS_FILE))
    return set()


def _refuse_differences(folder: Path) -> None:
    found = differences(folder)
    if found:
        raise HubError("; ".join(found) + ". Download it again, or publish it again")


def _checked(name: str, check: Callable[[], object]) -> Check:
    try:
        found = check()
    except (ValueError, OSError) as error:
        return Check(name, str(error))
    except Exception as error:  # a file that makes no sense trips the libraries up anywhere
        return Check(name, f"{type(error).__name__}: {error}. Publish the repository again")
    return Check(f"{name} ({found})" if isinstance(found, str) else name)
