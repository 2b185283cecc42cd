"""How medians of residuals move where all energies are off by the same factor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.core.results import Number
from nuzoo.evaluation.explain.detector_events.altered_inputs import AlteredProcessor, scaled_energies
from nuzoo.evaluation.tasks.event_reconstruction.evaluate import predictions_of, reconstruct
from nuzoo.evaluation.tasks.event_reconstruction.predictions import EventPredictions
from nuzoo.evaluation.tasks.event_reconstruction.residuals import QUANTITIES, compare

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

Floats = NDArray[np.float64]

FACTORS = (0.90, 0.95, 0.98, 1.0, 1.02, 1.05, 1.10)
"""Of the energies of the 3DCal, the AHCAL and the ECAL (±10 %, as in arXiv 2604.07037)."""


def scan_energies(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, weight: Floats, batch_size: int
) -> dict[float, EventPredictions]:
    """Reconstruct events with energies times each of `FACTORS`; for the arguments see `ablate`."""
    found = {}
    for factor in FACTORS:
        altered: Any = AlteredProcessor(processor, scaled_energies(processor, factor))
        what = f"energies × {factor:g}"
        outputs, _ = reconstruct(model, altered, rows, batch_size=batch_size, description=what)
        found[factor] = predictions_of(rows, outputs, weight)
    return found


def median_shifts(
    predictions: Mapping[float, EventPredictions], replicas: int, seed: int
) -> dict[str, list[Number]]:
    """Compute the changes of the median fractional errors, paired event by event.

    Args:
        predictions: By the factor of the energies; that of 1 is what others are compared with.
        replicas: Of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        By name of `QUANTITIES`, one for each factor.
    """
    weight = predictions[1.0].weight
    errors = [{name: values.errors() for name, values in compare(of).items()} for of in predictions.values()]
    nominal = list(predictions).index(1.0)

    def statistic(drawn: Floats) -> dict[str, Floats]:
        weights, shifts = drawn * weight, {}
        for name in QUANTITIES:
            medians = [of[name].quantiles(weights, (0.5,))[0] for of in errors]
            shifts[name] = np.stack([median - medians[nominal] for median in medians], axis=-1)
        return shifts

    return bootstrap(statistic, len(weight), replicas, seed)
