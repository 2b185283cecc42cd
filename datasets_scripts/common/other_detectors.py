"""Events of another detector than a model is made for, given to it knowingly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.simulation.detectors import Detector, find_detector
from nuzoo.simulation.errors import DetectorError

SAME = ("views", "height", "width", "positions")
"""What of a geometry decides what the numbers of a row mean."""

PITCHES = ("pixel_pitch_mm", "pitch_mm")


class OtherDetectors:
    """Gives rows of any detector whose events have the form that a model reads as those of its own.

    Args:
        made_for: The geometry that the model is made for: `detector`, and what of `SAME` there is.

    Attributes:
        events: How many there were of each other detector.
    """

    def __init__(self, made_for: Mapping[str, Any]) -> None:
        self.made_for = made_for
        self.events: Counter[str] = Counter()

    def taken(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield the rows.

        Raises:
            DetectorError: Maps of other views or of another size, or positions in another unit.
        """
        own = self.made_for["detector"]
        for row in rows:
            if own is not None and row["detector"] != own:
                if row["detector"] not in self.events:
                    self._check(find_detector(row["detector"]))
                self.events[row["detector"]] += 1
                row = row | {"detector": own}
            yield row

    def told(self) -> Iterator[str]:
        """Say what was done, a line for each detector."""
        for name, events in self.events.items():
            yield (
                f"warning: events of {name} {_pitches(find_detector(name).geometry())}: {events:,}, given to "
                f"a model for {self.made_for['detector']} {_pitches(self.made_for)}: what it says of them is "
                "no measurement"
            )

    def _check(self, detector: Detector) -> None:
        geometry = detector.geometry()
        for name in SAME:
            expected, got = self.made_for.get(name), geometry.get(name)
            if expected != got:
                raise DetectorError(
                    f"events of {detector.name}: expected {name} {_said(expected)}, as of "
                    f"{self.made_for['detector']}, got {_said(got)}: take a detector of that form with "
                    "--detector (`nuzoo detectors`), or another model"
                )


def _said(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "none" if value is None else f"{value}"


def _pitches(geometry: Mapping[str, Any]) -> str:
    """Say how large pixels or voxels are."""
    pitch = next((geometry[name] for name in PITCHES if geometry.get(name)), None)
    if pitch is None:
        return "(of unknown pixels)"
    sides = pitch[0] if isinstance(pitch[0], list | tuple) else pitch
    return f"({' × '.join(f'{side:g}' for side in sides)} mm)"
