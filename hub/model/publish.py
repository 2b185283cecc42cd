"""Publish a trained and measured model: complete, checked and as one commit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.evaluation.core.evaluate_model import task_of
from nuzoo.evaluation.core.training_facts import read_run, training_facts
from nuzoo.files.hub_access import check_access
from nuzoo.files.names import PLAN_FILE, PREDICTIONS_FILE, REPORT_FOLDER
from nuzoo.hub.errors import MissingResultsError, NotPublishedError
from nuzoo.hub.licences import MODEL_LICENCES, check_licence
from nuzoo.hub.model.base_model import adapter_facts, find_base_model
from nuzoo.hub.model.build import build_repository
from nuzoo.hub.model.card import Publication
from nuzoo.hub.model.dataset_reference import dataset_reference, find_measured
from nuzoo.hub.model.dataset_story import dataset_story
from nuzoo.hub.model.files import check_finite
from nuzoo.hub.model.flat_copy import check_flat_copy
from nuzoo.hub.model.report import read_report
from nuzoo.hub.scratch import scratch_folder
from nuzoo.hub.upload import Commit, upload
from nuzoo.pipelines.loading import load_model


def publish_model(
    run: Path,
    repo_id: str,
    *,
    report: Path | None = None,
    dataset: str | None = None,
    base: str | None = None,
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
    if (run / PLAN_FILE).exists():
        raise NotPublishedError(f"{run} holds a dataset: add --type dataset")
    model, processor = load_model(str(run))
    try:
        task, _ = task_of(model)
    except EvaluationError as error:
        raise MissingResultsError(f"{error}; or push it (`push_to_hub`), which makes no card") from error
    measured = read_report(report or run / REPORT_FOLDER, run, task)
    check_finite(model)
    measured.check_model(model, processor)
    of_task = measured.evaluator.card_values(model, processor, measured.results)
    event_ids = measured.check_events()
    told, network = read_run(run), find_base_model(run, base)
    reference = dataset_reference(dataset, told.recipe)
    events = find_measured(reference, measured.results.dataset, event_ids, task.targets)
    announce(f"measured on {reference.repo_id} at {reference.revision}")
    published = Publication(
        repo_id,
        model,
        processor,
        measured,
        of_task,
        reference,
        training=training_facts(told) | (adapter_facts(run, network) if network else {}),
        events=dataset_story(
            events, measured.results.dataset, measured.folder / PREDICTIONS_FILE, told.recipe
        ),
        arguments=told.arguments,
        base=network,
        licence=licence,
    )
    with scratch_folder(Path(tempfile.gettempdir())) as scratch:
        folder = scratch / "repository"
        build_repository(folder, published)
        announce(check_flat_copy(folder))
        return upload(folder, repo_id, message=message or f"Publish {repo_id} with nuzoo", private=private)
