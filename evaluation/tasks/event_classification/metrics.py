"""The metrics as an `evaluate.Metric`, which needs no network: probabilities and classes in, numbers out.

It holds no formulas: those are in `nuzoo.evaluation.core`. Importing this module imports `evaluate`, which
takes seconds.

    >>> from nuzoo.evaluation.tasks.event_classification.metrics import ClassificationMetrics
    >>> ClassificationMetrics().compute(predictions=[[0.9, 0.1], [0.6, 0.4]], references=[0, 1])["accuracy"]
    0.5
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy as np

from nuzoo.evaluation.core.calibration import reliability
from nuzoo.evaluation.tasks.event_classification.numbers import scores
from nuzoo.evaluation.tasks.event_classification.results import OVERALL


class ClassificationMetrics(evaluate.Metric):
    """Accuracy, macro precision, recall and one-vs-rest AUC, and the expected calibration error."""

    def _info(self) -> evaluate.MetricInfo:
        features = {
            "predictions": datasets.List(datasets.Value("float64")),
            "references": datasets.Value("int64"),
        }
        return evaluate.MetricInfo(
            description=type(self).__doc__ or "",
            citation="",
            inputs_description="predictions: class probabilities (n, classes); references: true classes (n,)",
            features=datasets.Features(features),
        )

    def _compute(self, predictions: Sequence[Sequence[float]], references: Sequence[int]) -> dict[str, Any]:
        probability, labels = np.asarray(predictions), np.asarray(references)
        found = {name: float(value) for name, value in scores(probability, labels).items() if name in OVERALL}
        return found | {"expected_calibration_error": float(reliability(labels, probability).error)}
