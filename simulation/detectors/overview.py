"""Detectors side by side, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nuzoo.files.aligned import aligned
from nuzoo.simulation.detectors.detector import Detector

COLUMNS = ("detector", "simulated", "records")


def overview(detectors: Iterable[Detector]) -> Iterator[str]:
    """Give the lines of a table of detectors: whether they can be simulated, and what they record."""
    rows = ((each.name, "yes" if each.has_volume else "no", each.readout.summary()) for each in detectors)
    return aligned([COLUMNS, *rows])
