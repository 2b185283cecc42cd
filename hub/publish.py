"""Publish folders, models or datasets, so that nothing half done stays behind."""

from __future__ import annotations

import logging
import signal
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import transformers.utils.logging as transformers_logging
from huggingface_hub.utils import enable_progress_bars

from nuzoo.files.names import CONFIG_FILE
from nuzoo.hub.dataset.publish import publish_dataset
from nuzoo.hub.errors import NotPublishedError
from nuzoo.hub.model.publish import publish_model
from nuzoo.hub.upload import Commit


def publish(folders: Sequence[Path], repo_id: str, repo_type: str, **options: Any) -> Commit:
    """Publish the folder of a run, or those of a dataset's configurations.

    Args:
        folders: One of a model, or several of a dataset, whose names become those of its configurations.
        repo_id: "organisation/name".
        repo_type: "model" or "dataset".
        **options: See `publish_model` and `publish_dataset`; what is None is left out.

    Returns:
        The commit.

    Raises:
        HubError: See `nuzoo.hub.errors`; nothing is published then.
    """
    if missing := [str(folder) for folder in folders if not folder.is_dir()]:
        raise NotPublishedError(
            f"expected the folder of a run or a dataset, got no folder: {', '.join(missing)}"
        )
    given = {name: value for name, value in options.items() if value is not None}
    with _told_to_end_as_interrupted(), _libraries_quiet():
        if repo_type == "dataset":
            return publish_dataset(_by_configuration(folders), repo_id, **given)
        if len(folders) > 1:
            raise NotPublishedError(f"expected one folder of a model, got {len(folders)}")
        return publish_model(folders[0], repo_id, **given)


def _by_configuration(folders: Sequence[Path]) -> dict[str, Path]:
    if models := [str(folder) for folder in folders if (folder / CONFIG_FILE).exists()]:
        raise NotPublishedError(f"{', '.join(models)} holds a model: leave out --type dataset")
    named = {folder.resolve().name: folder for folder in folders}
    if len(named) < len(folders):
        raise NotPublishedError(
            "expected folders of different names: each names its configuration; rename one"
        )
    return named


@contextmanager
def _told_to_end_as_interrupted() -> Iterator[None]:
    """End on SIGTERM as on Ctrl-C: nothing half done stays on the Hub or on the disk."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _libraries_quiet() -> Iterator[None]:
    """Leave the console to progress and findings: no warnings and bars of what libraries do inside."""
    client = logging.getLogger("huggingface_hub.hf_api")
    level = client.level
    client.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            transformers_logging.disable_progress_bar()
            enable_progress_bars()  # of the upload, which that disables as well
            yield
    finally:
        client.setLevel(level)
        transformers_logging.enable_progress_bar()
