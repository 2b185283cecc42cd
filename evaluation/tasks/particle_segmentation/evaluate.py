"""Measure a network that finds instances: one JSON of results and one Parquet file of predictions."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.configuration.query_decoder_config import TARGETS
from nuzoo.datasets_scripts.common.labelled_rows import (
    UnusableDatasetError,
    check_classes_of,
    check_columns,
    check_labelled,
)
from nuzoo.evaluation.core.events import Events, read_lists
from nuzoo.evaluation.core.inference import cost_of, run_network
from nuzoo.evaluation.core.machine import describe_machine, start_memory_measurement
from nuzoo.evaluation.core.provenance import describe_dataset
from nuzoo.evaluation.core.results import Subject
from nuzoo.evaluation.core.results_file import write_results
from nuzoo.evaluation.core.subject import describe_subject
from nuzoo.evaluation.tasks.particle_segmentation.numbers import instance_metrics
from nuzoo.evaluation.tasks.particle_segmentation.overlaps import overlap_of
from nuzoo.evaluation.tasks.particle_segmentation.predictions import (
    InstancePredictions,
    Ints,
    write_predictions,
)
from nuzoo.evaluation.tasks.particle_segmentation.regression import COMPARED, ToldNumbers
from nuzoo.evaluation.tasks.particle_segmentation.results import InstanceDataset, InstanceResults
from nuzoo.evaluation.tasks.particle_segmentation.scores import count_events
from nuzoo.evaluation.tasks.particle_segmentation.told_numbers import queries_of, told_numbers
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

logger = logging.getLogger(__name__)

CLASS_COLUMN = "pid"
"""Class of a hit that belongs to a particle; interactions have one class."""


def evaluate_instances(
    model: PreTrainedModel,
    processor: EventProcessor,
    events: Events,
    *,
    out: Path,
    batch_size: int = 16,
    sample: str | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> InstanceResults:
    """Run a network over events with true instances and write what was measured, see `TaskEvaluator`.

    What is measured are the hits as they were recorded: those that became one point have one answer.

    Args:
        model: Tells of instances.
        processor: Its processor.
        events: Only `rows` are used.
        out: Folder.
        batch_size: Events per batch.
        sample: What the events are called.
        bootstrap: Replicas for the errors.
        seed: Seed of the bootstrap.
    """
    config, rows, post = model.config, events.rows, processor
    names = class_names_of(config)
    subject = describe_instances(model, processor, events, sample)
    start_memory_measurement(model.device)

    def found_in(outputs: Any, inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = post.post_process_panoptic_segmentation(  # type: ignore[attr-defined]
            outputs, inputs, stuff_label_ids=config.background_labels
        )
        told = {name: outputs[f"{name}_queries"].float().cpu().numpy() for name in config.regressed}
        return [
            event
            | {"segmentation": event["segmentation"].cpu().numpy()}
            | {name: values[number][queries_of(event)] for name, values in told.items()}
            for number, event in enumerate(found)
        ]

    answers, times = run_network(
        model,
        processor,
        rows,
        found_in,
        batch_size=batch_size,
        description=f"find {config.instances}s",
        return_inverse=True,
    )
    found = [event for batch in answers for event in batch]
    predictions = _predictions(rows, config, found, told_numbers(rows, config, processor, found))
    overlaps = predictions.overlaps(config.background_labels)
    told = {name: COMPARED[name](numbers, overlaps) for name, numbers in predictions.told.items()}
    counts = count_events(overlaps, len(names))
    metrics, errors = instance_metrics(counts, names, bootstrap, seed, errors=told)
    results = InstanceResults(
        **vars(subject),
        instances=config.instances,
        class_names=subject.model.classes,
        hits=predictions.hits,
        found=sum(len(labels) for labels in predictions.found_label),
        not_judged=sum(int((~event.is_judged).sum()) for event in overlaps),
        beyond_queries=sum(max(len(event.true_sizes) - config.queries, 0) for event in overlaps),
        metrics=metrics,
        bootstrap=errors,
        cost=cost_of(model, times, batch_size),
        machine=describe_machine(model.device),
    )
    out.mkdir(parents=True, exist_ok=True)
    write_predictions(out / PREDICTIONS_FILE, predictions)
    write_results(out / RESULTS_FILE, results)
    return results


def _predictions(
    rows: Dataset, config: PreTrainedConfig, found: list[dict[str, Any]], told: Mapping[str, ToldNumbers]
) -> InstancePredictions:
    truth, classes = true_instances(rows, config)
    infos = [event["segments_info"] for event in found]
    return InstancePredictions(
        event_id=list(rows["event_id"]),
        truth=truth,
        truth_class=classes,
        found=[event["segmentation"] for event in found],
        found_label=[np.array([one["label_id"] for one in info], dtype=np.int64) for info in infos],
        found_score=[np.array([one["score"] for one in info], dtype=np.float32) for info in infos],
        told=told,
    )


def true_instances(rows: Dataset, config: PreTrainedConfig) -> tuple[list[Ints], list[Ints] | None]:
    """Read the true instance of each hit, (hits,) of each event, and its class where there are several."""
    truth = read_lists(rows, config.instances, np.int64)
    return truth, read_lists(rows, CLASS_COLUMN, np.int64) if config.instances == "particle" else None


def describe_instances(
    model: PreTrainedModel, processor: EventProcessor, events: Events, sample: str | None = None
) -> Subject:
    """Say what is measured on what, see `TaskEvaluator.describe`."""

    def describe(rows: Dataset) -> InstanceDataset:
        return _described(rows, model.config, sample)

    measured = Events(events.rows, training=events.training, seen=events.seen)
    truth = TARGETS[model.config.instances]
    return describe_subject(model, processor, measured, check=check_events, describe=describe, truth=truth)


def _described(rows: Dataset, config: PreTrainedConfig, sample: str | None) -> InstanceDataset:
    truth, classes = true_instances(rows, config)
    nothing = np.zeros(0, dtype=np.int64)
    labels = [
        overlap_of(event, of, np.full_like(event, -1), nothing, config.background_labels).true_labels
        for event, of in zip(truth, classes or repeat(None, len(truth)), strict=True)
    ]
    counts = np.bincount(np.concatenate([nothing, *labels]), minlength=len(class_names_of(config)))
    per_class = {
        name: int(counts[label])
        for label, name in enumerate(class_names_of(config))
        if label not in config.background_labels
    }
    numbers = [len(event) for event in labels]
    if not any(numbers):
        raise UnusableDatasetError(
            f"split {rows.split}: expected events with {config.instances}s, got {len(rows)} without any: "
            "take others"
        )
    return InstanceDataset(
        **vars(describe_dataset(rows, sample)),
        instances_per_class=per_class,
        events_without=numbers.count(0),
        events_with_one=numbers.count(1),
    )


def check_events(rows: Dataset | None, split: str, config: PreTrainedConfig) -> None:
    """Refuse events without true instances of the network's classes, see `TaskEvaluator.check_events`.

    Events with more of them than the network has queries are told of, as the others cannot be found.
    """
    check_labelled(rows, split, ())
    assert rows is not None
    check_columns(rows, split, [config.instances])
    if config.instances == "particle":
        check_labelled(rows, split, (CLASS_COLUMN,))
        check_classes_of(rows, split, class_names_of(config), CLASS_COLUMN)
    truth = read_lists(rows, config.instances, np.int64)
    most = [len(np.unique(event[event >= 0])) for event in truth]
    if beyond := sum(number > config.queries for number in most):
        logger.warning(
            "split %s: %d of %d events have more %ss than the network has queries (%d), up to %d; set "
            "model.queries to find them all",
            split,
            beyond,
            len(most),
            config.instances,
            config.queries,
            max(most),
        )
