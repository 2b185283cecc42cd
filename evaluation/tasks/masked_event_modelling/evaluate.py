"""Measure a network that was pre-trained by masked modelling of events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset

from nuzoo.datasets_scripts.common.labelled_rows import check_columns, check_labelled
from nuzoo.evaluation.core.class_names import labels_by_name
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.core.inference import cost_of, run_network
from nuzoo.evaluation.core.machine import describe_machine, start_memory_measurement
from nuzoo.evaluation.core.results import Subject
from nuzoo.evaluation.core.results_file import write_results
from nuzoo.evaluation.tasks.event_classification.evaluate import describe_labelled
from nuzoo.evaluation.tasks.event_classification.numbers import UNFITTED, classification_numbers
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions, write_predictions
from nuzoo.evaluation.tasks.event_classification.results import LabelledDataset
from nuzoo.evaluation.tasks.masked_event_modelling.event_probe import fitted_event_probe
from nuzoo.evaluation.tasks.masked_event_modelling.measure import told_of_hidden
from nuzoo.evaluation.tasks.masked_event_modelling.results import MaskedEventResults
from nuzoo.evaluation.tasks.pre_training.evaluate import (
    class_names_of_target,
    describe_probed,
    events_to_fit,
)
from nuzoo.evaluation.tasks.pre_training.probe_settings import EventProbe
from nuzoo.files.events.detector_event_columns import VOXEL_COLUMNS
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE
from nuzoo.registry import TASKS

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

TASK = "masked-event-modelling"
TARGET = EventProbe.target
PROBE_EVENTS = 2000


def evaluate_masked_modelling(
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
) -> MaskedEventResults:
    """Fit a linear probe on validation events, measure it on others, see `TaskEvaluator.evaluate`.

    Args:
        model: For masked modelling.
        processor: Its processor.
        events: The probe is fitted on the first of `validation`.
        out: Folder.
        batch_size: Events per batch.
        sample: What the events are called.
        target: Column with the class of each event.
        bootstrap: Replicas for the errors.
        seed: Seed of the bootstrap.
    """
    subject = describe_masked_modelling(model, processor, events, sample, target)
    validation = events_to_fit(events)
    names = class_names_of_target(processor, target, "event")
    rows, known = (labels_by_name(of, names, target) for of in (events.rows, validation))
    known = known.select(range(min(PROBE_EVENTS, len(known))))
    start_memory_measurement(model.device)
    probe = fitted_event_probe(model, processor, known, target, batch_size)
    body: Any = model.base_model

    def logits_of(outputs: Any, _: Any) -> Any:
        return probe(outputs.pooler_output.float()).double().cpu().numpy()

    answers, times = run_network(body, processor, rows, logits_of, batch_size=batch_size, description="probe")
    predictions = Predictions.of(_labelled(rows, target), np.concatenate(answers))
    truth = TASKS[TASK].targets_of(model.config.to_dict())
    results = MaskedEventResults(
        **vars(subject),
        **vars(
            classification_numbers(
                predictions.logits,
                predictions.label,
                names,
                energy=predictions.neutrino_energy,
                replicas=bootstrap,
                seed=seed,
            )
        ),
        class_names=names,
        target=target,
        probe_events=len(known),
        told=told_of_hidden(model.eval(), processor, rows, truth, batch_size),
        cost=cost_of(model, times, batch_size),
        machine=describe_machine(model.device),
    )
    out.mkdir(parents=True, exist_ok=True)
    write_predictions(out / PREDICTIONS_FILE, predictions, UNFITTED.value)
    write_results(out / RESULTS_FILE, results)
    return results


def describe_masked_modelling(
    model: PreTrainedModel,
    processor: EventProcessor,
    events: Events,
    sample: str | None = None,
    target: str = TARGET,
) -> Subject:
    """Say what is measured on what, see `TaskEvaluator.describe`."""
    names = class_names_of_target(processor, target, "event")

    def describe(rows: Dataset) -> LabelledDataset:
        return describe_labelled(_labelled(rows, target), names, sample)

    return describe_probed(model, processor, events, target, names, describe)


def _labelled(rows: Dataset, target: str) -> Dataset:
    """Give the class of an event the name that classifiers have for it."""
    return rows.rename_column(target, "label")


def check_events(rows: Dataset | None, split: str, config: PreTrainedConfig) -> None:
    """Refuse events without the truth of hits that is asked, see `TaskEvaluator.check_events`."""
    check_labelled(rows, split, ())
    assert rows is not None
    if TASKS[TASK].targets_of(config.to_dict()):
        check_columns(rows, split, VOXEL_COLUMNS)
