"""Verify a published repository: files, safety, card, loading, golden outputs."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from huggingface_hub import snapshot_download
from transformers import PreTrainedModel

from nuzoo.files.checksums import CHECKSUMS_FILE, differences, read_checksums
from nuzoo.files.errors import ChecksumsFileError, HubError
from nuzoo.files.hub_access import check_repo_id, explained
from nuzoo.files.names import (
    CARD_FILE,
    GOLDEN_FILE,
    PLAN_FILE,
    RECIPE_FILE,
    REPORT_FOLDER,
    RESULTS_FILE,
    STATE_FILE,
)
from nuzoo.hub.benchmark.checks import check_leaderboard_repository
from nuzoo.hub.checks import Check, NotThereError, run_check
from nuzoo.hub.dataset.checks import check_dataset_repository
from nuzoo.hub.errors import NotPublishedError
from nuzoo.hub.model.card_lint import check_model_card
from nuzoo.hub.model.flat_copy import check_flat_copy
from nuzoo.hub.model.golden import check_golden
from nuzoo.hub.safety import check_publishable
from nuzoo.pipelines.loading import load_model
from nuzoo.processors.contract import EventProcessor

RUN_SIGNS = (RECIPE_FILE, STATE_FILE, "training_args.bin", REPORT_FOLDER)
"""What a training or an evaluation leaves in the folder of a model, and no publication has."""


def fetch(repository: str, repo_type: str, revision: str | None = None) -> Path:
    """Find the folder of a repository: itself if it is one, else a snapshot in the cache.

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


def verify_dataset(folder: Path) -> Iterator[Check]:
    """Verify a dataset repository.

    Args:
        folder: The repository.

    Yields:
        Each check as it is done.
    """
    yield from _verify_files(folder)
    yield from check_dataset_repository(folder, _listed(folder))


def verify_benchmark(folder: Path) -> Iterator[Check]:
    """Verify the repository of a benchmark's leaderboard.

    Args:
        folder: The repository.

    Yields:
        Each check as it is done.
    """
    yield from _verify_files(folder)
    yield from check_leaderboard_repository(folder)


def verify_model(folder: Path, *, run_code: bool = False) -> Iterator[Check]:
    """Verify a model repository.

    No code of the repository runs unless asked for.

    Args:
        folder: The repository.
        run_code: Also load it in a process without this package, by the code in the repository.

    Yields:
        Each check as it is done. When files are not as published, nothing is loaded.
    """
    as_published = yield from _verify_files(folder)
    listed, loaded = _listed(folder), list[tuple[PreTrainedModel, EventProcessor]]()
    yield run_check("card", lambda: _card(folder, listed))
    if as_published:
        yield run_check("loads", lambda: loaded.append(load_model(str(folder))))
        if loaded:
            yield run_check("golden outputs", lambda: _golden(folder, listed, loaded[0]))
        if run_code:
            yield run_check("its own code gives the same", partial(check_flat_copy, folder))


def _verify_files(folder: Path) -> Generator[Check, None, bool]:
    """Give the checks of any repository, and at the end whether all is well."""
    checks = {"checksums": _checksums, "no pickle, secret, path of a disk or NaN": check_publishable}
    all_well = True
    for name, check in checks.items():
        found = run_check(name, partial(check, folder))
        yield found
        all_well &= not found.problem
    return all_well


def _listed(folder: Path) -> Mapping[str, str]:
    """Read the list of checksums; none where it cannot be read, which the check of it tells."""
    with suppress(ChecksumsFileError):
        return read_checksums(folder / CHECKSUMS_FILE)
    return {}


def _checksums(folder: Path) -> None:
    if found := differences(folder):
        raise HubError("; ".join(found) + ". Download it again, or publish it again")


def _card(folder: Path, listed: Mapping[str, str]) -> None:
    if listed and RESULTS_FILE not in listed and CARD_FILE not in listed:
        raise NotThereError("none, since this was pushed, not published; `nuzoo publish` makes one")
    check_model_card(folder)


def _golden(folder: Path, listed: Mapping[str, str], loaded: tuple[PreTrainedModel, EventProcessor]) -> str:
    if GOLDEN_FILE not in listed:
        raise NotThereError("none, since the model was pushed without its processor")
    return check_golden(folder, *loaded)
