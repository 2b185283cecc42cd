"""One event: interaction and transport. What a detector records of it, its readout says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.event_classes import EVENT_CLASSES
from nuzoo.simulation.deposited import Placed
from nuzoo.simulation.detectors import Detector
from nuzoo.simulation.event_types import Interaction, Transported
from nuzoo.simulation.interactions import Spectrum, sample_interaction
from nuzoo.simulation.random_numbers import random_numbers_in_volume
from nuzoo.simulation.transport import Volume, transport
from nuzoo.simulation.transport.settings import TransportSettings


@dataclass(frozen=True)
class SimulatedEvent:
    """One event with its truth.

    Attributes:
        detector: Where it happened.
        interaction: What happened in the nucleus; None where only its deposits are known.
        vertex: float64 (3,), cm; where the first deposit begins where no other is known.
        transported: Energy deposits and the particles that made them.
        rng: The event's random numbers as transport left them: noise is drawn from a copy.
    """

    detector: Detector
    interaction: Interaction | None
    vertex: NDArray[np.float64]
    transported: Transported
    rng: np.random.Generator

    @property
    def label(self) -> int | None:
        """The event's number in `EVENT_CLASSES`; None without truth, and for tau neutrinos' CC."""
        if self.interaction is None:
            return None
        flavour = {12: "nue_cc", 14: "numu_cc"}.get(abs(self.interaction.neutrino_pdg))
        name = flavour if self.interaction.is_cc else "nc"
        return None if name is None else EVENT_CLASSES.index(name)


def simulate_event(seed: int, index: int, detector: Detector, spectrum: Spectrum) -> SimulatedEvent:
    """Simulate event `index` of seed `seed`.

    Its random numbers depend on these two alone: the event is the same in whatever process or order it is
    made.

    Args:
        seed: Names a sample, 0 or more.
        index: Which event of it, 0 or more.
        detector: Where it happens.
        spectrum: Which neutrinos come.

    Raises:
        DetectorError: The detector's volume is not described.
    """
    rng = random_numbers_in_volume(detector, seed, index)
    vertex = rng.uniform(detector.vertex_low, detector.vertex_high)
    return _transported(rng, detector, vertex, sample_interaction(rng, spectrum))


def simulate_interaction(
    seed: int, index: int, detector: Detector, interaction: Interaction
) -> SimulatedEvent:
    """Transport an interaction that another generator made, as event `index` of seed `seed`.

    It happens anywhere in the box of vertices, each place alike; its neutrino comes along +z.

    Args:
        seed: Names a sample, 0 or more.
        index: Which event of it, 0 or more.
        detector: Where it happens.
        interaction: What leaves the nucleus.

    Raises:
        DetectorError: The detector's volume is not described.
    """
    rng = random_numbers_in_volume(detector, seed, index)
    return _transported(rng, detector, rng.uniform(detector.vertex_low, detector.vertex_high), interaction)


def record_deposits(seed: int, index: int, detector: Detector, deposits: Placed) -> SimulatedEvent:
    """Take deposits that another transport made for event `index` of seed `seed`: its noise is drawn from it.

    Their neutrino is told where one interacted in the detector alone.

    Args:
        seed: Names a sample, 0 or more.
        index: Which event of it, 0 or more.
        detector: It records them.
        deposits: In the detector.

    Raises:
        DetectorError: The detector's volume is not described.
    """
    rng = random_numbers_in_volume(detector, seed, index)
    only = deposits.truth.alone(detector.low, detector.high)
    interaction, vertex = (only.interaction, only.position) if only else (None, deposits.first)
    return SimulatedEvent(detector, interaction, vertex, deposits.transported, rng)


def _transported(
    rng: np.random.Generator, detector: Detector, vertex: NDArray[np.float64], interaction: Interaction
) -> SimulatedEvent:
    transported = transport(
        rng,
        interaction.pdg,
        interaction.momentum,
        vertex,
        detector.material,
        Volume(detector.low, detector.high),
        settings=TransportSettings(magnetic_field=detector.magnetic_field),
    )
    return SimulatedEvent(detector, interaction, vertex, transported, rng)
