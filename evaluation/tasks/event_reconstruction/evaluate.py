"""Measure a network that reconstructs events: one JSON of results and one Parquet file of predictions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.evaluation.core.errors import OptionError
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.core.inference import Times, cost_of, run_network
from nuzoo.evaluation.core.machine import describe_machine, start_memory_measurement
from nuzoo.evaluation.core.provenance import describe_dataset
from nuzoo.evaluation.core.results import Subject
from nuzoo.evaluation.core.results_file import write_results
from nuzoo.evaluation.core.subject import describe_subject
from nuzoo.evaluation.tasks.event_classification.evaluate import fitted_temperature
from nuzoo.evaluation.tasks.event_classification.results import NOT_FITTED, Temperature
from nuzoo.evaluation.tasks.event_reconstruction.numbers import reconstruction_numbers
from nuzoo.evaluation.tasks.event_reconstruction.predictions import (
    UNCERTAIN,
    VECTORS,
    EventPredictions,
    write_predictions,
)
from nuzoo.evaluation.tasks.event_reconstruction.results import (
    EQUAL,
    NOMINAL,
    ReconstructionDataset,
    ReconstructionResults,
)
from nuzoo.evaluation.tasks.event_reconstruction.truth import (
    CLASSES,
    ENERGY,
    IS_CC,
    MOMENTA,
    VERTEX,
    check_events,
    in_classes,
    names_of,
    read_numbers,
    read_vectors,
    weights_of,
)
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

TEMPERATURES = {"flavour": "temperature", "charm": "charm_temperature"}
"""Fields of the configuration that logits are divided by."""


def evaluate_reconstruction(
    model: PreTrainedModel,
    processor: EventProcessor,
    events: Events,
    *,
    out: Path,
    batch_size: int = 16,
    sample: str | None = None,
    weights: str | None = None,
    expected_events: float | None = None,
    bootstrap: int = 1000,
    seed: int = 0,
) -> ReconstructionResults:
    """Run a network over events with truth and write what was measured, see `TaskEvaluator.evaluate`.

    The model is not changed: see `store_calibration`.

    Args:
        model: Reconstructs events.
        processor: Its processor.
        events: Those of `validation` fit the temperatures. Without them those in `model.config` are used.
        out: Folder.
        batch_size: Events per batch.
        sample: What the events are called.
        weights: "nominal" or "equal", see `weights_of`.
        expected_events: Interactions that figures of merit are for.
        bootstrap: Replicas for the errors.
        seed: Seed of the bootstrap.
    """
    names = names_of(model.config)
    subject = describe_reconstruction(model, processor, events, sample)
    rows = in_classes(events.rows, names)
    weight, used = weights_of(rows, weights, NOMINAL, EQUAL)
    _check_expected(expected_events, used)
    start_memory_measurement(model.device)
    temperatures = {of: _stored(model.config, of) for of in CLASSES}
    if events.validation is not None:
        others = in_classes(events.validation, names)
        found, _ = reconstruct(model, processor, others, batch_size=batch_size, description="validation")
        temperatures = {of: _fitted(model.config, of, found, others) for of in CLASSES}
    found, times = reconstruct(model, processor, rows, batch_size=batch_size, description="reconstruct")
    predictions = predictions_of(rows, found, weight)
    numbers = reconstruction_numbers(
        predictions, names, temperatures, expected_events=expected_events, replicas=bootstrap, seed=seed
    )
    results = ReconstructionResults(
        **vars(subject),
        **vars(numbers),
        weights=used,
        weight_sum=float(weight.sum()),
        expected_events=expected_events,
        cost=cost_of(model, times, batch_size),
        machine=describe_machine(model.device),
    )
    out.mkdir(parents=True, exist_ok=True)
    scales = {of: temperature.value for of, temperature in temperatures.items()}
    write_predictions(out / PREDICTIONS_FILE, predictions, scales)
    write_results(out / RESULTS_FILE, results)
    return results


def reconstruct(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, **options: Any
) -> tuple[dict[str, NDArray[np.float64]], Times]:
    """Run a network over rows.

    Args:
        model: The network.
        processor: Its processor.
        rows: Events.
        **options: Of `run_network`.

    Returns:
        Its outputs by name, float64 (n, ...), and times.
    """
    wanted = (*(f"{of}_logits" for of in CLASSES), *VECTORS)

    def outputs_of(outputs: Any, inputs: Mapping[str, Any]) -> dict[str, NDArray[np.float64]]:
        given = [name for name in UNCERTAIN if getattr(outputs, name, None) is not None]
        return {name: getattr(outputs, name).double().cpu().numpy() for name in (*wanted, *given)}

    answers, times = run_network(model, processor, rows, outputs_of, **options)
    return {name: np.concatenate([one[name] for one in answers]) for name in answers[0]}, times


def predictions_of(
    rows: Dataset, found: Mapping[str, NDArray[np.float64]], weight: NDArray[np.float64]
) -> EventPredictions:
    """Put what a network said of events beside their truth.

    Args:
        rows: Events, with the classes of the network.
        found: See `reconstruct`.
        weight: Of each event.
    """
    known: dict[str, Any] = {of: np.array(list(rows[of]), dtype=np.int64) for of in CLASSES}
    known |= {f"true_{name}": read_vectors(rows, name) for name in MOMENTA}
    known |= {name: of for name, of in found.items() if name not in UNCERTAIN}
    return EventPredictions(
        event_id=list(rows["event_id"]),
        weight=weight,
        is_cc=np.array(list(rows[IS_CC]), dtype=bool),
        neutrino_energy=read_numbers(rows, ENERGY),
        true_vertex=read_vectors(rows, VERTEX),
        errors={name.removesuffix("_error"): of for name, of in found.items() if name in UNCERTAIN},
        **known,
    )


def describe_reconstruction(
    model: PreTrainedModel, processor: EventProcessor, events: Events, sample: str | None = None
) -> Subject:
    """Say what is measured on what, see `TaskEvaluator.describe`."""
    names = names_of(model.config)

    def describe(rows: Dataset) -> ReconstructionDataset:
        flavours, charms = (
            dict(zip(names[of], np.bincount(list(rows[of]), minlength=len(names[of])).tolist(), strict=True))
            for of in CLASSES
        )
        return ReconstructionDataset(
            **vars(describe_dataset(rows, sample)), events_per_flavour=flavours, events_per_charm=charms
        )

    validation = None if events.validation is None else in_classes(events.validation, names)
    measured = Events(in_classes(events.rows, names), validation, events.training, events.seen)
    return describe_subject(model, processor, measured, check=check_events, describe=describe)


def _check_expected(expected: float | None, weights: str) -> None:
    """Refuse a number of interactions that is none, or for which the sample has not the right classes."""
    if expected is None:
        return
    if not 0 < expected < float("inf"):
        raise OptionError(f"--expected-events: expected a number above 0, got {expected}")
    if weights != NOMINAL:
        raise OptionError(
            "--expected-events: expected events with weights of the nominal sample, whose classes are as "
            f"many as the beam makes, got {weights} weights: leave it out, or take such events"
        )


def _fitted(
    config: PreTrainedConfig, of: str, found: Mapping[str, NDArray[np.float64]], rows: Dataset
) -> Temperature:
    labels, stored = np.array(list(rows[of]), dtype=np.int64), _stored(config, of)
    return fitted_temperature(found[f"{of}_logits"], labels, stored.value, f"model.config.{TEMPERATURES[of]}")


def _stored(config: PreTrainedConfig, of: str) -> Temperature:
    field = TEMPERATURES[of]
    said = f"model.config.{field}, {NOT_FITTED}"
    return Temperature(value=float(getattr(config, field)), error=None, fitted_on=said)
