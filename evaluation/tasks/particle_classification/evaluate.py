"""Measure a classifier of particles, as one of events is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.datasets_scripts.common.labelled_rows import check_classes_of, check_labelled
from nuzoo.evaluation.core.inference import cost_of
from nuzoo.evaluation.core.machine import describe_machine, start_memory_measurement
from nuzoo.evaluation.core.results import Subject
from nuzoo.evaluation.core.subject import describe_subject
from nuzoo.evaluation.tasks.event_classification.evaluate import (
    check_temperature,
    describe_classifier,
    describe_labelled,
    evaluate_classifier,
    used_temperature,
    write_evaluation,
)
from nuzoo.evaluation.tasks.event_classification.numbers import classification_numbers
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions, true_labels
from nuzoo.evaluation.tasks.event_classification.results import ClassificationResults
from nuzoo.evaluation.tasks.particle_classification.particles import classify_particles

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

    from nuzoo.evaluation.core.events import Events
    from nuzoo.processors.contract import EventProcessor

EVENT_TARGET = "label"
"""Truth of events with one particle, which are measured as events are."""


def evaluate_particles(
    model: PreTrainedModel,
    processor: EventProcessor,
    events: Events,
    *,
    out: Path,
    batch_size: int = 16,
    sample: str | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
    temperature: float | None = None,
) -> ClassificationResults:
    """Run a classifier over particles and write what was measured, see `TaskEvaluator.evaluate`.

    Where events have several, each particle counts as an event does elsewhere, errors too: those of one event
    are drawn apart from each other.

    Args:
        model: Particle classifier.
        processor: Its processor.
        events: Those of `validation` fit the temperature. Without them the one in `model.config` is used.
        out: Folder.
        batch_size: Events per batch.
        sample: What the events are called.
        bootstrap: Replicas for the errors.
        seed: Seed of the bootstrap.
        temperature: Of the probabilities, in place of a fitted one.
    """
    if model.config.target == EVENT_TARGET:
        return evaluate_classifier(
            model,
            processor,
            events,
            out=out,
            batch_size=batch_size,
            sample=sample,
            half_resolution=False,
            bootstrap=bootstrap,
            seed=seed,
            temperature=temperature,
        )
    check_temperature(temperature)
    subject = describe_particle_classifier(model, processor, events, sample)
    start_memory_measurement(model.device)

    def labelled(rows: Dataset) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        of, logits, _ = classify_particles(model, processor, rows, batch_size, "validation")
        return logits, true_labels(of)

    used = used_temperature(temperature, model.config, events.validation, labelled)
    particles, logits, times = classify_particles(model, processor, events.rows, batch_size, "classify")
    predictions = Predictions.of(particles, logits)
    names = class_names_of(model.config)
    numbers = classification_numbers(
        logits, predictions.label, names, temperature=used, replicas=bootstrap, seed=seed
    )
    facts = vars(subject) | {"dataset": describe_labelled(particles, names, sample)}
    results = ClassificationResults(
        **facts,
        **vars(numbers),
        class_names=names,
        cost=cost_of(model, times, batch_size),
        machine=describe_machine(model.device),
    )
    write_evaluation(out, results, predictions)
    return results


def describe_particle_classifier(
    model: PreTrainedModel, processor: EventProcessor, events: Events, sample: str | None = None
) -> Subject:
    """Say what is measured on what, see `TaskEvaluator.describe`; all particles count, also small ones."""
    if model.config.target == EVENT_TARGET:
        return describe_classifier(model, processor, events, sample)
    names = class_names_of(model.config)

    def describe(rows: Dataset) -> Any:
        return describe_labelled(_every_particle(rows, model.config.target), names, sample)

    return describe_subject(model, processor, events, check=check_particles, describe=describe)


def check_particles(rows: Dataset | None, split: str, config: PreTrainedConfig) -> None:
    """Refuse events without classes of the model's, see `TaskEvaluator.check_events`."""
    target: Any = config.target
    check_labelled(rows, split, (target,))
    assert rows is not None
    check_classes_of(rows, split, class_names_of(config), target)


def _every_particle(rows: Dataset, target: str) -> Dataset:
    """Give the particles of events as rows, with what their description asks for."""
    labels = list(rows[target])
    columns = {name: list(rows[name]) for name in ("detector", "source") if name in rows.column_names}
    found: dict[str, list[Any]] = {name: [] for name in ("event_id", "label", *columns)}
    for place, (name, of) in enumerate(zip(rows["event_id"], labels, strict=True)):
        found["event_id"] += [f"{name}/{number}" for number in range(len(of))]
        found["label"] += list(of)
        for column, values in columns.items():
            found[column] += [values[place]] * len(of)
    return Dataset.from_dict(found, split=rows.split)
