"""Publish folders, models, datasets, a benchmark or a Space, so that nothing half done stays behind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nuzoo.files.names import CONFIG_FILE
from nuzoo.hub.benchmark.publish import publish_benchmark
from nuzoo.hub.dataset.publish import publish_dataset
from nuzoo.hub.errors import NotPublishedError
from nuzoo.hub.model.publish import publish_model
from nuzoo.hub.space.publish import publish_space
from nuzoo.hub.upload import Commit


def publish(folders: Sequence[Path], repo_id: str, repo_type: str, **options: Any) -> Commit:
    """Publish the folder of a run, a benchmark or a Space, or those of a dataset's configurations.

    Args:
        folders: One of a model, a benchmark or a Space, or several of a dataset, whose names become those of
            its configurations.
        repo_id: "organisation/name".
        repo_type: "model", "dataset", "benchmark" or "space".
        **options: See `publish_model`, `publish_dataset`, `publish_benchmark` and `publish_space`; what is
            None is left out.

    Returns:
        The commit.

    Raises:
        HubError: See `nuzoo.hub.errors`; nothing is published then.
    """
    if missing := [str(folder) for folder in folders if not folder.is_dir()]:
        kinds = "a run, a dataset, a benchmark or a Space"
        raise NotPublishedError(f"expected the folder of {kinds}, got no folder: {', '.join(missing)}")
    given = {name: value for name, value in options.items() if value is not None}
    if repo_type == "dataset":
        return publish_dataset(_by_configuration(folders), repo_id, **given)
    if len(folders) > 1:
        raise NotPublishedError(f"expected one folder of a {repo_type}, got {len(folders)}")
    if repo_type == "benchmark":
        return publish_benchmark(folders[0], repo_id, **given)
    if repo_type == "space":
        return publish_space(folders[0], repo_id, **given)
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
