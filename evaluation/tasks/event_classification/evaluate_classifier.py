"""Measure an event classifier: one JSON of results and one Parquet file of predictions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.datasets_scripts.common.labelled_rows import check_class_names
from nuzoo.evaluation.core.calibration import fit_temperature
from nuzoo.evaluation.core.errors import MissingTruthError, SplitOverlapError
from nuzoo.evaluation.core.identity import processor_digest
from nuzoo.evaluation.core.inference import ModelOutputs, classify_dataset, mean_time
from nuzoo.evaluation.core.machine import describe_machine, peak_memory, start_memory_measurement
from nuzoo.evaluation.core.model_description import describe_model
from nuzoo.evaluation.core.provenance import describe_dataset
from nuzoo.evaluation.core.results_file import SCHEMA, SCHEMA_VERSION, write_results
from nuzoo.evaluation.tasks.event_classification.formulas import check_classes
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions, write_predictions
from nuzoo.evaluation.tasks.event_classification.results import DEFAULT_ENERGY_EDGES, classification_results
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE

HALF_RESOLUTIONS = ("energy", "image")


def evaluate_classifier(
    model: Any,
    processor: Any,
    dataset: Dataset,
    *,
    out: Path,
    validation: Dataset | None = None,
    batch_size: int = 16,
    half_resolution: bool = True,
    bootstrap: int = 1000,
    seed: int = 0,
    energy_edges: Sequence[float] = DEFAULT_ENERGY_EDGES,
    sample: str | None = None,
) -> dict[str, Any]:
    """Run a classifier over labelled events and write everything that was measured.

    The model is not changed: to put a fitted temperature to use, store
    `results["calibration"]["temperature"]["value"]` in `model.config.temperature`.

    Args:
        model: Event classifier with `config.id2label`.
        processor: Its processor; half resolution asks for `processor(rows, half_resolution=...)`.
        dataset: Pixel-map rows of the split whose numbers are reported.
        out: Folder for `results.json` and `predictions.parquet`; made if absent.
        validation: Rows for the temperature. Without it the one in `model.config` is used.
        batch_size: Events per batch.
        half_resolution: Also classify the events at half resolution, both ways: "energy" shares
            the energy of 2 x 2 pixels (a coarser detector at the same physical scale), "image"
            averages them into one pixel, as the source paper did.
        bootstrap: Replicas for the errors.
        seed: Seed of the bootstrap.
        energy_edges: Bins of efficiency and purity, GeV.
        sample: What the events are called on figures; needed unless all are our simulation.

    Returns:
        The contents of `results.json`.

    Raises:
        EvaluationError: No labels, unusable outputs, events of unnamed origin, or validation
            events among the dataset's.
        UnusableDatasetError: Labels that count other classes than the model.
    """
    labels = true_labels(dataset)
    subject = describe_evaluation(model, processor, dataset, validation, sample)
    class_names = subject["class_names"]
    start_memory_measurement(model.device)
    temperature = _temperature(model, processor, validation, batch_size)
    nominal = classify_dataset(model, processor, dataset, batch_size=batch_size)
    cost = _cost(model, nominal, batch_size)
    others = {
        mode: classify_dataset(
            model,
            processor,
            dataset,
            batch_size=batch_size,
            half_resolution=mode,
            description=f"half resolution ({mode})",
        ).logits
        for mode in (HALF_RESOLUTIONS if half_resolution else ())
    }
    energy = true_energy(dataset)
    measured = classification_results(
        nominal.logits,
        labels,
        class_names,
        energy=energy if np.isfinite(energy).any() else None,
        energy_edges=energy_edges,
        temperature=temperature["value"],
        alternatives=others,
        replicas=bootstrap,
        seed=seed,
    )
    measured["calibration"]["temperature"] = temperature
    results = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        **subject,
        **measured,
        "cost": cost,
        "machine": describe_machine(model.device),
    }
    predictions = Predictions(list(dataset["event_id"]), labels, nominal.logits, energy)
    out.mkdir(parents=True, exist_ok=True)
    write_predictions(out / PREDICTIONS_FILE, predictions, temperature["value"])
    write_results(out / RESULTS_FILE, results)
    return results


def describe_evaluation(
    model: Any, processor: Any, dataset: Dataset, validation: Dataset | None, sample: str | None
) -> dict[str, Any]:
    """Say what is measured on what: the part of the results that is known before.

    Call it on a network that has not been used: bitsandbytes packs 4-bit weights anew in the first
    forward pass on a CPU, and the digest changes.

    Args:
        model: Event classifier.
        processor: Its processor.
        dataset: Labelled rows whose numbers are reported.
        validation: Labelled rows for the temperature, if any.
        sample: What the events are called.

    Returns:
        Classes, dataset, validation, model and processor, ready for JSON.

    Raises:
        EvaluationError: Labels that are none of the model's classes, events of unnamed origin, or
            validation events among the dataset's.
        UnusableDatasetError: Labels that count other classes, or the same in another order.
    """
    model_facts = describe_model(model)
    names = model_facts["classes"]
    for rows, name in ((dataset, "dataset"), (validation, "validation")):
        if rows is not None:
            check_classes(true_labels(rows), len(names), "label")
            check_class_names(rows, names, name)
    described = describe_dataset(dataset, names, sample)
    if validation is not None:
        check_disjoint(validation, dataset)
    return {
        "class_names": names,
        "dataset": described,
        "validation": None if validation is None else describe_dataset(validation, names, sample),
        "model": model_facts,
        "processor": {"sha256": processor_digest(processor)} | _question(processor),
    }


def _question(processor: Any) -> dict[str, Any]:
    """What a vision-language model was asked, and after how many solved examples."""
    prompt = getattr(processor, "prompt", None)
    if prompt is None:
        return {}
    digest = sha256(json.dumps(prompt, sort_keys=True).encode()).hexdigest()
    return {"prompt": prompt["name"], "prompt_sha256": digest, "examples": processor.num_examples}


def check_disjoint(validation: Dataset, dataset: Dataset) -> None:
    """Refuse to calibrate on events that are also reported.

    Raises:
        SplitOverlapError: With the number of common events and one of them.
    """
    common = set(validation["event_id"]) & set(dataset["event_id"])
    if common:
        raise SplitOverlapError(
            f"validation and evaluated events must differ, but {len(common)} are in both (for "
            f"example {min(common)}); split them by event id"
        )


def true_labels(dataset: Dataset) -> NDArray[np.int64]:
    """Labels of every event, int64 (n,).

    Raises:
        MissingTruthError: No events, no label column, or events without a label.
    """
    if "label" not in dataset.column_names:
        raise MissingTruthError(
            f"evaluation needs a column `label`, the dataset has {dataset.column_names}; use "
            "`nuzoo predict` for events without truth"
        )
    labels = list(dataset["label"])
    if not labels:
        raise MissingTruthError("evaluation needs at least one event, the dataset is empty")
    missing = [i for i, label in enumerate(labels) if label is None]
    if missing:
        raise MissingTruthError(
            f"{len(missing)} of {len(labels)} events have no label (first: row {missing[0]}); "
            "filter them out before evaluating"
        )
    return np.array(labels, dtype=np.int64)


def true_energy(dataset: Dataset) -> NDArray[np.float64]:
    """Neutrino energies in GeV (n,), NaN where the truth is unknown."""
    if "neutrino_energy" not in dataset.column_names:
        return np.full(len(dataset), np.nan)
    return np.array(list(dataset["neutrino_energy"]), dtype=np.float64)


def _temperature(model: Any, processor: Any, validation: Dataset | None, batch_size: int) -> dict[str, Any]:
    if validation is None:
        value = float(getattr(model.config, "temperature", 1.0))
        return {"value": value, "error": None, "fitted_on": "model.config.temperature, not fitted"}
    outputs = classify_dataset(model, processor, validation, batch_size=batch_size, description="validation")
    value, error = fit_temperature(outputs.logits, true_labels(validation))
    return {
        "value": value,
        "error": error if np.isfinite(error) else None,
        "fitted_on": f"{len(validation):,} validation events",
    }


def _cost(model: Any, outputs: ModelOutputs, batch_size: int) -> dict[str, Any]:
    parts = {
        "read": outputs.read_seconds,
        "processor": outputs.processor_seconds,
        "model": outputs.model_seconds,
    }
    parts["total"] = outputs.read_seconds + outputs.processor_seconds + outputs.model_seconds
    return {
        "batch_size": batch_size,
        "ms_per_event": {part: mean_time(s, outputs.events) for part, s in parts.items()},
        "peak_memory": peak_memory(model.device),
    }
