"""What a reconstruction loses where the tokens of a part of the detector are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.core.results import Number
from nuzoo.evaluation.explain.detector_events.altered_inputs import (
    PARTS,
    WITH_HITS,
    AlteredProcessor,
    without_hits,
    without_token,
)
from nuzoo.evaluation.tasks.event_reconstruction.evaluate import predictions_of, reconstruct
from nuzoo.evaluation.tasks.event_reconstruction.numbers import headline_numbers
from nuzoo.evaluation.tasks.event_reconstruction.predictions import EventPredictions

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

Floats = NDArray[np.float64]

ALL = "all"
"""Name of the reconstruction with every part."""


def ablate(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, weight: Floats, batch_size: int
) -> dict[str, EventPredictions]:
    """Reconstruct events with every part, and without each of `PARTS` in turn.

    Tokens are left out where the parts are joined, with the latents that begin as class tokens of the part.

    Args:
        model: Reconstructs events.
        processor: Its processor.
        rows: Events with truth, of the classes of the network.
        weight: Of each event.
        batch_size: Events per batch.

    Returns:
        Predictions by the name of the part that is left out, `ALL` first.
    """

    def run(processor: Any, what: str) -> EventPredictions:
        found, _ = reconstruct(model, processor, rows, batch_size=batch_size, description=what)
        return predictions_of(rows, found, weight)

    predictions = {ALL: run(processor, "all parts")}
    for part, title in PARTS.items():
        what = f"without {title}"
        if part in WITH_HITS:
            predictions[part] = run(AlteredProcessor(processor, without_hits(part)), what)
        else:
            with without_token(model, part):
                predictions[part] = run(processor, what)
    return predictions


def ablation_numbers(
    predictions: Mapping[str, EventPredictions],
    temperatures: Mapping[str, float],
    replicas: int,
    seed: int,
) -> dict[str, dict[str, Number]]:
    """Compute the headline numbers of each ablation, and their changes, paired event by event.

    Args:
        predictions: See `ablate`.
        temperatures: Of "flavour" and "charm".
        replicas: Of the bootstrap.
        seed: Of the bootstrap.

    Returns:
        By the name of the part and of the number; a change is `<number>_change`.
    """
    weight = predictions[ALL].weight

    def statistic(drawn: Floats) -> dict[str, Floats]:
        weights = drawn * weight
        all_parts = headline_numbers(predictions[ALL], temperatures, weights)
        numbers: dict[str, Floats] = {}
        for part, of in predictions.items():
            found = all_parts if part == ALL else headline_numbers(of, temperatures, weights)
            numbers |= {f"{part} {key}": value for key, value in found.items()}
            numbers |= {f"{part} {key}_change": value - all_parts[key] for key, value in found.items()}
        return numbers

    return _by_part(bootstrap(statistic, len(weight), replicas, seed), list(predictions))


def _by_part(numbers: Mapping[str, Number], parts: Sequence[str]) -> dict[str, dict[str, Number]]:
    return {
        part: {
            key.removeprefix(f"{part} "): number
            for key, number in numbers.items()
            if key.startswith(f"{part} ")
        }
        for part in parts
    }
