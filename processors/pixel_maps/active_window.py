"""Where a window of an event's maps lies: over most of its active pixels."""

import numpy as np
from numpy.typing import NDArray


def window_starts(
    event: NDArray[np.int64], position: NDArray[np.int64], events: int, length: int, window: int
) -> NDArray[np.int64]:
    """Place a window on one axis of each event, where it holds the most hits.

    Of several such places it takes the middle one, so that a smaller event lies in the middle. Hits are
    counted, in whole numbers: neither their order nor the other events of a batch move a window.

    Args:
        event: (n,) event of each hit, of all its views.
        position: (n,) its position on the axis, in pixels.
        events: how many there are.
        length: of the axis, in pixels.
        window: of the window, in pixels.

    Returns:
        (events,) first pixel of each window.
    """
    counts = np.bincount(event * length + position, minlength=events * length).reshape(events, length)
    before = np.pad(np.cumsum(counts, axis=1), ((0, 0), (1, 0)))
    held = before[:, window:] - before[:, : length - window + 1]
    most = np.cumsum(held == held.max(axis=1, keepdims=True), axis=1)
    return np.argmax(most >= (most[:, -1:] + 1) // 2, axis=1)
