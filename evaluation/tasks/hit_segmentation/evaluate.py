"""Measure a network that tells the class of each hit: one JSON of results and one file of predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.datasets_scripts.common.labelled_rows import check_classes_of, check_labelled
from nuzoo.evaluation.core.class_names import labels_by_name
from nuzoo.evaluation.core.events import Events, read_lists
from nuzoo.evaluation.core.inference import Times, cost_of, run_network
from nuzoo.evaluation.core.machine import describe_machine, start_memory_measurement
from nuzoo.evaluation.core.provenance import describe_dataset
from nuzoo.evaluation.core.results import ResultsFile, Subject
from nuzoo.evaluation.core.results_file import write_results
from nuzoo.evaluation.core.subject import describe_subject
from nuzoo.evaluation.tasks.hit_segmentation.michel import measure_michels
from nuzoo.evaluation.tasks.hit_segmentation.numbers import event_confusion, hit_metrics, scores
from nuzoo.evaluation.tasks.hit_segmentation.predictions import HitPredictions, write_predictions
from nuzoo.evaluation.tasks.hit_segmentation.report import draw_figures
from nuzoo.evaluation.tasks.hit_segmentation.results import (
    OVERALL,
    CrossValidatedHits,
    HitDataset,
    SegmentationResults,
)
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE

if TYPE_CHECKING:
    from transformers import EvalPrediction, PreTrainedConfig, PreTrainedModel

    from nuzoo.processors.contract import EventProcessor


def evaluate_segmenter(
    model: PreTrainedModel,
    processor: EventProcessor,
    events: Events,
    *,
    out: Path,
    batch_size: int = 16,
    sample: str | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> SegmentationResults:
    """Run a network over labelled events and write what was measured, see `TaskEvaluator.evaluate`.

    What is measured are the hits as they were recorded: those that became one point have one answer.

    Args:
        model: Gives `logits` of points.
        processor: Its processor.
        events: Only `rows` are used.
        out: Folder.
        batch_size: Events per batch.
        sample: What the events are called.
        bootstrap: Replicas for the errors.
        seed: Seed of the bootstrap.
    """
    subject = describe_segmenter(model, processor, events, sample)
    rows = labels_by_name(events.rows, class_names_of(model.config), model.config.target)
    start_memory_measurement(model.device)
    predictions, times = label_hits(model, processor, rows, batch_size)
    results = SegmentationResults(
        **vars(subject),
        **numbers_of(predictions, subject.model.classes, bootstrap, seed),
        target=model.config.target,
        class_names=subject.model.classes,
        michel=measure_michels(rows, predictions, subject.model.classes, processor, bootstrap, seed),
        cost=cost_of(model, times, batch_size),
        machine=describe_machine(model.device),
    )
    write_evaluation(out, results, predictions)
    return results


def label_hits(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, batch_size: int = 16
) -> tuple[HitPredictions, Times]:
    """Tell the class of each hit as it was recorded.

    Args:
        model: Gives `logits` of points.
        processor: Its processor.
        rows: Events, with their classes numbered as the network's.
        batch_size: Events per batch.

    Returns:
        The classes, and how long it took.
    """
    post: Any = processor

    def classes_of(outputs: Any, inputs: Mapping[str, Any]) -> list[NDArray[np.int64]]:
        found = post.post_process_semantic_segmentation(outputs, inputs)
        return [event.cpu().numpy() for event in found]

    answers, times = run_network(
        model,
        processor,
        rows,
        classes_of,
        batch_size=batch_size,
        description="label hits",
        return_inverse=True,
    )
    given = [event for batch in answers for event in batch]
    return HitPredictions(
        list(rows["event_id"]), read_lists(rows, model.config.target, np.int64), given
    ), times


def report_cross_validation(
    predictions: Sequence[NDArray[np.float64]],
    rows: Dataset,
    config: PreTrainedConfig,
    folds: int,
    out: Path,
    sample: str | None = None,
) -> CrossValidatedHits:
    """Write results, predictions and figures, see `TaskEvaluator.report_cross_validation`."""
    target, names = config.target, class_names_of(config)
    given = [logits.argmax(axis=-1) for logits in predictions]
    pooled = HitPredictions(list(rows["event_id"]), read_lists(rows, target, np.int64), given)
    results = CrossValidatedHits(
        **numbers_of(pooled, names),
        target=target,
        class_names=names,
        dataset=describe_hits(rows, target, names, sample),
        folds=folds,
    )
    write_evaluation(out, results, pooled)
    draw_figures(results, out)
    return results


def numbers_of(
    predictions: HitPredictions, names: Sequence[str], replicas: int = 1000, seed: int = 0
) -> dict[str, Any]:
    """Compute what `SegmentedHits` says of predictions, by field; see `hit_metrics`."""
    of_events = predictions.confusions(len(names))
    metrics, bootstrap = hit_metrics(of_events, names, replicas, seed)
    counts = of_events.sum(axis=0).astype(int)
    return {
        "hits": int(counts.sum()),
        "hits_left_out": predictions.hits_left_out,
        "counts": counts.tolist(),
        "metrics": metrics,
        "bootstrap": bootstrap,
    }


def write_evaluation(out: Path, results: ResultsFile, predictions: HitPredictions) -> None:
    """Write results and predictions into a folder, made if absent."""
    out.mkdir(parents=True, exist_ok=True)
    write_predictions(out / PREDICTIONS_FILE, predictions)
    write_results(out / RESULTS_FILE, results)


def describe_segmenter(
    model: PreTrainedModel, processor: EventProcessor, events: Events, sample: str | None = None
) -> Subject:
    """Say what is measured on what, see `TaskEvaluator.describe`."""
    names, target = class_names_of(model.config), model.config.target

    def describe(rows: Dataset) -> HitDataset:
        return describe_hits(rows, target, names, sample)

    renumbered = replace(events, rows=labels_by_name(events.rows, names, target), validation=None)
    return describe_subject(
        model, processor, renumbered, check=check_events, describe=describe, truth=(target,)
    )


def describe_hits(
    rows: Dataset, target: str, class_names: Sequence[str], sample: str | None = None
) -> HitDataset:
    """Identify a dataset whose hits have classes, see `describe_dataset`."""
    labels = np.concatenate([np.zeros(0, np.int64), *read_lists(rows, target, np.int64)])
    counts = np.bincount(labels, minlength=len(class_names)).tolist()
    facts = describe_dataset(rows, sample)
    return HitDataset(**vars(facts), hits_per_class=dict(zip(class_names, counts, strict=True)))


def check_events(rows: Dataset | None, split: str, config: PreTrainedConfig) -> None:
    """Refuse events whose hits have no class, or others, see `TaskEvaluator.check_events`."""
    target = config.target
    check_labelled(rows, split, (target,))
    assert rows is not None
    check_classes_of(rows, split, class_names_of(config), target)


def training_metrics(prediction: EvalPrediction) -> dict[str, float]:
    """Compute the metrics for the Trainer, see `TaskEvaluator.training_metrics`."""
    found = prediction.predictions
    logits = found[0] if isinstance(found, tuple) else found
    confusion = event_confusion(prediction.label_ids, logits.argmax(axis=-1), logits.shape[-1])
    measured = scores(confusion.astype(np.float64))
    return {name: float(measured[name]) for name in OVERALL if np.isfinite(measured[name])}
