"""One event of a neutrino of the LHC in a detector of layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.detectors import Detector
from nuzoo.simulation.errors import DetectorError
from nuzoo.simulation.interactions.forward_beam import ForwardBeam
from nuzoo.simulation.interactions.high_energy import DecayedInteraction, generate_high_energy, nucleus_of
from nuzoo.simulation.random_numbers import random_numbers
from nuzoo.simulation.response.sub_detectors import SubDetectorReadout
from nuzoo.simulation.transport.sandwich_books import LayeredTransported
from nuzoo.simulation.transport.sandwich_cascade import transport_layers


@dataclass(frozen=True)
class LayeredEvent:
    """One event with its truth.

    Attributes:
        index: Which event of its sample.
        detector: Where it happened.
        interaction: What happened, with the decays of what lives shortly.
        vertex: float64 (3,), cm.
        transported: Energy deposits, the particles that made them, and muons at the back.
        rng: The event's random numbers as transport left them: noise is drawn from a copy.
    """

    index: int
    detector: Detector
    interaction: DecayedInteraction
    vertex: NDArray[np.float64]
    transported: LayeredTransported
    rng: np.random.Generator


def simulate_layered_event(seed: int, index: int, detector: Detector, beam: ForwardBeam) -> LayeredEvent:
    """Simulate event `index` of seed `seed`.

    Its random numbers depend on these two alone. Neutrinos strike the plates and the cubes by their mass.

    Args:
        seed: Names a sample, 0 or more.
        index: Which event of it, 0 or more.
        detector: Where it happens.
        beam: Which neutrinos come.

    Raises:
        DetectorError: The detector has no layers.
    """
    readout = detector.readout
    if not isinstance(readout, SubDetectorReadout):
        raise DetectorError(
            f"{detector.name}: expected a detector of layers, got another: use `simulate_event`"
        )
    rng = random_numbers(seed, index)
    slabs, mass = readout.sandwich.targets()
    material, front, back = slabs[int(rng.choice(len(mass), p=mass / mass.sum()))]
    low, high = (*detector.vertex_low[:2], front), (*detector.vertex_high[:2], back)
    vertex = rng.uniform(low, high)
    flavour, energy, is_cc, weight = beam.draw(rng)
    interaction = generate_high_energy(rng, flavour, energy, is_cc, nucleus_of(rng, material), weight)
    transported = transport_layers(rng, interaction, vertex, readout.sandwich)
    return LayeredEvent(index, detector, interaction, vertex, transported, rng)
