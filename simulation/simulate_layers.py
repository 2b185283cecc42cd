"""One event of a neutrino of the LHC in a detector of layers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.detectors import Detector
from nuzoo.simulation.errors import DetectorError
from nuzoo.simulation.event_types import Interaction
from nuzoo.simulation.interactions.forward_beam import ForwardBeam
from nuzoo.simulation.interactions.high_energy import (
    DecayedInteraction,
    generate_high_energy,
    nucleus_of,
    with_decays,
)
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
    rng = random_numbers(seed, index)
    vertex, material = _vertex(rng, detector)
    flavour, energy, is_cc, weight = beam.draw(rng)
    interaction = generate_high_energy(rng, flavour, energy, is_cc, nucleus_of(rng, material), weight)
    return _transported(rng, index, detector, vertex, interaction)


def simulate_layered_interaction(
    seed: int, index: int, detector: Detector, interaction: Interaction
) -> LayeredEvent:
    """Transport an interaction that another generator made, as event `index` of seed `seed`.

    It happens in plates and cubes by their mass, whatever its nucleus; its neutrino comes along +z. Taus and
    charmed hadrons decay here.

    Args:
        seed: Names a sample, 0 or more.
        index: Which event of it, 0 or more.
        detector: Where it happens.
        interaction: What leaves the nucleus.

    Raises:
        DetectorError: The detector has no layers.
    """
    rng = random_numbers(seed, index)
    vertex, _ = _vertex(rng, detector)
    return _transported(rng, index, detector, vertex, with_decays(rng, interaction))


def _vertex(rng: np.random.Generator, detector: Detector) -> tuple[NDArray[np.float64], str]:
    """Draw where a neutrino interacts, (3,) cm, and what the material is there."""
    slabs, mass = _readout(detector).sandwich.targets()
    material, front, back = slabs[int(rng.choice(len(mass), p=mass / mass.sum()))]
    low, high = (*detector.vertex_low[:2], front), (*detector.vertex_high[:2], back)
    return rng.uniform(low, high), material


def _readout(detector: Detector) -> SubDetectorReadout:
    if not isinstance(detector.readout, SubDetectorReadout):
        raise DetectorError(
            f"{detector.name}: expected a detector of layers, got another: use `simulate_event`"
        )
    return detector.readout


def _transported(
    rng: np.random.Generator,
    index: int,
    detector: Detector,
    vertex: NDArray[np.float64],
    interaction: DecayedInteraction,
) -> LayeredEvent:
    transported = transport_layers(rng, interaction, vertex, _readout(detector).sandwich)
    return LayeredEvent(index, detector, interaction, vertex, transported, rng)
