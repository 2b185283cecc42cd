"""Results of a cross-validation: every event judged by a network that has not seen it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.evaluation.core.provenance import describe_dataset
from nuzoo.evaluation.core.results_file import SCHEMA, SCHEMA_VERSION, write_results
from nuzoo.evaluation.tasks.event_classification.evaluate_classifier import true_energy, true_labels
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions, write_predictions
from nuzoo.evaluation.tasks.event_classification.report import draw_figures
from nuzoo.evaluation.tasks.event_classification.results import classification_results
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE


def report_cross_validation(
    logits: NDArray[np.float64], rows: Dataset, folds: int, out: Path, sample: str | None = None
) -> dict[str, Any]:
    """Writes results, predictions and figures of pooled held-out folds.

    Args:
        logits: (n, C), in the order of the rows.
        rows: Labelled pixel-map rows.
        folds: How many.
        out: Folder.
        sample: What the events are called; needed unless all are our simulation.

    Returns:
        The contents of `results.json`: as of `evaluate_classifier`, without model and cost.
    """
    class_names = rows.features["label"].names
    labels, energy = true_labels(rows), true_energy(rows)
    measured = classification_results(
        logits, labels, class_names, energy=energy if np.isfinite(energy).any() else None
    )
    measured["calibration"]["temperature"] = {"value": 1.0, "error": None, "fitted_on": "not fitted"}
    results = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "class_names": class_names,
        "dataset": describe_dataset(rows, class_names, sample),
        "folds": folds,
        **measured,
    }
    predictions = Predictions(list(rows["event_id"]), labels, logits, energy)
    out.mkdir(parents=True, exist_ok=True)
    write_predictions(out / PREDICTIONS_FILE, predictions, 1.0)
    write_results(out / RESULTS_FILE, results)
    draw_figures(results, predictions, out)
    return results
