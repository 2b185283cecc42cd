"""What a Trainer watches while it learns to reconstruct events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.classification import mean_defined, one_vs_rest_auc
from nuzoo.processors.standardisation import MADN_PER_MAD

if TYPE_CHECKING:
    from transformers import EvalPrediction


def training_metrics(prediction: EvalPrediction) -> dict[str, float]:
    """Compute the metrics for the Trainer, see `TaskEvaluator.training_metrics`.

    Every event counts once. Outputs with one row an event are, in their order, logits of flavour and of
    charm, the momenta p_vis and p_jet in GeV/c, and the vertex in mm; the truth is alike.
    """
    flavour, charm, visible, _, vertex = _rows(prediction.predictions, (2,))[:5]
    true_flavour, true_charm, *vectors = _rows(prediction.label_ids, (1, 2))
    size = np.linalg.norm(vectors[0], axis=1)
    known = size > 0
    error = 1 - np.linalg.norm(visible, axis=1)[known] / size[known]
    found = {
        "flavour_macro_auc": _macro_auc(flavour, true_flavour),
        "charm_macro_auc": _macro_auc(charm, true_charm),
        "e_vis_sigma_mad": MADN_PER_MAD * _median(np.abs(error - _median(error))),
        "vertex_median_mm": _median(np.linalg.norm(vectors[-1] - vertex, axis=1)),
    }
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _rows(arrays: Any, dimensions: tuple[int, ...]) -> list[NDArray[np.float64]]:
    """Take those that have so many dimensions; losses of parts have one."""
    return [np.asarray(one, dtype=np.float64) for one in arrays if np.ndim(one) in dimensions]


def _macro_auc(logits: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    return float(mean_defined(one_vs_rest_auc(labels.astype(np.int64), probabilities(logits))))


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if len(values) else float("nan")
