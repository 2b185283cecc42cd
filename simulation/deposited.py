"""Energy deposits that another transport made: put into a detector of ours, for its response alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.detectors import Detector
from nuzoo.simulation.event_types import Deposits, EnergyBudget, ParticleTable, SemanticClass, Transported
from nuzoo.simulation.known_truth import KnownParticles, KnownTruth

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
class Placed:
    """Deposits in a detector.

    Attributes:
        transported: What of them is inside.
        first: float64 (3,), where the first of them begins, cm; the middle of the detector without any.
        outside: How many are outside altogether.
        truth: What else is known of them: of interactions that the detector can know of.
    """

    transported: Transported
    first: NDArray[np.float64]
    outside: int
    truth: KnownTruth = field(default_factory=KnownTruth)


def placed(
    segments: Segments, detector: Detector, *, centred: bool, truth: KnownTruth | None = None
) -> Placed:
    """Put deposits into a detector.

    Segments that cross its walls keep the share of their energy that is inside.

    Args:
        segments: In any frame with the axes of the detector.
        detector: It records them.
        centred: Whether the middle of the box around them is moved to the middle of the detector; they stay
            where they are otherwise.
        truth: What else is known of them, in their frame; its particles are all of theirs.
    """
    low, high = np.array(detector.low), np.array(detector.high)
    middle, truth = (low + high) / 2, truth or KnownTruth()
    if centred and len(segments.energy):
        ends = np.concatenate([segments.start, segments.end])
        shift = middle - (ends.min(axis=0) + ends.max(axis=0)) / 2
        segments = replace(segments, start=segments.start + shift, end=segments.end + shift)
        truth = truth.moved(shift)
    inside = cut_to_box(segments, low, high)
    first = inside.start[0] if len(inside.energy) else middle
    truth = truth.seen(low, high, inside.track)
    transported = _transported(inside, truth.particles or _particles_alone(inside))
    return Placed(transported, first, len(segments.energy) - len(inside.energy), truth)


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


def _particles_alone(segments: Segments) -> KnownParticles:
    """Return the particles of deposits; which comes from which, and where they began, is not known."""
    tracks, first = np.unique(segments.track, return_index=True)
    table = ParticleTable(
        pdg=segments.pdg[first],
        parent=np.full(len(tracks), -1, np.int32),
        start=segments.start[first].astype(np.float32),
        momentum=np.full((len(tracks), 3), UNKNOWN, np.float32),
        interaction=np.zeros(len(tracks), np.int32),
    )
    return KnownParticles(tracks, table, np.full(len(tracks), SemanticClass.TRACK, np.uint8))


def _transported(segments: Segments, known: KnownParticles) -> Transported:
    row = known.rows(segments.track)
    deposits = Deposits(
        start=segments.start.astype(np.float32),
        end=segments.end.astype(np.float32),
        energy=segments.energy.astype(np.float32),
        particle=row.astype(np.int32),
        pdg=segments.pdg,
        semantic=known.semantic[row],
        interaction=known.table.interaction[row],
    )
    total = float(segments.energy.sum())
    return Transported(deposits, known.table, EnergyBudget(UNKNOWN, total, UNKNOWN, UNKNOWN, UNKNOWN))
