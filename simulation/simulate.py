"""One event, end to end: interaction, transport, detector response."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.detectors import Detector
from nuzoo.simulation.event_types import Interaction, Transported
from nuzoo.simulation.interactions import Spectrum, sample_interaction
from nuzoo.simulation.response import SparseView, pixel_maps
from nuzoo.simulation.transport import Volume, transport


class EventClass(IntEnum):
    """The classes of event classification."""

    NUE_CC = 0
    NUMU_CC = 1
    NC = 2


@dataclass(frozen=True)
class SimulatedEvent:
    """One event with its truth.

    Attributes:
        interaction: What happened in the nucleus.
        vertex: float64 (3,), cm.
        transported: Energy deposits and the particles that made them.
        views: Pixel map of each view.
    """

    interaction: Interaction
    vertex: NDArray[np.float64]
    transported: Transported
    views: dict[str, SparseView]

    @property
    def label(self) -> EventClass | None:
        """The event's class; None for charged currents of tau neutrinos."""
        if not self.interaction.is_cc:
            return EventClass.NC
        return {12: EventClass.NUE_CC, 14: EventClass.NUMU_CC}.get(abs(self.interaction.neutrino_pdg))


def simulate_event(seed: int, index: int, detector: Detector, spectrum: Spectrum) -> SimulatedEvent:
    """Simulates event `index` of seed `seed`.

    Its random numbers depend on these two alone: the event is the same in whatever process or order it is
    made.

    Args:
        seed: Names a sample, 0 or more.
        index: Which event of it, 0 or more.
        detector: Where it happens.
        spectrum: Which neutrinos come.
    """
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, index])))
    vertex = rng.uniform(detector.vertex_low, detector.vertex_high)
    interaction = sample_interaction(rng, spectrum)
    transported = transport(
        rng,
        interaction.pdg,
        interaction.momentum,
        vertex,
        detector.material,
        Volume(detector.low, detector.high),
    )
    views = pixel_maps(rng, transported.deposits, detector, vertex)
    return SimulatedEvent(interaction, vertex, transported, views)
