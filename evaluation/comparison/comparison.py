"""Evaluations of several classifiers on the same events, read and checked for a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nuzoo.evaluation.core.errors import ComparisonError
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.core.style import PALETTE
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions, read_predictions
from nuzoo.evaluation.tasks.event_classification.published import LARTPC_CLASSIFIERS, PublishedClassifier
from nuzoo.evaluation.tasks.event_classification.report import check_same_events
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE

MOST_MODELS = len(PALETTE)
"""More lines in one plot cannot be told apart."""


@dataclass(frozen=True)
class Training:
    """What the folder of a model says about its training; None where it says nothing.

    Attributes:
        start: What the weights were before: "from scratch", or "full fine-tuning of …".
        length: Epochs and steps, as text.
        events: In the training sample.
        base: What the base of an adapter had learned before, if it was made for this training.
    """

    start: str | None = None
    length: str | None = None
    events: int | None = None
    base: str | None = None


@dataclass(frozen=True)
class ComparedModel:
    """A classifier that was measured.

    Attributes:
        name: In tables and legends.
        results: Contents of its results file.
        predictions: Its answers.
        training: What is known of its training.
    """

    name: str
    results: dict[str, Any]
    predictions: Predictions
    training: Training

    @property
    def model_type(self) -> str:
        """Its architecture."""
        return str(self.results["model"]["model_type"])

    @property
    def regime(self) -> str:
        """How it was trained, in a few words."""
        model = self.results["model"]
        if model["adapter"]:
            precision = model["quantisation"] or model["dtype"]
            start = f"LoRA, {precision} base"
        else:
            start = self.training.start or "not stated"
        trained = ", ".join(filter(None, [start, self.training.length]))
        return "; ".join(filter(None, [trained, self.training.base]))


def read_compared(folder: Path, name: str, training: Training) -> ComparedModel:
    """Read the evaluation of a model.

    Args:
        folder: That `evaluate_classifier` wrote.
        name: For tables and legends.
        training: What is known of its training.

    Raises:
        ResultsFileError: A file cannot be read, or the two are not of one evaluation.
    """
    results, predictions = read_results(folder / RESULTS_FILE), read_predictions(folder / PREDICTIONS_FILE)
    check_same_events(results, predictions)
    return ComparedModel(name, results, predictions, training)


def check_comparable(models: Sequence[ComparedModel]) -> None:
    """Refuse models that were not measured on the same events and classes.

    Raises:
        ComparisonError: Fewer than two models or too many, two of one name, other classes, events or labels.
    """
    names = [model.name for model in models]
    check_number(names)
    if len(set(names)) < len(names):
        raise ComparisonError(f"expected models of different names, got {', '.join(names)}")
    check_classes_agree({model.name: model.results["class_names"] for model in models})
    first = models[0]
    truth = dict(zip(first.predictions.event_id, first.predictions.label.tolist(), strict=True))
    for other in models[1:]:
        ids, labels = other.predictions.event_id, other.predictions.label.tolist()
        if ids != first.predictions.event_id:
            raise ComparisonError(
                f"expected the same events in the same order, but {first.name} was measured on {len(truth)}, "
                f"{other.name} on {len(ids)}, {len(truth.keys() & set(ids))} of them common; evaluate both "
                "on the same split of the same dataset"
            )
        if differ := [name for name, label in zip(ids, labels, strict=True) if truth[name] != label]:
            raise ComparisonError(
                f"expected the same labels, but {first.name} and {other.name} were measured with others for "
                f"{len(differ)} events (first: {differ[0]}); evaluate both on the same version of the dataset"
            )


def check_number(names: Sequence[str]) -> None:
    """Refuse one model alone, and more than a reader can tell apart.

    Raises:
        ComparisonError: With their number.
    """
    if not 2 <= len(names) <= MOST_MODELS:
        raise ComparisonError(
            f"expected 2 to {MOST_MODELS} models to compare, got {len(names)}: {', '.join(names)}"
        )


def check_classes_agree(classes: dict[str, list[str]]) -> None:
    """Refuse models that tell other classes apart, or number them otherwise.

    Args:
        classes: Names of the classes, in the order of their numbers, by model.

    Raises:
        ComparisonError: With both lists.
    """
    first = next(iter(classes))
    for other, names in classes.items():
        if names != classes[first]:
            raise ComparisonError(
                f"expected models of the same classes in the same order, but {first} has "
                f"{', '.join(classes[first])} and {other} has {', '.join(names)}"
            )


def published_for(models: Sequence[ComparedModel]) -> list[PublishedClassifier]:
    """The published classifiers that have a counterpart among the models."""
    types = {model.model_type for model in models}
    return [row for row in LARTPC_CLASSIFIERS if row.model_type in types]


def columns_of(models: Sequence[ComparedModel]) -> list[ComparedModel | PublishedClassifier]:
    """Models in the order in which they came, each followed by its published counterpart.

    Where several models have one counterpart, it follows the last of them.
    """
    published = {row.model_type: row for row in published_for(models)}
    columns: list[ComparedModel | PublishedClassifier] = []
    for position, model in enumerate(models):
        columns.append(model)
        later = {other.model_type for other in models[position + 1 :]}
        if model.model_type in published and model.model_type not in later:
            columns.append(published[model.model_type])
    return columns
