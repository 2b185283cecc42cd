"""Publish a trained and measured model: complete, checked and as one commit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from nuzoo.files.hub_access import check_access
from nuzoo.hub.licences import MODEL_LICENCES, check_licence
from nuzoo.hub.model.base_model import find_base_model
from nuzoo.hub.model.build import build_repository
from nuzoo.hub.model.dataset_reference import dataset_reference
from nuzoo.hub.model.flat_copy import check_flat_copy
from nuzoo.hub.model.measured_run import read_measured
from nuzoo.hub.pinned import pin
from nuzoo.hub.scratch import scratch_folder
from nuzoo.hub.upload import Commit, upload


def publish_model(
    run: Path,
    repo_id: str,
    *,
    report: Path | None = None,
    dataset: str | None = None,
    base: str | None = None,
    benchmark: Path | None = None,
    leaderboard: str | None = None,
    licence: str | None = None,
    private: bool | None = None,
    message: str | None = None,
    announce: Callable[[str], None] = print,
) -> Commit:
    """Make a repository of a run and upload it.

    Each check runs once, the cheap ones first: name, token and licence; the folder; weights and results;
    the dataset; the built repository by its card, its content and its own code.

    Args:
        run: Folder of the training, with a calibrated network and its processor.
        repo_id: "organisation/name".
        report: Folder that `nuzoo evaluate` wrote, with results.json and pictures; `run/report` by
            default.
        dataset: "organisation/name" or "organisation/name@revision" of the dataset that it was trained
            and measured on; that of the recipe by default.
        base: "organisation/name" or "organisation/name@revision" of the network that an adapter is for;
            the one that it names by default.
        benchmark: Folder of the results of a benchmark that it took part in.
        leaderboard: "organisation/name" or "organisation/name@revision" of the dataset that this folder was
            published as.
        licence: Hub identifier of the licence of the weights; apache-2.0 by default.
        private: For a new repository.
        message: Of the commit.
        announce: Told of each step.

    Returns:
        The commit.

    Raises:
        HubError: See `nuzoo.hub.errors`; nothing is published then.
    """
    check_access(repo_id)
    licence = licence or "apache-2.0"
    check_licence(licence, MODEL_LICENCES)
    measured = read_measured(run, report)
    reference = dataset_reference(dataset, measured.told.recipe)
    announce(f"measured on {reference.repo_id} at {reference.revision}")
    of_benchmark = (benchmark, pin(leaderboard, "dataset")) if benchmark and leaderboard else None
    published = measured.publication(
        repo_id, reference, base=find_base_model(run, base), licence=licence, benchmark=of_benchmark
    )
    with scratch_folder(Path(tempfile.gettempdir())) as scratch:
        folder = scratch / "repository"
        build_repository(folder, published)
        announce(check_flat_copy(folder))
        return upload(folder, repo_id, message=message, private=private)
