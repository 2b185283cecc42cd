"""Numbers that change while a training goes on, by the part of it that is done."""

import math
from collections.abc import Sequence


def warmed(ends: Sequence[float], warmup: float, progress: float) -> float:
    """Go straight from one number to another during the first part of a training, and stay.

    Args:
        ends: The number at the beginning, and that after the warm-up.
        warmup: A part of the training, from 0 to 1.
        progress: The part that is done, from 0 to 1.
    """
    start, end = ends
    return end if progress >= warmup else start + (end - start) * progress / warmup


def cosine(ends: Sequence[float], progress: float) -> float:
    """Go from one number to another along half a period of a cosine; see `warmed`."""
    start, end = ends
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2
