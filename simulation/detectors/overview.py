"""Detectors side by side, for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nuzoo.files.aligned import aligned
from nuzoo.simulation.detectors.detector import Detector
from nuzoo.simulation.response.pixel_maps import DriftReadout, PixelMapReadout

COLUMNS = ("detector", "views", "rows × columns", "pitch in mm", "drift")


def overview(detectors: Iterable[Detector]) -> Iterator[str]:
    """Give the lines of a table of detectors: what they look like, and how charge drifts in them."""
    return aligned([COLUMNS, *map(_row, detectors)])


def _row(detector: Detector) -> tuple[str, ...]:
    readout = detector.readout
    if not isinstance(readout, PixelMapReadout):
        return (
            detector.name,
            "",
            "",
            "",
            "; ".join(f"{name}: {fact}" for name, fact in readout.facts().items()),
        )
    views = readout.views
    pitches = dict.fromkeys(f"{view.row_pitch_mm:g} × {view.column_pitch_mm:g}" for view in views)
    return (
        detector.name,
        ", ".join(view.name for view in views),
        f"{views[0].rows} × {views[0].columns}",
        ", ".join(pitches),
        _drift(readout),
    )


def _drift(readout: PixelMapReadout) -> str:
    if not isinstance(readout, DriftReadout):
        return "not described: cannot be simulated"
    anodes = ", ".join(f"{anode / 100:g}" for anode in readout.drift.anodes)
    return f"{readout.drift.field:g} kV/cm to x = {anodes} m"
