"""`push_to_hub` of models, configurations, processors and pipelines: always with code and checksums."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import get_token
from transformers import PreTrainedConfig, PreTrainedModel

from nuzoo.files.checksums import write_checksums
from nuzoo.files.hub_access import check_access
from nuzoo.files.names import RESULTS_FILE
from nuzoo.hub.errors import ResultsMismatchError
from nuzoo.hub.model.files import check_finite, write_config, write_model, write_processor
from nuzoo.hub.model.golden import write_golden
from nuzoo.hub.pinned import remote_checksums
from nuzoo.hub.safety import check_publishable
from nuzoo.hub.upload import Commit, upload
from nuzoo.pipelines.event_pipeline import EventPipeline
from nuzoo.processors.contract import EventProcessor

Pushed = PreTrainedModel | PreTrainedConfig | EventPipeline | EventProcessor


def push(
    pushed: Pushed,
    repo_id: str,
    *,
    processor: EventProcessor | None = None,
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
        _check_results_stay_true(write_checksums(folder, kept=there), repo_id, there)
        message = commit_message or f"Push {type(pushed).__name__} with nuzoo"
        where: dict[str, Any] = {"token": key, "revision": revision, "create_pr": create_pr}
        return upload(folder, repo_id, message=message, private=private, replace=False, **where)


def _check_results_stay_true(found: Mapping[str, str], repo_id: str, there: Mapping[str, str]) -> None:
    """Refuse to put other weights or settings under a card that says what was measured."""
    changed = [
        name for name, digest in found.items() if there.get(name) != digest and not name.endswith(".py")
    ]
    if RESULTS_FILE in there and changed:
        raise ResultsMismatchError(
            f"{repo_id} states results that were measured with another {', '.join(changed)}: publish the "
            "model with `nuzoo publish`, or push it to another repository"
        )


def _write(folder: Path, pushed: Pushed, processor: EventProcessor | None, options: dict[str, Any]) -> None:
    if isinstance(pushed, EventPipeline):
        _write(folder, pushed.model, pushed.image_processor, options)
    elif isinstance(pushed, PreTrainedConfig):
        write_config(folder, pushed)
    elif isinstance(pushed, PreTrainedModel):
        check_finite(pushed)
        write_model(folder, pushed, processor, **options)
        if processor is not None:
            write_golden(folder, pushed, processor)
    else:
        write_processor(folder, pushed)
