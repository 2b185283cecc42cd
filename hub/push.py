"""`push_to_hub` of models, configurations, processors and pipelines: always with code and checksums."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import get_token
from transformers import Pipeline, PreTrainedConfig, PreTrainedModel

from nuzoo.files.checksums import repository_files, sha256, write_checksums
from nuzoo.files.hub_access import check_access
from nuzoo.files.names import RESULTS_FILE
from nuzoo.hub.errors import ResultsMismatchError
from nuzoo.hub.model.files import write_config, write_model, write_processor
from nuzoo.hub.model.golden import write_golden
from nuzoo.hub.pinned import remote_checksums
from nuzoo.hub.safety import check_publishable
from nuzoo.hub.upload import Commit, upload


def push(
    pushed: Any,
    repo_id: str,
    *,
    processor: Any = None,
    commit_message: str | None = None,
    private: bool | None = None,
    token: str | bool | None = None,
    revision: str | None = None,
    create_pr: bool = False,
    **options: Any,
) -> Commit:
    """Upload an object of nuzoo with the code that loads it, as one commit.

    Files that the repository has and this object does not write are left there. A repository that states
    measured results keeps what they were measured with.

    Args:
        pushed: A model, configuration, processor or pipeline.
        repo_id: "organisation/name".
        processor: Of a model, to send both in one commit.
        commit_message: Of the commit.
        private: For a new repository.
        token: Of the user; the stored one by default.
        revision: Branch.
        create_pr: Propose the commit instead of making it.
        **options: Passed to `save_pretrained` of a model.

    Returns:
        The commit.

    Raises:
        HubError: See `nuzoo.hub.errors`; nothing is published then.
    """
    key = token if isinstance(token, str) else get_token()
    check_access(repo_id, key)
    with tempfile.TemporaryDirectory(prefix="nuzoo-push-") as scratch:
        folder = Path(scratch)
        _write(folder, pushed, processor, options)
        check_publishable(folder)
        there = remote_checksums(repo_id, token=key, revision=revision)
        _check_results_stay_true(folder, repo_id, there)
        write_checksums(folder, kept=there)
        return upload(
            folder,
            repo_id,
            message=commit_message or f"Push {type(pushed).__name__} with nuzoo",
            private=private,
            token=key,
            revision=revision,
            create_pr=create_pr,
            replace=False,
        )


def _check_results_stay_true(folder: Path, repo_id: str, there: Mapping[str, str]) -> None:
    """Refuse to put other weights or settings under a card that says what was measured.

    Raises:
        ResultsMismatchError: The repository states results, and a file would change.
    """
    names = [name for name in repository_files(folder) if name.suffix != ".py"]
    changed = [name.as_posix() for name in names if there.get(name.as_posix()) != sha256(folder / name)]
    if RESULTS_FILE in there and changed:
        raise ResultsMismatchError(
            f"{repo_id} states results that were measured with another {', '.join(changed)}: publish the "
            "model with `nuzoo publish`, or push it to another repository"
        )


def _write(folder: Path, pushed: Any, processor: Any, options: dict[str, Any]) -> None:
    if isinstance(pushed, Pipeline):
        pushed, processor = pushed.model, pushed.image_processor
    if isinstance(pushed, PreTrainedConfig):
        write_config(folder, pushed)
    elif isinstance(pushed, PreTrainedModel):
        write_model(folder, pushed, processor, **options)
        if processor is not None:
            write_golden(folder, pushed, processor)
    else:
        write_processor(folder, pushed)
