"""What deposits of any format must be."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nuzoo.datasets_scripts.sources.errors import ImpossibleEnergyError, NoParticlesError, OtherUnitsError
from nuzoo.simulation.deposited import Segments

SEGMENTS_THAT_TELL = 1 << 16
"""The first of them tell the units of the file."""

LEAST_DEDX, MOST_DEDX = 0.5, 50.0
"""MeV/cm, of all energy on all length: liquids and solids are between; mm taken for cm are a tenth."""


def usable(where: str, segments: Segments) -> Segments:
    """Return the segments of an event that have energy.

    Args:
        where: Names the event in errors.
        segments: All of it.

    Raises:
        ImpossibleEnergyError: Some of them cannot be.
        NoParticlesError: There are none.
    """
    values = np.column_stack([segments.start, segments.end, segments.energy])
    if not np.isfinite(values).all():
        expected, remedy = "positions and energies that are numbers", "correct it, or leave the event out"
        raise ImpossibleEnergyError(where, expected, "NaN or infinity", remedy)
    if len(segments.energy) and (least := segments.energy.min()) < 0:
        remedy = "correct it, or leave the event out"
        raise ImpossibleEnergyError(where, "energies of 0 and more", f"{least:g} MeV", remedy)
    segments = segments[segments.energy > 0]
    if not len(segments.energy):
        raise NoParticlesError(where, "deposits of energy", "none", "leave the event out")
    return segments


def dedx(segments: Segments) -> float:
    """Return the energy of segments on their length, MeV/cm; NaN without any length."""
    length = np.linalg.norm(segments.end - segments.start, axis=1).sum()
    return float(segments.energy.sum() / length) if length else float("nan")


def check_units(path: Path, found: float, units: str) -> None:
    """Compare the energy of the first segments of a file with their length.

    Args:
        path: Of the file.
        found: See `dedx`.
        units: That the file should have.

    Raises:
        OtherUnitsError: No liquid or solid has so little or so much.
    """
    if not LEAST_DEDX < found < MOST_DEDX and np.isfinite(found):
        got = f"{found:.3g} MeV/cm, where liquids and solids have {LEAST_DEDX:g} to {MOST_DEDX:g}"
        raise OtherUnitsError(path, units, got, "scale them")
