"""Save a trained model as a Hub repository folder: weights, processor, results and card."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import eval_result_entries_to_yaml

from nuzoo.evaluation.core.identity import processor_digest
from nuzoo.evaluation.core.model_description import describe_model
from nuzoo.evaluation.core.results_file import write_results
from nuzoo.files.checksums import write_checksums
from nuzoo.files.names import CARD_FILE, RESULTS_FILE, TRAINING_ARGUMENTS_FILE
from nuzoo.hub.errors import FolderInUseError, ResultsMismatchError, UnpublishableContentError
from nuzoo.hub.model.event_classifier_card import (
    CITATION,
    eval_result_entries,
    event_classifier_card,
    picture_captions,
)
from nuzoo.hub.model.files import write_model
from nuzoo.hub.model.golden import write_golden
from nuzoo.hub.pinned import Pinned
from nuzoo.hub.safety import check_publishable

PICTURES_FOLDER = "figures"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def save_repository(
    folder: Path,
    model: Any,
    processor: Any,
    results: Mapping[str, Any],
    *,
    name: str,
    dataset_id: str,
    training: Mapping[str, object],
    events: Mapping[str, object] | None = None,
    training_arguments: Mapping[str, Any] | None = None,
    pictures: Sequence[Path] = (),
    dataset_revision: str | None = None,
    base: Pinned | None = None,
    licence: str = "apache-2.0",
    citation: str = CITATION,
) -> Path:
    """Write a repository folder, complete or not at all.

    It holds config.json and model.safetensors, the processor's file, the flat code that loads them
    without nuzoo, results.json, the headline numbers in `.eval_results/`, the pictures, README.md with
    `model-index`, golden outputs, training_args.json, and the checksums of all.

    Args:
        folder: Where; a repository written there before is replaced.
        model: Event classifier, calibrated: its `config.temperature` is that of the results.
        processor: Its fitted processor.
        results: Contents of its results file (`nuzoo.evaluation.core.results_file.read_results`).
        name: Of the repository, "organisation/model".
        dataset_id: Of the dataset it was trained and measured on.
        training: Facts about the training for the card: recipe, events, epochs, machine, time.
        events: Facts about the events of training and measurement for the card: numbers, splits, energies.
        training_arguments: Every setting of the training, for `training_args.json`.
        pictures: Files to copy and show, e.g. those of the evaluation report.
        dataset_revision: Commit of the dataset.
        base: The network, if the model is one with an adapter.
        licence: Hub identifier of the licence.
        citation: Markdown.

    Returns:
        `folder`.

    Raises:
        ResultsMismatchError: The results are of another model, or with another temperature.
        FolderInUseError: The folder holds something else.
        IncompleteCardError: A section of the card would be empty.
        UnpublishableContentError: A pickle, a secret or a path of this machine would be published.
        NotExportableError: The code imports what a repository cannot bring along.
    """
    check_results(model, processor, results)
    captions = picture_captions([picture.stem for picture in pictures])
    card = event_classifier_card(
        model,
        processor,
        results,
        name=name,
        dataset_id=dataset_id,
        training=training,
        events=events,
        pictures={f"{PICTURES_FOLDER}/{p.name}": captions[p.stem] for p in pictures},
        dataset_revision=dataset_revision,
        base_model=None if base is None else base.repo_id,
        licence=licence,
        citation=citation,
    )
    with replaced_folder(folder) as partial:
        write_model(partial, model, processor, base=base)
        write_golden(partial, model, processor)
        write_results(partial / RESULTS_FILE, dict(results))
        _write_eval_results(partial, results, dataset_id, dataset_revision)
        _copy_pictures(partial, pictures)
        (partial / CARD_FILE).write_text(str(card), encoding="utf-8")
        if training_arguments is not None:
            text = json.dumps(training_arguments, indent=2, sort_keys=True, allow_nan=False) + "\n"
            (partial / TRAINING_ARGUMENTS_FILE).write_text(text, encoding="utf-8")
        check_publishable(partial)
        write_checksums(partial)
    return folder


def check_results(model: Any, processor: Any, results: Mapping[str, Any]) -> None:
    """Refuse a card whose numbers the saved model would not give.

    Raises:
        ResultsMismatchError: Other weights, classes, number format, temperature or processor.
    """
    described = describe_model(model)
    for key in ("class", "parameters", "dtype", "classes", "weights_sha256"):
        if described[key] != results["model"].get(key):
            raise ResultsMismatchError(
                f"the results are of a model with {key} {results['model'].get(key)}, this one has "
                f"{described[key]}; evaluate the model that is saved"
            )
    if results.get("processor", {}).get("sha256") != processor_digest(processor):
        raise ResultsMismatchError(
            "the results were measured with another processor than the one that is saved "
            "(preprocessor_config.json); evaluate again with this one"
        )
    measured, stored = results["calibration"]["temperature"]["value"], model.config.temperature
    if not math.isclose(measured, stored, rel_tol=1e-6):
        raise ResultsMismatchError(
            f"the results were measured with temperature {measured:.6g}, the model's configuration "
            f"has {stored:.6g}; set model.config.temperature to the measured one"
        )


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder beside `folder`, which takes its place if the block succeeds.

    Raises:
        FolderInUseError: `folder` is a file, or holds no config.json although it is not empty.
    """
    if folder.is_file() or (folder.is_dir() and _holds_something_else(folder)):
        raise FolderInUseError(f"{folder} holds something else than a model repository; name another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        partial, previous = Path(scratch) / "new", Path(scratch) / "previous"
        partial.mkdir()
        yield partial
        if folder.exists():
            folder.rename(previous)
        partial.rename(folder)


def _holds_something_else(folder: Path) -> bool:
    return any(folder.iterdir()) and not (folder / "config.json").exists()


def _write_eval_results(
    folder: Path, results: Mapping[str, Any], dataset_id: str, revision: str | None
) -> None:
    entries = eval_result_entries_to_yaml(eval_result_entries(results, dataset_id, revision))
    path = folder / ".eval_results" / f"{dataset_id.rpartition('/')[2]}.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True), encoding="utf-8")


def _copy_pictures(folder: Path, pictures: Sequence[Path]) -> None:
    if pictures:
        (folder / PICTURES_FOLDER).mkdir()
    for picture in pictures:
        if picture.is_symlink() or not picture.read_bytes().startswith(PNG_SIGNATURE):
            raise UnpublishableContentError(
                f"{picture}: expected a PNG picture, got a link or something else; remove it"
            )
        shutil.copyfile(picture, folder / PICTURES_FOLDER / picture.name)
