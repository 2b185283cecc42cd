"""What a network that reconstructs detector events says of one, for its display."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

FOUND_VERTEX = "found vertex"
"""Of the mark in a scene."""


@dataclass(frozen=True)
class Reconstruction:
    """The answer of `pipeline("neutrino-event-reconstruction")`.

    Attributes:
        flavour: {"label", "score", "scores"}.
        charm: The same of charm.
        vis_momentum: GeV/c (3,).
        jet_momentum: GeV/c (3,).
        vertex: mm (3,).
    """

    flavour: Mapping[str, Any]
    charm: Mapping[str, Any]
    vis_momentum: NDArray[np.float64]
    jet_momentum: NDArray[np.float64]
    vertex: NDArray[np.float64]

    @classmethod
    def of(cls, prediction: Mapping[str, Any] | None) -> Self | None:
        """Read what a model says of an event; None where it is something else than a reconstruction."""
        if prediction is None or "vis_momentum" not in prediction:
            return None
        vectors = (prediction[name]["value"] for name in ("vis_momentum", "jet_momentum", "vertex"))
        read = (np.asarray(vector, dtype=np.float64) for vector in vectors)
        return cls(prediction["flavour"], prediction["charm"], *read)


def whole_event(prediction: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Take out of a prediction {"label", "scores"} of the flavour, or of the whole event; None without."""
    if found := Reconstruction.of(prediction):
        return found.flavour
    return prediction if prediction and "label" in prediction else None
