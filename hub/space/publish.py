"""Publish the folder of a Space, as one commit."""

from __future__ import annotations

import shutil
from pathlib import Path

from huggingface_hub import metadata_load

from nuzoo.files.checksums import repository_files, write_checksums
from nuzoo.files.hub_access import check_access
from nuzoo.files.names import CARD_FILE
from nuzoo.hub.errors import NotPublishedError
from nuzoo.hub.safety import check_publishable
from nuzoo.hub.scratch import scratch_folder
from nuzoo.hub.upload import SPACE_SDK, Commit, upload


def publish_space(
    folder: Path, repo_id: str, *, private: bool | None = None, message: str | None = None
) -> Commit:
    """Upload the folder of a Space.

    Args:
        folder: As `nuzoo app --space` writes it.
        repo_id: "organisation/name".
        private: For a new repository.
        message: Of the commit.

    Returns:
        The commit.

    Raises:
        HubError: See `nuzoo.hub.errors`; nothing is published then.
    """
    check_access(repo_id)
    _check_space(folder)
    with scratch_folder(folder.absolute().parent) as scratch:
        copy = scratch / "repository"
        for name in repository_files(folder):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / name, copy / name)
        check_publishable(copy)
        write_checksums(copy)
        return upload(copy, repo_id, repo_type="space", message=message, private=private)


def _check_space(folder: Path) -> None:
    """Refuse a folder that is not one of a Space of Gradio, with its program and its packages."""
    card = folder / CARD_FILE
    said = (metadata_load(card) if card.is_file() else None) or {}
    if said.get("sdk") != SPACE_SDK:
        raise NotPublishedError(
            f"{folder}: expected a Space, with sdk: {SPACE_SDK} at the head of its {CARD_FILE}, got "
            f"{said.get('sdk', 'none')}: write one with `nuzoo app --space FOLDER`"
        )
    wanted = [str(said.get("app_file", "app.py")), "requirements.txt"]
    if missing := [name for name in wanted if not (folder / name).is_file()]:
        raise NotPublishedError(
            f"{folder}: expected {', '.join(missing)} in a Space, got none: write another with `nuzoo app "
            "--space FOLDER`"
        )
