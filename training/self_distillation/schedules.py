"""Numbers that change while a training goes on, by the part of it that is done."""

import math


def warmed(start: float, end: float, warmup: float, progress: float) -> float:
    """Go straight from `start` to `end` during the first part `warmup` of a training, and stay.

    Args:
        start: At the beginning.
        end: From `warmup` on.
        warmup: A part of the training, from 0 to 1.
        progress: The part that is done, from 0 to 1.
    """
    return end if progress >= warmup else start + (end - start) * progress / warmup


def cosine(start: float, end: float, progress: float) -> float:
    """Go from `start` to `end` along half a period of a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2
