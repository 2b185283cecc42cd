"""How well momenta and starts of instances are told: errors of matched pairs, and their quantiles.

The error of a momentum is p / true p - 1, that of a start its distance from the true one in mm. Quantiles are
those of the pairs of all events together, by the inverse of the empirical distribution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nuzoo.evaluation.core.bootstrap import ONE_SIGMA
from nuzoo.evaluation.core.event_quantiles import EventValues
from nuzoo.evaluation.tasks.particle_segmentation.overlaps import EventOverlap, Floats, Ints

TAIL = (1 - ONE_SIGMA) / 2


@dataclass(frozen=True)
class ToldNumbers:
    """What is told of found instances, and what is true of those that there are.

    Attributes:
        told: Of each event (found, ...).
        true: Of each event (rows of its table of instances, ...), NaN where it is not known.
    """

    told: Sequence[Floats]
    true: Sequence[Floats]

    def pairs(self, events: Sequence[EventOverlap]) -> tuple[Floats, Floats, Ints]:
        """Give what is told and what is true of matched pairs of which it is known, and their events."""
        told, true, event = [], [], []
        for number, (overlap, of, known) in enumerate(zip(events, self.told, self.true, strict=True)):
            row, column = overlap.pairs
            right = known[overlap.true_ids[row]]
            is_known = np.isfinite(right).all(axis=tuple(range(1, right.ndim)))
            told.append(of[column][is_known])
            true.append(right[is_known])
            event.append(np.full(is_known.sum(), number))
        return np.concatenate(told), np.concatenate(true), np.concatenate(event)


def momentum_errors(momentum: ToldNumbers, events: Sequence[EventOverlap]) -> EventValues:
    """Compare momenta (instances,) in one unit; those of 0 are not known."""
    told, true, event = momentum.pairs(events)
    known = true > 0
    return EventValues.of(told[known] / true[known] - 1, event[known])


def start_errors(start: ToldNumbers, events: Sequence[EventOverlap]) -> EventValues:
    """Compare starts (instances, 3) in mm."""
    told, true, event = start.pairs(events)
    return EventValues.of(np.linalg.norm(told - true, axis=1), event)


COMPARED = {"momentum": momentum_errors, "start": start_errors}


def regression_scores(errors: Mapping[str, EventValues], weights: Floats) -> dict[str, Floats]:
    """Compute the scores of what is told.

    Args:
        errors: By what they are of, see `COMPARED`.
        weights: (..., events).

    Returns:
        (...) by name: `momentum_bias`, the median error; `momentum_resolution`, half the width of the central
        68.27 %; `start_median` and `start_containment`, distances that half and 68.27 % are within, mm.
    """
    scores: dict[str, Floats] = {}
    if "momentum" in errors:
        low, middle, high = errors["momentum"].quantiles(weights, (TAIL, 0.5, 1 - TAIL))
        scores |= {"momentum_bias": middle, "momentum_resolution": (high - low) / 2}
    if "start" in errors:
        middle, most = errors["start"].quantiles(weights, (0.5, ONE_SIGMA))
        scores |= {"start_median": middle, "start_containment": most}
    return scores
