"""Publish a trained and measured model: complete, checked and as one commit."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nuzoo.evaluation.core.training_facts import read_recipe, training_arguments, training_facts
from nuzoo.evaluation.tasks.event_classification.predictions import read_predictions
from nuzoo.files.hub_access import check_access
from nuzoo.files.names import PREDICTIONS_FILE, REPORT_FOLDER
from nuzoo.hub.licences import MODEL_LICENCES, check_licence
from nuzoo.hub.model.base_model import adapter_facts, find_base_model
from nuzoo.hub.model.card_lint import check_model_card
from nuzoo.hub.model.dataset_reference import dataset_reference, find_measured
from nuzoo.hub.model.dataset_story import dataset_story
from nuzoo.hub.model.files import check_finite
from nuzoo.hub.model.flat_copy import check_flat_copy
from nuzoo.hub.model.report_check import check_headline, read_report
from nuzoo.hub.model.save import check_results, save_repository
from nuzoo.hub.scratch import scratch_folder
from nuzoo.hub.upload import Commit, upload


def publish_model(
    run: Path,
    model: Any,
    processor: Any,
    repo_id: str,
    *,
    report: Path | None = None,
    dataset: str | None = None,
    base: str | None = None,
    licence: str = "apache-2.0",
    private: bool | None = None,
    message: str | None = None,
    announce: Callable[[str], None] = print,
) -> Commit:
    """Make a repository of a run and upload it.

    Args:
        run: Folder of the training.
        model: Its network, calibrated.
        processor: Its processor.
        repo_id: "organisation/name".
        report: Folder that `nuzoo evaluate` wrote, with results.json and pictures; `run/report` by
            default.
        dataset: "organisation/name" or "organisation/name@revision" of the dataset that it was trained
            and measured on; that of the recipe by default.
        base: "organisation/name" or "organisation/name@revision" of the network that an adapter is for;
            the one that it names by default.
        licence: Hub identifier of the licence of the weights.
        private: For a new repository.
        message: Of the commit.
        announce: Told of each step.

    Returns:
        The commit.

    Raises:
        HubError: See `nuzoo.hub.errors`; nothing is published then.
    """
    check_access(repo_id)
    check_licence(licence, MODEL_LICENCES)
    report = report or run / REPORT_FOLDER
    results = read_report(report, run)
    check_finite(model)
    check_results(model, processor, results)
    check_headline(results, report, run)
    recipe, predictions = read_recipe(run), read_predictions(report / PREDICTIONS_FILE)
    reference = dataset_reference(dataset, recipe)
    events = find_measured(reference, results["dataset"], predictions.event_id)
    announce(f"measured on {reference.repo_id} at {reference.revision}")
    network = find_base_model(run, base)
    with scratch_folder(Path(tempfile.gettempdir())) as scratch:
        folder = save_repository(
            scratch / "repository",
            model,
            processor,
            results,
            name=repo_id,
            dataset_id=reference.repo_id,
            dataset_revision=reference.revision,
            base=network,
            events=dataset_story(events, results["dataset"], predictions.neutrino_energy, recipe),
            training=training_facts(run) | (adapter_facts(run, network) if network else {}),
            training_arguments=training_arguments(run),
            pictures=sorted(report.glob("*.png")),
            licence=licence,
        )
        check_model_card(folder)
        announce(check_flat_copy(folder))
        return upload(folder, repo_id, message=message or f"Publish {repo_id} with nuzoo", private=private)
