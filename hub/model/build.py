"""Build the repository of a measured model: weights, processor, code, results, card and golden outputs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import yaml
from huggingface_hub import eval_result_entries_to_yaml

from nuzoo.files.checksums import write_checksums
from nuzoo.files.names import (
    CARD_FILE,
    CONFIG_FILE,
    RESULTS_FILE,
    TRAINING_ARGUMENTS_FILE,
    TRAINING_EVENTS_FILE,
)
from nuzoo.hub.benchmark.model_results import benchmark_entries
from nuzoo.hub.errors import UnpublishableContentError
from nuzoo.hub.model.card import Publication, eval_result_entries, model_card
from nuzoo.hub.model.card_lint import check_model_card
from nuzoo.hub.model.files import write_model
from nuzoo.hub.model.golden import write_golden
from nuzoo.hub.safety import check_publishable

PICTURES_FOLDER = "figures"
OTHER_RESULTS_FOLDER = "other_results"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def build_repository(folder: Path, published: Publication) -> None:
    """Write the files of a repository.

    They are config.json and model.safetensors, the processor's file, the flat code that loads them without
    nuzoo, results.json, the headline numbers in `.eval_results/`, the pictures, README.md with
    `model-index`, golden outputs, training_args.json, digests of the training events, and the checksums of
    all.

    Args:
        folder: Where; it is made.
        published: The model.

    Raises:
        IncompleteCardError: A section of the card would be empty.
        UnpublishableContentError: A pickle, a secret or a path of this machine would be published.
        NotExportableError: The code imports what a repository cannot bring along.
    """
    folder.mkdir()
    if published.beside:
        shutil.copytree(published.beside, folder / published.beside.name)
    write_model(folder, published.model, published.processor, base=published.base, bundled=published.bundled)
    write_golden(folder, published.model, published.processor)
    shutil.copyfile(published.report.folder / RESULTS_FILE, folder / RESULTS_FILE)
    for other in published.others:
        copy = folder / OTHER_RESULTS_FOLDER / f"{other.folder.name}.json"
        copy.parent.mkdir(exist_ok=True)
        shutil.copyfile(other.folder / RESULTS_FILE, copy)
    if not published.bundled:
        _write_eval_results(folder, published)
    if published.arguments is not None:
        text = json.dumps(published.arguments, indent=2, sort_keys=True, allow_nan=False) + "\n"
        (folder / TRAINING_ARGUMENTS_FILE).write_text(text, encoding="utf-8")
    if published.training_events is not None and published.training_events.is_file():
        shutil.copyfile(published.training_events, folder / TRAINING_EVENTS_FILE)
    pictures = [_copy_picture(picture, folder) for picture in published.report.pictures]
    card = model_card(published, pictures, adapter_alone=not (folder / CONFIG_FILE).exists())
    (folder / CARD_FILE).write_text(card, encoding="utf-8")
    check_model_card(folder)
    check_publishable(folder)
    write_checksums(folder)


def _write_eval_results(folder: Path, published: Publication) -> None:
    """Write what was measured, a file for each dataset that it was measured on."""
    found = {published.dataset.repo_id: eval_result_entries(published)}
    if published.benchmark is not None:
        results, leaderboard = published.benchmark
        found[leaderboard.repo_id] = benchmark_entries(results, published, leaderboard)
    for repo_id, entries in found.items():
        path = folder / ".eval_results" / f"{repo_id.rpartition('/')[2]}.yaml"
        path.parent.mkdir(exist_ok=True)
        text = yaml.safe_dump(eval_result_entries_to_yaml(entries), sort_keys=False, allow_unicode=True)
        path.write_text(text, encoding="utf-8")


def _copy_picture(picture: Path, folder: Path) -> str:
    """Copy a picture; gives its path in the repository."""
    if not picture.read_bytes().startswith(PNG_SIGNATURE):
        raise UnpublishableContentError(f"{picture}: expected a PNG picture, got something else; remove it")
    copy = folder / PICTURES_FOLDER / picture.name
    copy.parent.mkdir(exist_ok=True)
    shutil.copyfile(picture, copy)
    return copy.relative_to(folder).as_posix()
