"""What displays in space show: points with energy, and everything that they can be coloured by.

A modality turns its rows into scenes; the figure and the page of a scene know nothing of modalities. Hits
of several parts of a detector are points of one scene, with the part as one of its colourings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.evaluation.core.style import PALETTE

Positions = NDArray[np.float64]

TOL = ("#F0E442", "#AA4499", "#44AA99", "#999933", "#88CCEE", "#CC6677", "#882255", "#117733", "#DDCC77")
COLOURS = (*PALETTE, *TOL, "#8C564B", "#B07AA1", "#FF9DA7", "#4B6CB7", "#A6D854")
"""The palette of all figures; for longer lists muted colours of Paul Tol (SRON/EPS/TN/09-002), and more."""

NEUTRAL = "#999999"
"""Colour of what belongs to no class, and of the rest of a long list."""

NONE = "none"
"""Label of what belongs to no class."""

LONGEST_LEGEND = 20
"""Entries of a legend; of more classes those with most energy have one, and the rest shares the last."""


@dataclass(frozen=True)
class Entry:
    """An entry of a legend.

    Attributes:
        name: For people.
        colour: Hexadecimal.
        codes: Numbers of the labels that it stands for.
    """

    name: str
    colour: str
    codes: tuple[int, ...]


@dataclass(frozen=True)
class Colouring:
    """One way to sort the points of a scene into classes.

    Attributes:
        name: What is sorted by, for people.
        labels: Of the classes, each another one.
        codes: Number of the label of each point (n,).
        colours: By label; other labels get the colours in turn.
        in_figure: Whether it is drawn in print.
    """

    name: str
    labels: tuple[str, ...]
    codes: NDArray[np.int64]
    colours: Mapping[str, str] = field(default_factory=dict)
    in_figure: bool = False

    def legend(self, energy: NDArray[np.float64]) -> list[Entry]:
        """Give the entries of the labels that points have, in their order, and one of all beyond the limit.

        Args:
            energy: Of each point (n,), decides which labels have an entry of their own.
        """
        size = len(self.labels)
        inside = np.bincount(self.codes, weights=energy, minlength=size)
        present = np.flatnonzero(np.bincount(self.codes, minlength=size))
        if len(present) <= LONGEST_LEGEND:
            own = present
        else:
            own = np.sort(present[np.argsort(-inside[present], kind="stable")[: LONGEST_LEGEND - 1]])
        entries = [
            Entry(self.labels[code], self._colour(self.labels[code], turn), (int(code),))
            for turn, code in enumerate(own)
        ]
        if len(rest := np.setdiff1d(present, own)):
            entries.append(Entry(f"{len(rest)} others", NEUTRAL, tuple(rest.tolist())))
        return entries

    def _colour(self, label: str, turn: int) -> str:
        return self.colours.get(label, NEUTRAL if label == NONE else COLOURS[turn % len(COLOURS)])


@dataclass(frozen=True)
class Mark:
    """A place of its own, such as a vertex.

    Attributes:
        name: For people.
        position: cm (3,).
        kind: What marks of one look are.
    """

    name: str
    position: Positions
    kind: str = "vertex"


@dataclass(frozen=True)
class Box:
    """A part of the detector, shown by its edges.

    Attributes:
        name: For people; boxes of one name belong together.
        low: Lower corner, cm (3,).
        high: Upper corner.
        colour: Of its edges on a dark page.
    """

    name: str
    low: Positions
    high: Positions
    colour: str


@dataclass(frozen=True)
class Trail:
    """A line through a scene, such as a track that was fitted.

    Attributes:
        name: For people.
        places: Along it, cm (k, 3).
    """

    name: str
    places: Positions


@dataclass(frozen=True)
class Scene:
    """An event in space.

    Attributes:
        name: Of the event.
        detector: That saw it.
        tag: What kind of events these are.
        position: Middle of each point along x, y and z, cm (n, 3).
        energy: Of each point, MeV (n,).
        low: Lower corner of the detector, cm (3,).
        high: Its upper corner.
        pitch: Edges of the cells that the points fill, cm (3,).
        colourings: What the points can be coloured by, besides energy.
        marks: Places of their own.
        boxes: Parts of the detector; without any the whole of it is one.
        trails: Lines of their own.
        facts: Title and value of what is known of the event; the value of "class" is the name of one.
        prediction: What a model says of the whole event, {"label", "scores"}.
        truth: The class of the whole event.
    """

    name: str
    detector: str
    tag: str
    position: Positions
    energy: NDArray[np.float64]
    low: Positions
    high: Positions
    pitch: Positions
    colourings: tuple[Colouring, ...] = ()
    marks: tuple[Mark, ...] = ()
    boxes: tuple[Box, ...] = ()
    trails: tuple[Trail, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    prediction: Mapping[str, Any] | None = None
    truth: str | None = None

    def window(self, margin: float, least: float) -> tuple[Positions, Positions]:
        """Give the cube around all points; the whole detector's if there are none.

        Args:
            margin: Space on each side, in units of the longest extent.
            least: Shortest side, cm.

        Returns:
            Its lower and upper corner, cm (3,).
        """
        ends = (self.low, self.high)
        if len(self.position):
            ends = (self.position.min(axis=0) - self.pitch / 2, self.position.max(axis=0) + self.pitch / 2)
        middle = (ends[0] + ends[1]) / 2
        half = max(least, (1 + 2 * margin) * float(np.max(ends[1] - ends[0]))) / 2
        return middle - half, middle + half
