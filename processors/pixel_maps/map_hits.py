"""Hits of the maps of a batch of events."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class MapHits:
    """The hits (n,) of a batch of events.

    Attributes:
        events: How many.
        map: Which map of all: event times views plus view.
        row: Of the raw map.
        column: Of the raw map.
        energy: MeV.
    """

    events: int
    map: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    energy: NDArray[np.float32]
