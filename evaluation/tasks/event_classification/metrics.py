"""The metrics as `evaluate.Metric` classes, which need no network when made directly.

They hold no formulas: those are the functions of `metrics_classification` and `calibration`.
Importing this module imports `evaluate`, which takes seconds.

    >>> from nuzoo.evaluation.tasks.event_classification.metrics import MacroRecall
    >>> MacroRecall().compute(predictions=[0, 1, 1], references=[0, 1, 0])
    {'macro_recall': 0.75}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core import calibration
from nuzoo.evaluation.tasks.event_classification import formulas as formulas

CITATION = ""
CLASS_INPUTS = """
    predictions: predicted classes, int (n,).
    references: true classes, int (n,).
    classes: number of classes; default, the largest class number seen plus one.
"""
SCORE_INPUTS = """
    predictions: class probabilities, float (n, classes).
    references: true classes, int (n,).
"""


class _ClassMetric(evaluate.Metric):
    """A metric of predicted classes."""

    def _info(self) -> evaluate.MetricInfo:
        features = {"predictions": datasets.Value("int64"), "references": datasets.Value("int64")}
        return evaluate.MetricInfo(
            description=type(self).__doc__ or "",
            citation=CITATION,
            inputs_description=CLASS_INPUTS,
            features=datasets.Features(features),
        )


class _ScoreMetric(evaluate.Metric):
    """A metric of class probabilities."""

    def _info(self) -> evaluate.MetricInfo:
        features = {
            "predictions": datasets.List(datasets.Value("float64")),
            "references": datasets.Value("int64"),
        }
        return evaluate.MetricInfo(
            description=type(self).__doc__ or "",
            citation=CITATION,
            inputs_description=SCORE_INPUTS,
            features=datasets.Features(features),
        )


def _confusion(
    predictions: Sequence[int], references: Sequence[int], classes: int | None
) -> NDArray[np.float64]:
    count = classes or int(max(*predictions, *references)) + 1
    return formulas.confusion_counts(references, predictions, count)


class Accuracy(_ClassMetric):
    """Fraction of events whose predicted class is the true one."""

    def _compute(
        self, predictions: Sequence[int], references: Sequence[int], classes: int | None = None
    ) -> dict[str, float]:
        return {"accuracy": float(formulas.accuracy(_confusion(predictions, references, classes)))}


class MacroPrecision(_ClassMetric):
    """Unweighted mean over classes of the purity of the events assigned to the class."""

    def _compute(
        self, predictions: Sequence[int], references: Sequence[int], classes: int | None = None
    ) -> dict[str, float]:
        confusion = _confusion(predictions, references, classes)
        return {"macro_precision": float(formulas.macro_precision(confusion))}


class MacroRecall(_ClassMetric):
    """Unweighted mean over classes of the efficiency to find the class."""

    def _compute(
        self, predictions: Sequence[int], references: Sequence[int], classes: int | None = None
    ) -> dict[str, float]:
        confusion = _confusion(predictions, references, classes)
        return {"macro_recall": float(formulas.macro_recall(confusion))}


class ConfusionMatrix(_ClassMetric):
    """Events by true (row) and predicted (column) class, counted and normalised both ways."""

    def _compute(
        self, predictions: Sequence[int], references: Sequence[int], classes: int | None = None
    ) -> dict[str, Any]:
        confusion = _confusion(predictions, references, classes)
        return {
            "confusion_counts": confusion.astype(int).tolist(),
            "recall_normalised": formulas.recall_normalised(confusion).tolist(),
            "precision_normalised": formulas.precision_normalised(confusion).tolist(),
        }


class OneVsRestAuc(_ScoreMetric):
    """Area under the ROC curve of each class against the others, and their mean."""

    def _compute(self, predictions: Sequence[Sequence[float]], references: Sequence[int]) -> dict[str, Any]:
        area = formulas.one_vs_rest_auc(references, predictions)
        return {"auc": area.tolist(), "macro_auc": float(formulas.macro_auc(area))}


class ExpectedCalibrationError(_ScoreMetric):
    """Mean distance between confidence and accuracy over equal-width bins of confidence."""

    def _compute(
        self,
        predictions: Sequence[Sequence[float]],
        references: Sequence[int],
        bins: int = calibration.ECE_BINS,
    ) -> dict[str, float]:
        error = calibration.expected_calibration_error(references, predictions, bins=bins)
        return {"expected_calibration_error": float(error)}


class EfficiencyPurity(evaluate.Metric):
    """Efficiency and purity of each class in bins of neutrino energy."""

    def _info(self) -> evaluate.MetricInfo:
        features = {
            "predictions": datasets.Value("int64"),
            "references": datasets.Value("int64"),
            "energies": datasets.Value("float64"),
        }
        return evaluate.MetricInfo(
            description=type(self).__doc__ or "",
            citation=CITATION,
            inputs_description=CLASS_INPUTS + "    energies: GeV (n,).\n    edges: GeV.\n",
            features=datasets.Features(features),
        )

    def _compute(
        self,
        predictions: Sequence[int],
        references: Sequence[int],
        energies: Sequence[float],
        edges: Sequence[float],
        classes: int | None = None,
    ) -> dict[str, Any]:
        count = classes or int(max(*predictions, *references)) + 1
        counts = formulas.confusion_counts(
            references,
            predictions,
            count,
            groups=formulas.energy_bin(energies, edges),
            group_count=len(edges) - 1,
        )
        return {
            "efficiency": formulas.recall_per_class(counts).T.tolist(),
            "purity": formulas.precision_per_class(counts).T.tolist(),
        }
