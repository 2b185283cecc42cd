"""What happens in an image of a cube: neutrinos, particles from one point, and muons from above."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.detectors import Detector
from nuzoo.simulation.images import Origin
from nuzoo.simulation.interactions import Spectrum, sample_interaction
from nuzoo.simulation.particles import MASS, SPECIES_OF

_GUN = (
    (11, 0.2, 50.0, 1000.0),
    (22, 0.2, 50.0, 1000.0),
    (13, 0.2, 50.0, 1000.0),
    (211, 0.2, 50.0, 1000.0),
    (2212, 0.2, 50.0, 400.0),
)
"""Particles of a bomb: PDG code, share, least and largest kinetic energy in MeV; charges are drawn alike."""

_NO_ANTIPARTICLE = (22, 2212)

COSMIC_MOMENTUM = (200.0, 5000.0)
"""MeV/c, flat in the logarithm: so that about as many stop in the cube as the share of Michel electrons in
PILArNet-M asks for."""

MU_MINUS_SHARE = 1 / 2.28
"""mu+/mu- = 1.28 at the surface (PDG, "Cosmic rays")."""

FROM_WALL = 1e-4
"""cm between the wall and where a muon from outside begins."""


@dataclass(frozen=True)
class ImageMixture:
    """How many interactions of each kind an image has.

    Attributes:
        vertices: Least and largest number of neutrinos and bombs together, each number alike.
        neutrino_share: Share of neutrinos among them.
        cosmics: Least and largest number of muons from above, each number alike.
        spectrum: Of the neutrinos.
    """

    vertices: tuple[int, int] = (1, 3)
    neutrino_share: float = 1 / 3
    cosmics: tuple[int, int] = (0, 3)
    spectrum: Spectrum = field(default_factory=Spectrum)

    def __call__(self, rng: np.random.Generator, detector: Detector) -> list[Origin]:
        """Draw the interactions of an image."""
        vertices = int(rng.integers(self.vertices[0], self.vertices[1] + 1))
        cosmics = int(rng.integers(self.cosmics[0], self.cosmics[1] + 1))
        drawn = [self._at_vertex(rng, detector) for _ in range(vertices)]
        return drawn + [cosmic_muon(rng, detector) for _ in range(cosmics)]

    def _at_vertex(self, rng: np.random.Generator, detector: Detector) -> Origin:
        if rng.random() >= self.neutrino_share:
            return particle_bomb(rng, detector)
        vertex = rng.uniform(detector.vertex_low, detector.vertex_high)
        interaction = sample_interaction(rng, self.spectrum)
        return Origin("neutrino", vertex, interaction.pdg, interaction.momentum, interaction)


def particle_bomb(rng: np.random.Generator, detector: Detector, most: int = 6) -> Origin:
    """Draw 1 to `most` particles from one point, each with its own direction and energy."""
    vertex = rng.uniform(detector.vertex_low, detector.vertex_high)
    codes, shares, low, high = (np.array(column) for column in zip(*_GUN, strict=True))
    chosen = rng.choice(len(codes), size=int(rng.integers(1, most + 1)), p=shares)
    pdg = codes[chosen] * np.where(
        (rng.random(len(chosen)) < 0.5) & ~np.isin(codes[chosen], _NO_ANTIPARTICLE), -1, 1
    )
    kinetic = rng.uniform(low[chosen], high[chosen])
    return Origin("particles", vertex, pdg.astype(np.int32), momenta(pdg, kinetic, directions(rng, len(pdg))))


def cosmic_muon(rng: np.random.Generator, detector: Detector) -> Origin:
    """Draw a muon that comes from above, cos² of the zenith angle, and hits a random point of the volume."""
    pdg = np.array([13 if rng.random() < MU_MINUS_SHARE else -13])
    cosine, azimuth = rng.random() ** (1 / 3), rng.uniform(0, 2 * np.pi)
    sine = np.sqrt(1 - cosine**2)
    direction = np.array([sine * np.cos(azimuth), -cosine, sine * np.sin(azimuth)])
    low, high = np.array(detector.low) + FROM_WALL, np.array(detector.high) - FROM_WALL
    through = rng.uniform(low, high)
    with np.errstate(divide="ignore"):
        back = np.min(np.where(direction > 0, through - low, through - high) / direction)
    momentum = np.exp(rng.uniform(*np.log(COSMIC_MOMENTUM)))
    return Origin(
        "cosmic",
        np.clip(through - back * direction, low, high),
        pdg.astype(np.int32),
        momentum * direction[None],
    )


def directions(rng: np.random.Generator, number: int) -> NDArray[np.float64]:
    """Draw isotropic unit vectors (number, 3)."""
    cosine, azimuth = rng.uniform(-1, 1, number), rng.uniform(0, 2 * np.pi, number)
    sine = np.sqrt(1 - cosine**2)
    return np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine], axis=1)


def momenta(
    pdg: Sequence[int] | NDArray[np.integer], kinetic: NDArray[np.float64], direction: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return momenta (n, 3) in MeV/c of particles with kinetic energies (n,) in MeV along unit vectors."""
    mass = MASS[[SPECIES_OF[int(code)] for code in pdg]]
    return np.sqrt(kinetic * (kinetic + 2 * mass))[:, None] * direction
