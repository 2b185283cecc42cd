"""Datasets of single particles, simulated: one of each class's particles an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nuzoo.datasets_scripts.common.rows import Row
from nuzoo.datasets_scripts.common.simulated import SimulationPlan
from nuzoo.simulation.detectors import Detector, find_detector
from nuzoo.simulation.response.scintillator import CubeReadout

if TYPE_CHECKING:
    from nuzoo.simulation.images import Origin, SimulatedImage

CODES = {"proton": (2212,), "pion": (211, -211), "muon": (13, -13), "electron": (11, -11)}
"""PDG codes of the particles of a class, each as frequent as the other."""

MOMENTUM = {
    "proton": (400.0, 1500.0),
    "pion": (100.0, 1500.0),
    "muon": (100.0, 1500.0),
    "electron": (50.0, 1500.0),
}
"""MeV/c, flat: a slower one leaves fewer than about five cubes."""


@dataclass(frozen=True)
class ParticlePlan(SimulationPlan):
    """One particle an event, of each class of the detector as many."""

    @classmethod
    def suits(cls, detector: Detector) -> bool:
        """Say whether the dataset holds events of a detector."""
        return isinstance(detector.readout, CubeReadout)

    def simulate(self, index: int) -> SimulatedImage:
        """Simulate event `index`."""
        from nuzoo.simulation.images import simulate_image

        return simulate_image(self.seed, index, find_detector(self.detector), single_particle)

    def truth(self, event: SimulatedImage) -> Row:
        """Return the class of the particle."""
        pdg = int(event.origins[0].pdg[0])
        name = next(name for name, codes in CODES.items() if pdg in codes)
        return {"label": event.detector.readout.classes.index(name)}


def single_particle(rng: np.random.Generator, detector: Detector) -> list[Origin]:
    """Draw a particle of one of the detector's classes, from anywhere in its box of vertices to anywhere."""
    from nuzoo.simulation.images import Origin
    from nuzoo.simulation.mixtures import directions

    name = detector.readout.classes[rng.integers(len(detector.readout.classes))]
    pdg = np.array([CODES[name][rng.integers(len(CODES[name]))]], np.int32)
    momentum = rng.uniform(*MOMENTUM[name])
    vertex = rng.uniform(detector.vertex_low, detector.vertex_high)
    return [Origin("particles", vertex, pdg, momentum * directions(rng, 1))]
