"""Events of several interactions in one volume: where each begins, and what all of them leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.deposited import Placed
from nuzoo.simulation.detectors import Detector
from nuzoo.simulation.event_types import Interaction, Transported
from nuzoo.simulation.random_numbers import random_numbers_in_volume
from nuzoo.simulation.transport import Volume, transport
from nuzoo.simulation.transport.merging import merged
from nuzoo.simulation.transport.settings import TransportSettings

if TYPE_CHECKING:
    from nuzoo.simulation.response.voxels import Voxels


UNKNOWN_KIND = "particles"
"""Of an origin whose kind is not known; what is written of it is null."""


@dataclass(frozen=True)
class Origin:
    """Particles that begin at one point.

    Attributes:
        kind: A name in `INTERACTION_KINDS`.
        vertex: float64 (3,), cm.
        pdg: int32 (n,), PDG codes.
        momentum: float64 (n, 3), MeV/c.
        neutrino: The interaction that they come from, where it is one of a neutrino.
    """

    kind: str
    vertex: NDArray[np.float64]
    pdg: NDArray[np.int32]
    momentum: NDArray[np.float64]
    neutrino: Interaction | None = None


@dataclass(frozen=True)
class SimulatedImage:
    """One event with its truth.

    Attributes:
        detector: Where it happened.
        origins: Its interactions, in the order of their numbers in the deposits; none where only deposits are
            known.
        transported: Energy deposits and the particles that made them.
        rng: The event's random numbers as transport left them: noise is drawn from a copy.
    """

    detector: Detector
    origins: Sequence[Origin]
    transported: Transported
    rng: np.random.Generator

    @cached_property
    def voxels(self) -> Voxels:
        """What energy is in which voxel of its detector, before any is measured."""
        voxels: Voxels = self.detector.readout.true_voxels(self.transported)
        return voxels


def simulate_image(
    seed: int,
    index: int,
    detector: Detector,
    draw: Callable[[np.random.Generator, Detector], Sequence[Origin]],
    attempt: int = 0,
) -> SimulatedImage:
    """Simulate event `index` of seed `seed`.

    Its random numbers depend on seed, index and attempt alone: the event is the same in whatever process or
    order it is made.

    Args:
        seed: Names a sample, 0 or more.
        index: Which event of it, 0 or more.
        detector: Where it happens.
        draw: Draws the interactions of an event, at least one.
        attempt: Which try of the event, 0 or more.

    Raises:
        DetectorError: The detector's volume is not described.
    """
    rng = random_numbers_in_volume(detector, seed, index, attempt)
    origins = draw(rng, detector)
    volume = Volume(detector.low, detector.high)
    settings = TransportSettings(magnetic_field=detector.magnetic_field)
    parts = [
        transport(rng, each.pdg, each.momentum, each.vertex, detector.material, volume, number, settings)
        for number, each in enumerate(origins)
    ]
    return SimulatedImage(detector, origins, merged(parts), rng)


def record_image(seed: int, index: int, detector: Detector, deposits: Placed) -> SimulatedImage:
    """Take deposits that another transport made for event `index` of seed `seed`, with what is known of them.

    Args:
        seed: Names a sample, 0 or more.
        index: Which event of it, 0 or more.
        detector: It records them.
        deposits: In the detector.

    Raises:
        DetectorError: The detector's volume is not described.
    """
    rng = random_numbers_in_volume(detector, seed, index, 0)
    origins = [
        Origin(each.kind or UNKNOWN_KIND, each.position, each.pdg, each.momentum, each.interaction)
        for each in deposits.truth.vertices
    ]
    return SimulatedImage(detector, origins, deposits.transported, rng)
