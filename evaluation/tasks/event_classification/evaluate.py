"""Measure an event classifier: one JSON of results and one Parquet file of predictions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.datasets_scripts.common.labelled_rows import check_classes_of, check_labelled
from nuzoo.evaluation.core.calibration import TEMPERATURE_LIMITS, fit_temperature, probabilities
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.core.inference import Times, cost_of, run_network
from nuzoo.evaluation.core.machine import describe_machine, start_memory_measurement
from nuzoo.evaluation.core.provenance import describe_dataset
from nuzoo.evaluation.core.results import Subject
from nuzoo.evaluation.core.results_file import write_results
from nuzoo.evaluation.core.subject import describe_subject
from nuzoo.evaluation.tasks.event_classification.asking import asked
from nuzoo.evaluation.tasks.event_classification.numbers import classification_numbers
from nuzoo.evaluation.tasks.event_classification.predictions import (
    Predictions,
    true_labels,
    write_predictions,
)
from nuzoo.evaluation.tasks.event_classification.report import draw_figures
from nuzoo.evaluation.tasks.event_classification.results import (
    HALF_RESOLUTION_MEANING,
    NOT_FITTED,
    STORED,
    UNDECIDED,
    ClassificationResults,
    CrossValidatedResults,
    LabelledDataset,
    Temperature,
)
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE

if TYPE_CHECKING:
    from transformers import EvalPrediction, PreTrainedConfig, PreTrainedModel

    from nuzoo.processors.contract import EventProcessor


logger = logging.getLogger(__name__)


def evaluate_classifier(
    model: PreTrainedModel,
    processor: EventProcessor,
    events: Events,
    *,
    out: Path,
    batch_size: int = 16,
    sample: str | None = None,
    half_resolution: bool = True,
    bootstrap: int = 1000,
    seed: int = 0,
    energy_edges: Sequence[float] | None = None,
    prompt: str | None = None,
    few_shot: bool = False,
    temperature: float | None = None,
) -> ClassificationResults:
    """Run a classifier over labelled events and write what was measured, see `TaskEvaluator.evaluate`.

    The model is not changed: see `store_calibration`.

    Args:
        model: Event classifier.
        processor: Its processor; half resolution asks for `processor(rows, half_resolution=...)`.
        events: Those of `validation` fit the temperature. Without them the one in `model.config` is used.
        out: Folder.
        batch_size: Events per batch.
        sample: What the events are called.
        half_resolution: Also classify the events at half resolution, in both ways.
        bootstrap: Replicas for the errors.
        seed: Seed of the bootstrap.
        energy_edges: Bins of efficiency and purity, GeV; by the energies where there are none.
        prompt: See `asked`.
        few_shot: See `asked`.
        temperature: Of the probabilities, in place of a fitted one.
    """
    check_temperature(temperature)
    processor, events = asked(processor, events, model.config, prompt=prompt, few_shot=few_shot)
    events = events.in_classes(class_names_of(model.config))
    rows = events.rows
    subject = describe_classifier(model, processor, events, sample)
    start_memory_measurement(model.device)

    def logits_of(rows: Dataset, description: str, **options: Any) -> tuple[NDArray[np.float64], Times]:
        return classify(model, processor, rows, batch_size=batch_size, description=description, **options)

    def labelled(rows: Dataset) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        return logits_of(rows, "validation")[0], true_labels(rows)

    used = used_temperature(temperature, model.config, events.validation, labelled)
    logits, times = logits_of(rows, "classify")
    cost = cost_of(model, times, batch_size)
    others = {
        mode: logits_of(rows, f"half resolution ({mode})", half_resolution=mode)[0]
        for mode in (HALF_RESOLUTION_MEANING if half_resolution else ())
    }
    predictions = Predictions.of(rows, logits)
    numbers = classification_numbers(
        logits,
        predictions.label,
        subject.model.classes,
        energy=predictions.neutrino_energy,
        energy_edges=energy_edges,
        temperature=used,
        alternatives=others,
        replicas=bootstrap,
        seed=seed,
    )
    results = ClassificationResults(
        **vars(subject),
        **vars(numbers),
        class_names=subject.model.classes,
        cost=cost,
        machine=describe_machine(model.device),
    )
    write_evaluation(out, results, predictions)
    return results


def check_temperature(given: float | None) -> None:
    """Refuse, with a `ValueError`, a given temperature that no fit would find."""
    low, high = TEMPERATURE_LIMITS
    if given is not None and not low <= given <= high:
        raise ValueError(f"--temperature: expected a number from {low} to {high}, got {given}")


def used_temperature(
    given: float | None,
    config: PreTrainedConfig,
    validation: Dataset | None,
    measured: Callable[[Dataset], tuple[NDArray[np.float64], NDArray[np.int64]]],
) -> Temperature:
    """Take a given temperature, or fit one, or take the stored one where there are no events for a fit.

    Args:
        given: If one is.
        config: Of the network.
        validation: Events for the fit, if any.
        measured: Gives logits and labels of these.
    """
    stored = float(config.temperature)
    if given is not None:
        return Temperature(value=given, error=None, fitted_on=f"given, {NOT_FITTED}")
    if validation is None:
        return Temperature(value=stored, error=None, fitted_on=f"{STORED}, {NOT_FITTED}")
    return fitted_temperature(*measured(validation), stored)


def fitted_temperature(
    logits: NDArray[np.float64], labels: NDArray[np.int64], stored: float, field: str = STORED
) -> Temperature:
    """Fit the temperature; where the events do not decide it, warn and keep the one stored in a field."""
    value, error = fit_temperature(logits, labels)
    if value not in TEMPERATURE_LIMITS:
        known = error if np.isfinite(error) else None
        return Temperature(value=value, error=known, fitted_on=f"{len(labels):,} validation events")
    kept = Temperature(
        value=stored,
        error=None,
        fitted_on=f"{field}, {NOT_FITTED}: {len(labels):,} validation events {UNDECIDED}, T = {value:g}",
    )
    logger.warning("%s", kept.warning)
    return kept


def report_cross_validation(
    predictions: Sequence[NDArray[np.float64]],
    rows: Dataset,
    config: PreTrainedConfig,
    folds: int,
    out: Path,
    sample: str | None = None,
) -> CrossValidatedResults:
    """Write results, predictions and figures, see `TaskEvaluator.report_cross_validation`."""
    names = class_names_of(config)
    pooled = Predictions.of(rows, np.stack(predictions))
    numbers = classification_numbers(pooled.logits, pooled.label, names, energy=pooled.neutrino_energy)
    dataset = describe_labelled(rows, names, sample)
    results = CrossValidatedResults(**vars(numbers), class_names=names, dataset=dataset, folds=folds)
    write_evaluation(out, results, pooled)
    draw_figures(results, pooled, out)
    return results


def write_evaluation(
    out: Path, results: ClassificationResults | CrossValidatedResults, predictions: Predictions
) -> None:
    """Write results and predictions into a folder, made if absent."""
    out.mkdir(parents=True, exist_ok=True)
    write_predictions(out / PREDICTIONS_FILE, predictions, results.calibration.temperature.value)
    write_results(out / RESULTS_FILE, results)


def classify(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, **options: Any
) -> tuple[NDArray[np.float64], Times]:
    """Run a classifier over rows, with the options of `run_network`, for logits float64 (n, C) and times."""

    def logits_of(outputs: Any, inputs: Mapping[str, Any]) -> NDArray[np.float64]:
        logits: NDArray[np.float64] = outputs.logits.double().cpu().numpy()
        return logits

    answers, times = run_network(model, processor, rows, logits_of, **options)
    classes = len(class_names_of(model.config))
    return np.concatenate([np.empty((0, classes)), *answers]), times


def describe_classifier(
    model: PreTrainedModel, processor: EventProcessor, events: Events, sample: str | None = None
) -> Subject:
    """Say what is measured on what, see `TaskEvaluator.describe`."""

    def describe(rows: Dataset) -> LabelledDataset:
        return describe_labelled(rows, class_names_of(model.config), sample)

    events = events.in_classes(class_names_of(model.config))
    return describe_subject(model, processor, events, check=check_events, describe=describe)


def describe_labelled(
    rows: Dataset, class_names: Sequence[str], sample: str | None = None
) -> LabelledDataset:
    """Identify a labelled dataset, see `describe_dataset`; the classes are in the order of the labels."""
    counts = np.bincount(true_labels(rows), minlength=len(class_names)).tolist()
    facts = describe_dataset(rows, sample)
    return LabelledDataset(**vars(facts), events_per_class=dict(zip(class_names, counts, strict=True)))


def check_events(rows: Dataset | None, split: str, config: PreTrainedConfig) -> None:
    """Refuse events without labels of the model's classes, see `TaskEvaluator.check_events`."""
    check_labelled(rows, split)
    assert rows is not None
    check_classes_of(rows, split, class_names_of(config))


def training_metrics(prediction: EvalPrediction) -> dict[str, float]:
    """Compute the metrics for the Trainer, see `TaskEvaluator.training_metrics`."""
    from nuzoo.evaluation.tasks.event_classification.metrics import ClassificationMetrics

    found = prediction.predictions
    probability = probabilities(found[0] if isinstance(found, tuple) else found)
    metrics = ClassificationMetrics(keep_in_memory=True)
    measured = metrics.compute(predictions=probability, references=prediction.label_ids)
    return {name: value for name, value in measured.items() if np.isfinite(value)}
