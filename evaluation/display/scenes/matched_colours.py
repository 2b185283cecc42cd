"""One colour for what is true and what was found of it, so that two pictures of an event can be compared."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.display.scenes.scene import COLOURS, NONE, Colouring


def coloured_alike(true: Colouring, found: Colouring, energy: NDArray[np.float64]) -> Colouring:
    """Give what was found the colours of what it overlaps with.

    Pairs are chosen as one whole: those with the largest sum of shared energy over joint energy. What is not
    part of a pair takes colours that no pair has, as long as there are some.

    Args:
        true: With the colours that are taken over.
        found: Of the same points.
        energy: Of each point (n,).

    Returns:
        `found` with colours.
    """
    from scipy.optimize import linear_sum_assignment

    size = len(true.labels), len(found.labels)
    shared = np.bincount(true.codes * size[1] + found.codes, weights=energy, minlength=size[0] * size[1])
    shared = shared.reshape(size)
    joint = shared.sum(1, keepdims=True) + shared.sum(0) - shared
    likeness = np.divide(shared, joint, out=np.zeros(size), where=joint > 0)
    likeness[np.array([label == NONE for label in true.labels], dtype=bool)] = 0
    likeness[:, np.array([label == NONE for label in found.labels], dtype=bool)] = 0
    known = {code: entry.colour for entry in true.legend(energy) for code in entry.codes}
    pairs = zip(*linear_sum_assignment(likeness, maximize=True), strict=True)
    colours = {found.labels[two]: known[one] for one, two in pairs if likeness[one, two] > 0}
    free = cycle([colour for colour in COLOURS if colour not in colours.values()] or COLOURS)
    others = [label for label in found.labels if label not in colours and label != NONE]
    return replace(found, colours=colours | dict(zip(others, free, strict=False)))
