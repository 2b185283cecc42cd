"""Hits that share a cell of a grid become one point, by a rule that leaves nothing to chance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_POINT = -1
"""`inverse` of a hit that stands for nothing, and is in no point."""

CELLS_PER_AXIS = 2**16
"""The most cells along an axis: three of its numbers and that of an event fit into 63 bits, as serialised
networks need it."""


@dataclass(frozen=True)
class MergedHits:
    """The points that hits became.

    Attributes:
        kept: (points,) the hit that stands for each point, ascending.
        inverse: (hits,) the point of each hit.
        energy: float64 (points,), the sum of the hits' energies.
    """

    kept: NDArray[np.int64]
    inverse: NDArray[np.int64]
    energy: NDArray[np.float64]


def merge_hits(event: NDArray[np.int64], cells: NDArray[np.int64], energy: NDArray[Any]) -> MergedHits:
    """Merge the hits of an event that are in the same cell.

    Their energies are added. The hit of most energy, of equal ones that which comes first, stands for the
    point: it gives position and truth, and its place in the order of hits. Where no two share a cell the
    hits are left as they are.

    Args:
        event: (hits,) number of the event of each.
        cells: (hits, 3) from 0 to below `CELLS_PER_AXIS`.
        energy: (hits,) any unit.
    """
    key = event
    for axis in range(3):
        key = key * CELLS_PER_AXIS + cells[:, axis]
    energy = energy.astype(np.float64)
    ordered = np.sort(key)
    if not (ordered[1:] == ordered[:-1]).any():
        hits = np.arange(len(key))
        return MergedHits(hits, hits, energy)
    order = np.lexsort((-energy, key))
    is_first = np.ones(len(key), dtype=bool)
    is_first[1:] = key[order][1:] != key[order][:-1]
    starts = np.flatnonzero(is_first)
    strongest = order[starts]
    in_order = np.argsort(strongest)
    place = np.empty_like(in_order)
    place[in_order] = np.arange(len(in_order))
    inverse = np.empty(len(key), dtype=np.int64)
    inverse[order] = place[np.cumsum(is_first) - 1]
    return MergedHits(strongest[in_order], inverse, np.add.reduceat(energy[order], starts)[in_order])
