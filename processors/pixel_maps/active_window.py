"""Where a window lies on an axis of maps: over most of the active pixels."""

import numpy as np
from numpy.typing import NDArray


def busiest_start(counts: NDArray[np.int64], window: int) -> int:
    """Give the first pixel of the window that holds most; of several such the middle one.

    Of an even number of such places it is the one before the middle.

    Args:
        counts: (length,) active pixels at each place of the axis.
        window: its length.
    """
    before = np.concatenate([[0], np.cumsum(counts)])
    held = before[window:] - before[: len(counts) - window + 1]
    best = np.flatnonzero(held == held.max())
    return int(best[(len(best) - 1) // 2])
