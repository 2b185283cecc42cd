"""Measure a network that learnt without labels, by a linear probe of its features."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.labelled_rows import check_classes_of, check_labelled
from nuzoo.evaluation.core.class_names import labels_by_name
from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.evaluation.core.events import Events, read_lists
from nuzoo.evaluation.core.inference import cost_of, run_network
from nuzoo.evaluation.core.machine import describe_machine, start_memory_measurement
from nuzoo.evaluation.core.results import DatasetFacts, Subject
from nuzoo.evaluation.core.subject import describe_subject
from nuzoo.evaluation.tasks.hit_segmentation.evaluate import (
    describe_hits,
    numbers_of,
    write_evaluation,
)
from nuzoo.evaluation.tasks.hit_segmentation.predictions import HitPredictions
from nuzoo.evaluation.tasks.pre_training.linear_probe import fitted_probe
from nuzoo.evaluation.tasks.pre_training.measure import Health, health_of_prototypes
from nuzoo.evaluation.tasks.pre_training.probe_settings import ProbeSettings
from nuzoo.evaluation.tasks.pre_training.results import PreTrainingResults

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

TARGET = ProbeSettings.target


def evaluate_pretraining(
    model: PreTrainedModel,
    processor: EventProcessor,
    events: Events,
    *,
    out: Path,
    batch_size: int = 16,
    sample: str | None = None,
    target: str = TARGET,
    bootstrap: int = 1000,
    seed: int = 0,
    health: Health = health_of_prototypes,
) -> PreTrainingResults:
    """Fit a linear probe on validation events, measure it on others, see `TaskEvaluator.evaluate`.

    Args:
        model: For pre-training.
        processor: Its processor.
        events: The probe is fitted on the first of `validation`.
        out: Folder.
        batch_size: Events per batch.
        sample: What the events are called.
        target: Column with a class for each hit.
        bootstrap: Replicas for the errors.
        seed: Seed of the bootstrap.
        health: What is measured beside the probe.
    """
    subject = describe_pretrained(model, processor, events, sample, target)
    validation = events_to_fit(events)
    settings, names = ProbeSettings(target=target), class_names_of_target(processor, target, "hit")
    rows = labels_by_name(events.rows, names, target)
    known = labels_by_name(validation, names, target)
    known = known.select(range(min(settings.train_events, len(known))))
    start_memory_measurement(model.device)
    probe = fitted_probe(model, processor, known, settings, batch_size)
    post: Any = processor
    body: Any = model.base_model

    def classes_of(outputs: Any, inputs: Mapping[str, Any]) -> list[NDArray[np.int64]]:
        logits = SimpleNamespace(logits=probe(outputs.last_hidden_state.float()))
        return [event.cpu().numpy() for event in post.post_process_semantic_segmentation(logits, inputs)]

    answers, times = run_network(
        body,
        processor,
        rows,
        classes_of,
        batch_size=batch_size,
        description="probe",
        return_inverse=True,
    )
    measured_health = health(model, processor, known, rows, target=target, batch_size=batch_size)
    if not measured_health:
        raise EvaluationError(f"expected events with hits, got {len(rows)} without any: take others")
    given = [event for batch in answers for event in batch]
    predictions = HitPredictions(list(rows["event_id"]), read_lists(rows, target, np.int64), given)
    results = PreTrainingResults(
        **vars(subject),
        **numbers_of(predictions, names, bootstrap, seed),
        target=target,
        class_names=names,
        probe_events=len(known),
        health=measured_health,
        cost=cost_of(model, times, batch_size),
        machine=describe_machine(model.device),
    )
    write_evaluation(out, results, predictions)
    return results


def describe_pretrained(
    model: PreTrainedModel,
    processor: EventProcessor,
    events: Events,
    sample: str | None = None,
    target: str = TARGET,
) -> Subject:
    """Say what is measured on what, see `TaskEvaluator.describe`."""
    names = class_names_of_target(processor, target, "hit")
    describe = partial(describe_hits, target=target, class_names=names, sample=sample)
    return describe_probed(model, processor, events, target, names, describe, truth=(target,))


def describe_probed(
    model: PreTrainedModel,
    processor: EventProcessor,
    events: Events,
    target: str,
    names: list[str],
    describe: Callable[[Dataset], DatasetFacts],
    truth: Sequence[str] = (),
) -> Subject:
    """Say what a probe is measured on, by the classes of a column.

    Args:
        model: The network.
        processor: Its processor.
        events: What it is measured on.
        target: Column of the classes.
        names: Of the classes, in the order of their numbers.
        describe: See `describe_subject`.
        truth: See `describe_subject`.
    """

    def check(rows: Dataset, split: str, config: PreTrainedConfig) -> None:
        check_labelled(rows, split, (target,))
        check_classes_of(rows, split, names, target)

    numbered = partial(labels_by_name, names=names, target=target)
    validation = None if events.validation is None else numbered(events.validation)
    renumbered = replace(events, rows=numbered(events.rows), validation=validation)
    return describe_subject(model, processor, renumbered, check=check, describe=describe, truth=truth)


def events_to_fit(events: Events) -> Dataset:
    """Give the events that a probe is fitted on.

    Raises:
        EvaluationError: There are none.
    """
    if events.validation is None:
        raise EvaluationError(
            "expected validation events to fit the probe on, got none: take a dataset with a split "
            "`validation`, and measure another split"
        )
    return events.validation


def class_names_of_target(processor: EventProcessor, target: str, per: str) -> list[str]:
    """Name the classes of a column.

    Args:
        processor: Whose events have it.
        target: The column.
        per: What it counts: "hit" or "event".

    Raises:
        EvaluationError: It is no column of classes of these.
    """
    counted = [column.name for column in processor.schema.columns if column.per == per and column.classes]
    if target not in counted:
        raise EvaluationError(
            f"--target: expected a column with a class for each {per}, {' or '.join(counted)}, got {target}"
        )
    return list(processor.schema[target].classes)


def check_events(rows: Dataset | None, split: str, config: PreTrainedConfig) -> None:
    """Refuse what is no events, which need no truth, see `TaskEvaluator.check_events`."""
    check_labelled(rows, split, ())
