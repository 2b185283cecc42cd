"""Evaluations of several classifiers on the same events, read and checked for a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.errors import ComparisonError, ResultsFileError
from nuzoo.evaluation.core.results import Subject
from nuzoo.evaluation.core.training_facts import Training
from nuzoo.evaluation.tasks.event_classification.numbers import energy_edges_of
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions
from nuzoo.evaluation.tasks.event_classification.published import (
    LARTPC_CLASSIFIERS,
    NOT_STATED,
    PublishedClassifier,
    is_like_published,
)
from nuzoo.evaluation.tasks.event_classification.report import read_evaluation
from nuzoo.evaluation.tasks.event_classification.results import ClassificationResults
from nuzoo.files.names import REPORT_FILE

if TYPE_CHECKING:
    from transformers import PreTrainedConfig


@dataclass(frozen=True)
class ComparedModel:
    """A classifier that was measured, by the name that it has in tables and legends."""

    name: str
    results: ClassificationResults
    predictions: Predictions
    training: Training

    @property
    def probability(self) -> NDArray[np.float64]:
        """Calibrated probabilities, (n, C)."""
        return probabilities(self.predictions.logits, self.results.calibration.temperature.value)

    @property
    def model_type(self) -> str:
        """Its architecture."""
        return self.results.model.model_type

    @property
    def regime(self) -> str:
        """How it was trained, in a few words."""
        model, training = self.results.model, self.training
        adapted = f"LoRA, {model.quantisation or model.dtype} base" if model.adapter else None
        trained = ", ".join(filter(None, [adapted or training.start or NOT_STATED, training.length]))
        return "; ".join(filter(None, [trained, training.base]))


class ClassifierComparison:
    """Fulfils `nuzoo.evaluation.core.evaluator.TaskComparison`, which says what each method is for."""

    def check(self, subjects: Mapping[str, Subject]) -> None:
        """Refuse networks of other classes."""
        check_classes_agree({name: subject.model.classes for name, subject in subjects.items()})

    def is_measured(
        self,
        folder: Path,
        subject: Subject,
        config: PreTrainedConfig,
        *,
        batch_size: int,
        calibrate: bool = False,
        energy_edges: Sequence[float] | None = None,
    ) -> bool:
        """Say whether weights, processor, events, settings and, unless it is fitted, temperature agree."""
        try:
            results, predictions = read_evaluation(folder)
        except ResultsFileError:
            return False
        if results.energy is not None and energy_edges is None:
            energy_edges = energy_edges_of(predictions.neutrino_energy)
        is_fitted = subject.validation is not None and not calibrate
        return (
            (folder / REPORT_FILE).is_file()
            and all(getattr(results, of.name) == getattr(subject, of.name) for of in fields(Subject))
            and results.cost.batch_size == batch_size
            and (results.energy is None or results.energy.edges_gev == list(energy_edges or ()))
            and (is_fitted or results.calibration.temperature.value == config.temperature)
        )

    def write(self, trainings: Mapping[str, Training], out: Path) -> Path:
        """Write comparison.md, .json, .csv, .tex and the figures."""
        from nuzoo.evaluation.comparison.report import write_comparison

        models = [ComparedModel(name, *read_evaluation(out / name), of) for name, of in trainings.items()]
        return write_comparison(models, out)


def check_comparable(models: Sequence[ComparedModel]) -> None:
    """Refuse models that were not measured on the same events and classes.

    Raises:
        ComparisonError: Other classes, events or labels.
    """
    check_classes_agree({model.name: model.results.class_names for model in models})
    events = {
        model.name: list(zip(model.predictions.event_id, model.predictions.label, strict=True))
        for model in models
    }
    first = models[0].name
    for other, theirs in events.items():
        if theirs != events[first]:
            raise ComparisonError(
                f"expected the same events with the same labels in the same order, but {first} was measured "
                f"on {len(events[first])}, {other} on {len(theirs)}, {len({*events[first]} & {*theirs})} of "
                "them common; evaluate both on the same split of the same version of the same dataset"
            )


def check_classes_agree(classes: Mapping[str, list[str]]) -> None:
    """Refuse models, by name, whose classes are others, or in another order.

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


def published_for(models: Sequence[ComparedModel]) -> dict[str, PublishedClassifier]:
    """Find the published classifiers that have a counterpart among the models, by architecture.

    There is none where the events are not like those of the paper.
    """
    if not all(is_like_published(model.results.dataset) for model in models):
        return {}
    types = {model.model_type for model in models}
    return {row.model_type: row for row in LARTPC_CLASSIFIERS if row.model_type in types}


def columns_of(models: Sequence[ComparedModel]) -> list[ComparedModel | PublishedClassifier]:
    """Put models in the order in which they came, each followed by its published counterpart.

    Where several models have one counterpart, it follows the last of them.
    """
    published, last = published_for(models), {model.model_type: model for model in models}
    columns: list[ComparedModel | PublishedClassifier] = []
    for model in models:
        columns.append(model)
        if last[model.model_type] is model and model.model_type in published:
            columns.append(published[model.model_type])
    return columns
