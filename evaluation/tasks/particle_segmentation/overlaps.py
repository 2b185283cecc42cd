"""How true and found instances of an event overlap, and which of them belong together.

Hits are of three kinds. Those of true instances are *things*. Hits of no instance, such as low-energy
deposits, are known to be of none: what is found there is wrong, and counts. Hits of instances of the class
of background, such as of particles of no class of the network, are *void*: nobody says what should be found
there, so they count in no found instance, and one of which they are more than half is not judged unless it
matches.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MATCHED_ABOVE = 0.5
"""Intersection over union from above which two instances belong together: as neither true nor found ones
overlap among themselves, each then has one partner at most (arXiv 1801.00868)."""

VOID_ABOVE = 0.5
"""Part of a found instance in void hits from above which it is not judged."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EventOverlap:
    """The instances of an event.

    Attributes:
        true_ids: (true,) number of each in the truth.
        shared: (true, found) hits that two have in common.
        true_sizes: (true,) hits of each.
        found_sizes: (found,) of each, without void ones.
        true_labels: (true,) class of most hits of each.
        found_labels: (found,).
        is_judged: bool (found,), whether it is wrong if it matches none.
        claimed: (true or none or void, found) hits of all kinds.
    """

    true_ids: Ints
    shared: Ints
    true_sizes: Ints
    found_sizes: Ints
    true_labels: Ints
    found_labels: Ints
    is_judged: NDArray[np.bool_]
    claimed: Ints

    @property
    def iou(self) -> Floats:
        """Intersections over unions, (true, found)."""
        union = self.true_sizes[:, None] + self.found_sizes - self.shared
        return self.shared / np.maximum(union, 1)

    @property
    def pairs(self) -> tuple[Ints, Ints]:
        """Numbers of true instances, and of those found that belong to them, of any class."""
        true, found = np.nonzero(self.iou > MATCHED_ABOVE)
        return true, found


def overlap_of(
    true: Ints, classes: Ints | None, found: Ints, found_labels: Ints, background: Collection[int]
) -> EventOverlap:
    """Count the overlaps of an event.

    Args:
        true: (hits,) number of the true instance of each, negative for none.
        classes: (hits,) true class of each, negative where that is not known; None where all instances are of
            class 1.
        found: (hits,) number of the found instance from 1, negative for none.
        found_labels: class of each found instance, in the order of their numbers.
        background: classes of true instances that are void.
    """
    instances, row = np.unique(true, return_inverse=True)
    labels = np.ones(len(instances), np.int64) if classes is None else _majority(row, classes, len(instances))
    is_none = instances < 0
    is_void = ~is_none & np.isin(labels, [*background, NO_CLASS])
    is_thing = ~is_none & ~is_void
    number = len(found_labels)
    column = np.where(found < 0, number, found - 1)
    table = np.bincount(row * (number + 1) + column, minlength=len(instances) * (number + 1))
    table = table.reshape(len(instances), number + 1)
    claimed = table[:, :number]
    in_void = claimed[is_void].sum(axis=0)
    size = claimed.sum(axis=0)
    return EventOverlap(
        true_ids=instances[is_thing],
        shared=claimed[is_thing],
        true_sizes=table[is_thing].sum(axis=1),
        found_sizes=size - in_void,
        true_labels=labels[is_thing],
        found_labels=np.asarray(found_labels, dtype=np.int64),
        is_judged=in_void <= VOID_ABOVE * size,
        claimed=claimed,
    )


NO_CLASS = -1
"""Of an instance none of whose hits has a class."""


def _majority(row: Ints, classes: Ints, instances: int) -> Ints:
    """Give the class of most hits of each instance, of as many the lowest."""
    known = classes >= 0
    number = int(classes.max(initial=0)) + 1
    votes = np.bincount(row[known] * number + classes[known], minlength=instances * number)
    votes = votes.reshape(instances, number)
    return np.where(votes.sum(axis=1) > 0, votes.argmax(axis=1), NO_CLASS)
