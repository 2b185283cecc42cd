"""Energy deposits that another transport made: put into a detector of ours, for its response alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.detectors import Detector
from nuzoo.simulation.event_types import (
    Deposits,
    EnergyBudget,
    Interaction,
    ParticleTable,
    SemanticClass,
    Transported,
)

UNKNOWN = float("nan")


@dataclass(frozen=True)
class Segments:
    """Straight segments with the energy that is left on them.

    Attributes:
        start: float64 (n, 3), cm.
        end: float64 (n, 3), cm.
        energy: float64 (n,), MeV.
        track: int64 (n,), number of the particle that left it.
        pdg: int32 (n,), its PDG code.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    energy: NDArray[np.float64]
    track: NDArray[np.int64]
    pdg: NDArray[np.int32]

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Segments:
        return Segments(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class KnownVertex:
    """What made deposits.

    Attributes:
        interaction: What happened in the nucleus.
        position: float64 (3,), where, cm.
    """

    interaction: Interaction
    position: NDArray[np.float64]


@dataclass(frozen=True)
class Placed:
    """Deposits in a detector.

    Attributes:
        transported: What of them is inside.
        first: float64 (3,), where the first of them begins, cm; the middle of the detector without any.
        outside: How many are outside altogether.
        vertex: What made them; None where that is not known, or happened outside.
    """

    transported: Transported
    first: NDArray[np.float64]
    outside: int
    vertex: KnownVertex | None = None


def placed(
    segments: Segments, detector: Detector, *, centred: bool, vertex: KnownVertex | None = None
) -> Placed:
    """Put deposits into a detector.

    Segments that cross its walls keep the share of their energy that is inside.

    Args:
        segments: In any frame with the axes of the detector.
        detector: It records them.
        centred: Whether the middle of the box around them is moved to the middle of the detector; they stay
            where they are otherwise.
        vertex: What made them, in their frame.
    """
    low, high = np.array(detector.low), np.array(detector.high)
    middle, shift = (low + high) / 2, np.zeros(3)
    if centred and len(segments.energy):
        ends = np.concatenate([segments.start, segments.end])
        shift = middle - (ends.min(axis=0) + ends.max(axis=0)) / 2
        segments = replace(segments, start=segments.start + shift, end=segments.end + shift)
    inside = cut_to_box(segments, low, high)
    first = inside.start[0] if len(inside.energy) else middle
    if vertex is not None:
        vertex = replace(vertex, position=vertex.position + shift)
        if not ((low <= vertex.position) & (vertex.position <= high)).all():
            vertex = None
    return Placed(_as_transported(inside), first, len(segments.energy) - len(inside.energy), vertex)


def cut_to_box(segments: Segments, low: NDArray[np.float64], high: NDArray[np.float64]) -> Segments:
    """Keep what of segments is in a box, with its share of the energy."""
    way = segments.end - segments.start
    with np.errstate(divide="ignore", invalid="ignore"):
        walls = np.stack([(low - segments.start) / way, (high - segments.start) / way])
    is_between = (segments.start >= low) & (segments.start <= high)
    along = way != 0
    enter = np.where(along, walls.min(axis=0), np.where(is_between, -np.inf, np.inf)).max(axis=1)
    leave = np.where(along, walls.max(axis=0), np.where(is_between, np.inf, -np.inf)).min(axis=1)
    enter, leave = np.maximum(enter, 0.0), np.minimum(leave, 1.0)
    is_point = ~along.any(axis=1)
    kept = np.where(is_point, is_between.all(axis=1), leave > enter)
    share = np.where(is_point, 1.0, leave - enter)[kept]
    part, way = segments[kept], way[kept]
    start = part.start + np.where(is_point, 0.0, enter)[kept][:, None] * way
    end = part.start + np.where(is_point, 0.0, leave)[kept][:, None] * way
    return replace(
        part, start=np.clip(start, low, high), end=np.clip(end, low, high), energy=part.energy * share
    )


def _as_transported(segments: Segments) -> Transported:
    """Return deposits and their particles; which belongs to which, and where they began, is not known."""
    tracks, first, row = np.unique(segments.track, return_index=True, return_inverse=True)
    pdg = segments.pdg[first]
    deposits = Deposits(
        start=segments.start.astype(np.float32),
        end=segments.end.astype(np.float32),
        energy=segments.energy.astype(np.float32),
        particle=row.astype(np.int32),
        pdg=segments.pdg,
        semantic=np.full(len(row), SemanticClass.TRACK, np.uint8),  # each particle is its own group
        interaction=np.zeros(len(row), np.int32),
    )
    particles = ParticleTable(
        pdg=pdg,
        parent=np.full(len(tracks), -1, np.int32),
        start=segments.start[first].astype(np.float32),
        momentum=np.full((len(tracks), 3), UNKNOWN, np.float32),
        interaction=np.zeros(len(tracks), np.int32),
    )
    total = float(segments.energy.sum())
    return Transported(deposits, particles, EnergyBudget(UNKNOWN, total, UNKNOWN, UNKNOWN, UNKNOWN))
