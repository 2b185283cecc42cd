"""Does what the saliency points to matter? Leave it out, and see how the probability of the answer moves.

The patches of the 3DCal that speak most for the answer are left out; and, as controls, random ones with about
as much energy. If saliency is faithful, the probability falls more than for the controls.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.events import columns_read
from nuzoo.evaluation.core.results import Number
from nuzoo.evaluation.explain.detector_events.saliency import PatchSaliency
from nuzoo.evaluation.explain.faithfulness import CLEAR, CONTROLS, LEAST_EVENTS, MATCHED
from nuzoo.evaluation.tasks.event_reconstruction.evaluate import reconstruct

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

Bools = NDArray[np.bool_]

PART = 0.1
"""Of the patches of an event, those that are left out."""


@dataclass(frozen=True)
class Faithfulness:
    """How the probability of the answer falls, and by how much more than for controls.

    Attributes:
        events: That have something to leave out, and a control.
        salient: Mean fall where salient patches are left out.
        control: Where random ones are.
        difference: Of the two, paired event by event.
    """

    events: int
    salient: Number
    control: Number
    difference: Number

    @property
    def conclusion(self) -> str:
        """In words."""
        value, error = self.difference.value, self.difference.error
        if self.events < LEAST_EVENTS or value is None or not error:
            return f"{self.events} events are too few to judge the saliency by"
        if abs(value) < CLEAR * error:
            return (
                "leaving salient patches out matters no more than leaving out random ones of as much energy"
            )
        more = "more" if value > 0 else "less"
        return f"leaving salient patches out matters {more} than leaving out random ones of as much energy"


def salient_hits(saliency: PatchSaliency) -> Bools:
    """Choose the hits of the patches that add most to the logit of the answer, bool (hits,)."""
    number = max(1, round(PART * len(saliency.contribution)))
    best = np.argsort(-saliency.contribution, kind="stable")[:number]
    return np.isin(saliency.patch, best[saliency.contribution[best] > 0])


def control_hits(saliency: PatchSaliency, energy: NDArray[Any], chosen: Bools, seed: int) -> list[Bools]:
    """Choose hits of random other patches, of about as much energy as some.

    Args:
        saliency: Of the event.
        energy: Of each hit (hits,).
        chosen: The hits that are compared with.
        seed: Of the draws.

    Returns:
        At most `CONTROLS`, each bool (hits,), of `MATCHED` to 1 / `MATCHED` of the energy; none where the
        event has no such.
    """
    wanted, rng = energy[chosen].sum(), np.random.default_rng(seed)
    others = np.setdiff1d(saliency.patch[~chosen], saliency.patch[chosen])
    others = others[others >= 0]
    inside = np.bincount(saliency.patch[saliency.patch >= 0], energy[saliency.patch >= 0])
    found = []
    for _ in range(CONTROLS):
        taken, total = [], 0.0
        for patch in rng.permutation(others):
            if total + inside[patch] <= wanted / MATCHED:
                taken.append(patch)
                total += inside[patch]
        if total >= MATCHED * wanted > 0:
            found.append(np.isin(saliency.patch, taken))
    return found


def measure_deletion(
    model: PreTrainedModel,
    processor: EventProcessor,
    rows: Sequence[Mapping[str, Any]],
    saliencies: Sequence[PatchSaliency],
    *,
    batch_size: int,
    replicas: int,
    seed: int,
) -> Faithfulness | None:
    """Leave out what saliency points to, and controls; None where no event has both.

    Args:
        model: Reconstructs events.
        processor: Its processor.
        rows: Events.
        saliencies: Of each event.
        batch_size: Events per batch.
        replicas: Of the bootstrap.
        seed: Of the bootstrap and of the controls.
    """
    altered, owner = [], []
    for number, (row, saliency) in enumerate(zip(rows, saliencies, strict=True)):
        chosen = salient_hits(saliency)
        controls = control_hits(saliency, np.asarray(row["cal_energy"]), chosen, seed + number)
        if chosen.any() and controls:
            altered += [row, *(_without(row, hits) for hits in (chosen, *controls))]
            owner += [number] * (2 + len(controls))
    if not altered:
        return None
    columns = [name for name in columns_read(processor) if name in altered[0]]
    dataset = Dataset.from_list([{name: row[name] for name in columns} for row in altered])
    found, _ = reconstruct(model, processor, dataset, batch_size=batch_size, description="leave patches out")
    score = probabilities(found["flavour_logits"], float(model.config.temperature))
    answered = score[np.arange(len(owner)), [saliencies[number].flavour for number in owner]]
    falls = [answered[first] - answered[first + 1 : last] for first, last in _runs(owner)]
    pairs = np.array([(fall[0], fall[1:].mean()) for fall in falls])

    def statistic(weights: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        salient, control = (weights @ pairs / weights.sum(axis=-1, keepdims=True)).T
        return {"salient": salient, "control": control, "difference": salient - control}

    return Faithfulness(events=len(pairs), **bootstrap(statistic, len(pairs), replicas, seed))


def _without(row: Mapping[str, Any], hits: Bools) -> dict[str, Any]:
    """Leave hits of the 3DCal out."""
    kept = ~hits
    names = ("cal_x", "cal_y", "cal_z", "cal_energy")
    return {**row, **{name: np.asarray(row[name])[kept].tolist() for name in names}}


def _runs(owner: Sequence[int]) -> list[tuple[int, int]]:
    """Give where the rows of each event begin and end."""
    starts = [place for place, one in enumerate(owner) if not place or owner[place - 1] != one]
    return list(zip(starts, [*starts[1:], len(owner)], strict=True))
