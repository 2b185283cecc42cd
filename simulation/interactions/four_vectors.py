"""Relativistic kinematics for compiled code: four-vectors are (px, py, pz, E) arrays in MeV."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

FourVector = NDArray[np.float64]
Codes = NDArray[np.int32]
"""PDG codes of particles, a row of an array of four-vectors each."""


@njit(cache=True)
def invariant_mass_squared(p: FourVector) -> float:
    """E² - |p|², in MeV²."""
    return p[3] * p[3] - p[0] * p[0] - p[1] * p[1] - p[2] * p[2]


@njit(cache=True)
def breakup_momentum(mass: float, first: float, second: float) -> float:
    """Momentum of two particles from the decay of a mass at rest (0 below threshold), in MeV/c."""
    if mass <= first + second:
        return 0.0
    total, difference = first + second, first - second
    return np.sqrt((mass**2 - total**2) * (mass**2 - difference**2)) / (2.0 * mass)


@njit(cache=True)
def boost_from_rest(p: FourVector, frame: FourVector) -> None:
    """Boost `p` in place from the rest frame of `frame` to the frame where `frame` is given."""
    mass = np.sqrt(invariant_mass_squared(frame))
    along = p[0] * frame[0] + p[1] * frame[1] + p[2] * frame[2]
    energy = (p[3] * frame[3] + along) / mass
    factor = (p[3] + energy) / (frame[3] + mass)
    for i in range(3):
        p[i] += factor * frame[i]
    p[3] = energy


@njit(cache=True)
def boost_to_rest(p: FourVector, frame: FourVector) -> None:
    """Boost `p` in place into the rest frame of `frame`."""
    mirrored = np.array([-frame[0], -frame[1], -frame[2], frame[3]])
    boost_from_rest(p, mirrored)


@njit(cache=True)
def set_momentum(p: FourVector, size: float, direction: FourVector, mass: float) -> None:
    """Write the four-momentum of a particle on its mass shell into `p`.

    Args:
        p: Written.
        size: MeV/c.
        direction: Unit vector (3,).
        mass: MeV.
    """
    for i in range(3):
        p[i] = size * direction[i]
    p[3] = np.sqrt(size**2 + mass**2)


@njit(cache=True)
def copy_to(p: FourVector, source: FourVector) -> None:
    """Copy the four components of `source` into `p`."""
    for i in range(4):
        p[i] = source[i]


@njit(cache=True)
def isotropic_direction(rng: np.random.Generator) -> FourVector:
    """Return a unit vector (3,) uniform over the sphere."""
    return direction_about(rng, np.array([0.0, 0.0, 1.0]), 2.0 * rng.random() - 1.0)


@njit(cache=True)
def rotate_to(vector: FourVector, axis: FourVector) -> None:
    """Rotate the space part of `vector` in place so that +z becomes the direction `axis`."""
    norm = np.sqrt(axis[0] ** 2 + axis[1] ** 2 + axis[2] ** 2)
    if norm == 0.0:
        return
    nx, ny, nz = axis[0] / norm, axis[1] / norm, axis[2] / norm
    transverse = np.sqrt(nx * nx + ny * ny)
    if transverse < 1e-12:
        cos_phi, sin_phi = 1.0, 0.0
    else:
        cos_phi, sin_phi = nx / transverse, ny / transverse
    x = nz * vector[0] + transverse * vector[2]
    z = nz * vector[2] - transverse * vector[0]
    y = vector[1]
    vector[0] = cos_phi * x - sin_phi * y
    vector[1] = sin_phi * x + cos_phi * y
    vector[2] = z


@njit(cache=True)
def direction_about(rng: np.random.Generator, axis: FourVector, cosine: float) -> FourVector:
    """Return a unit vector (3,) at a given polar angle to `axis`, with a random azimuth."""
    phi = 2.0 * np.pi * rng.random()
    sine = np.sqrt(max(0.0, 1.0 - cosine * cosine))
    direction = np.array([sine * np.cos(phi), sine * np.sin(phi), cosine])
    rotate_to(direction, axis)
    return direction


@njit(cache=True)
def two_body_decay(
    parent: FourVector,
    first_mass: float,
    second_mass: float,
    direction: FourVector,
    first: FourVector,
    second: FourVector,
) -> None:
    """Split `parent` in two, the first particle along `direction` in the rest frame.

    Args:
        parent: Four-momentum of the decaying system.
        first_mass: MeV.
        second_mass: MeV; the sum must not exceed the parent's mass.
        direction: Unit vector (3,) in the rest frame of the parent.
        first: Written: four-momentum of the first particle.
        second: Written: four-momentum of the second particle.
    """
    mass = np.sqrt(invariant_mass_squared(parent))
    momentum = breakup_momentum(mass, first_mass, second_mass)
    set_momentum(first, momentum, direction, first_mass)
    set_momentum(second, -momentum, direction, second_mass)
    boost_from_rest(first, parent)
    boost_from_rest(second, parent)


@njit(cache=True)
def three_body_decay(
    rng: np.random.Generator,
    parent: FourVector,
    masses: FourVector,
    first: FourVector,
    second: FourVector,
    third: FourVector,
) -> None:
    """Split `parent` in three, uniformly in phase space (accept-reject on the pair mass).

    Args:
        rng: Source of randomness.
        parent: Four-momentum of the decaying system.
        masses: (3,) MeV; their sum must be below the parent's mass.
        first: Written.
        second: Written.
        third: Written.
    """
    mass = np.sqrt(invariant_mass_squared(parent))
    low, high = masses[1] + masses[2], mass - masses[0]
    bound = breakup_momentum(mass, masses[0], low) * breakup_momentum(high, masses[1], masses[2])
    while True:
        pair_mass = low + (high - low) * rng.random()
        weight = breakup_momentum(mass, masses[0], pair_mass)
        weight *= breakup_momentum(pair_mass, masses[1], masses[2])
        if rng.random() * bound <= weight:
            break
    pair = np.empty(4)
    two_body_decay(parent, masses[0], pair_mass, isotropic_direction(rng), first, pair)
    two_body_decay(pair, masses[1], masses[2], isotropic_direction(rng), second, third)


@njit(cache=True)
def scatter(
    rng: np.random.Generator,
    neutrino_energy: float,
    target: FourVector,
    hadronic_mass: float,
    q_squared: float,
    lepton_mass: float,
    lepton: FourVector,
    hadrons: FourVector,
) -> bool:
    """Scatter a neutrino along +z off a moving target at a given W and Q².

    Args:
        rng: Source of the azimuth.
        neutrino_energy: MeV.
        target: Four-momentum of the target (it may be off its mass shell).
        hadronic_mass: Invariant mass W of what the target becomes, MeV.
        q_squared: Q² = -(k - k')², MeV².
        lepton_mass: MeV.
        lepton: Written: four-momentum of the outgoing lepton.
        hadrons: Written: four-momentum of the hadronic system.

    Returns:
        False if (W, Q²) cannot be reached; nothing is written then.
    """
    total = target.copy()
    total[2] += neutrino_energy
    total[3] += neutrino_energy
    s = invariant_mass_squared(total)
    if s <= (hadronic_mass + lepton_mass) ** 2:
        return False
    root_s = np.sqrt(s)
    incoming = (s - invariant_mass_squared(target)) / (2.0 * root_s)
    momentum = breakup_momentum(root_s, hadronic_mass, lepton_mass)
    energy = np.sqrt(momentum**2 + lepton_mass**2)
    cosine = (2.0 * incoming * energy - q_squared - lepton_mass**2) / (2.0 * incoming * momentum)
    if not abs(cosine) <= 1.0:
        return False
    beam = np.array([0.0, 0.0, neutrino_energy, neutrino_energy])
    boost_to_rest(beam, total)
    direction = direction_about(rng, beam, cosine)
    two_body_decay(total, lepton_mass, hadronic_mass, direction, lepton, hadrons)
    return True


@njit(cache=True)
def q_squared_limits(
    neutrino_energy: float, target: FourVector, hadronic_mass: float, lepton_mass: float
) -> tuple[float, float]:
    """Smallest and largest Q² (MeV²) that `scatter` can reach; (1, 0) if W is out of reach."""
    s = invariant_mass_squared(target) + 2.0 * neutrino_energy * (target[3] - target[2])
    if s <= (hadronic_mass + lepton_mass) ** 2:
        return 1.0, 0.0
    root_s = np.sqrt(s)
    incoming = (s - invariant_mass_squared(target)) / (2.0 * root_s)
    momentum = breakup_momentum(root_s, hadronic_mass, lepton_mass)
    energy = np.sqrt(momentum**2 + lepton_mass**2)
    low = 2.0 * incoming * (energy - momentum) - lepton_mass**2
    return max(low, 0.0), 2.0 * incoming * (energy + momentum) - lepton_mass**2
