"""From a hadronic system of 2 to 100 GeV to hadrons, charmed ones too.

Multiplicities are those that Pythia's strings have (a quadratic in ln W² fitted by us to its means at W = 5
to 44 GeV), with KNO scaling; momenta are the longitudinal phase space of `hadronisation`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.interactions.four_vectors import (
    boost_from_rest,
    boost_to_rest,
    invariant_mass_squared,
    rotate_to,
)
from nuzoo.simulation.interactions.hadronisation import longitudinal_phase_space
from nuzoo.simulation.interactions.masses import CHARGED_PION, NUCLEON
from nuzoo.simulation.particles import MASS, SPECIES_OF

CHARMED = {421: 0.53, 411: 0.30, 431: 0.09, 4122: 0.08}
"""Share of charmed hadrons by PDG code (Pythia at 1 TeV: 0.54, 0.31, 0.09, 0.06)."""
PETERSON = 0.06
"""Parameter of the fragmentation function of Peterson et al., Phys. Rev. D 27 (1983) 105."""
RADIATES_ABOVE, RADIATED = 10_000.0, 0.25
"""MeV of W above which gluons take a part from the charm quark, and the power that it falls with: tuned to
the flights of charm in Pythia."""
HADRONS_PER_CHARGED = 1.6
LEVY = 6.5
KAON_SHARE = 0.12
NEUTRAL_SHARE = 0.37
LAMBDA_SHARE = 0.08
TRANSVERSE_CHARM = 500.0
_OFFSET = {2: 1.8, 1: 1.8, 0: 1.3, -1: 1.3}
_MOST = 80


class Outgoing(NamedTuple):
    """Particles.

    Attributes:
        pdg: int32 (n,).
        p: float64 (n, 4), px, py, pz, E in MeV.
    """

    pdg: NDArray[np.int32]
    p: NDArray[np.float64]


def mean_charged(w: float, charge: int) -> float:
    """Return the mean number of charged hadrons.

    Args:
        w: Hadronic mass, MeV.
        charge: Of the system, -1 to 2.
    """
    log = np.log((w / 1000.0) ** 2)
    return float(max(_OFFSET[charge] + 0.43 * log + 0.09 * log**2, 1.0))


def hadrons_of(
    rng: np.random.Generator,
    system: NDArray[np.float64],
    boson: NDArray[np.float64],
    charge: int,
    charm: int,
) -> Outgoing | None:
    """Turn a hadronic system into hadrons.

    Args:
        rng: Source of randomness.
        system: (4,) its four-momentum, MeV.
        boson: (4,) of the exchanged boson: the direction of the current.
        charge: Of the system.
        charm: 1 with a charm quark, -1 with an antiquark, 0 without.

    Returns:
        Hadrons whose momenta add up to that of the system; None if its mass does not suffice.
    """
    w = float(np.sqrt(invariant_mass_squared(system)))
    axis = boson.copy()
    boost_to_rest(axis, system)
    rest = np.array([0.0, 0.0, 0.0, w])
    charmed = int(rng.choice([*CHARMED], p=[*CHARMED.values()])) if charm else 0
    if charmed == 4122 and charm < 0:
        charmed = 421
    first: list[int] = []
    rows: list[NDArray[np.float64]] = []
    if charmed:
        hadron = _charmed_momentum(rng, w, float(MASS[SPECIES_OF[charmed]]))
        first, rows = [charm * charmed], [hadron]
        rest = rest - hadron
        charge -= charm * (0 if charmed == 421 else 1)
    mass_squared = invariant_mass_squared(rest)
    if mass_squared <= (NUCLEON + CHARGED_PION + 100.0) ** 2:
        return None
    left = float(np.sqrt(mass_squared))
    codes = draw_hadrons(rng, left, charge, has_baryon=charmed != 4122)
    masses = np.array([MASS[SPECIES_OF[code]] for code in codes])
    if len(codes) < 2 or masses.sum() + 20.0 > left:
        return None
    p = np.empty((len(codes), 4))
    longitudinal_phase_space(rng, left, masses, p)
    for row in p:
        boost_from_rest(row, rest)
    everything = np.concatenate([np.array(rows).reshape(-1, 4), p])
    for row in everything:
        rotate_to(row, axis)
        boost_from_rest(row, system)
    return Outgoing(np.array([*first, *codes], np.int32), everything)


def _charmed_momentum(rng: np.random.Generator, w: float, mass: float) -> NDArray[np.float64]:
    """Draw the four-momentum of a charmed hadron in the rest frame of the system, the current along +z."""
    highest = (w**2 + mass**2 - (NUCLEON + CHARGED_PION) ** 2) / (2 * w)
    while True:
        z = rng.random()
        if rng.random() * 1.4 / (4 * PETERSON) < 1 / (z * (1 - 1 / z - PETERSON / (1 - z)) ** 2):
            break
    z *= (max(w, RADIATES_ABOVE) / RADIATES_ABOVE) ** -RADIATED
    energy = max(z * highest, mass)
    size = np.sqrt(energy**2 - mass**2)
    across = min(TRANSVERSE_CHARM * np.sqrt(-np.log(1 - rng.random())), size)
    phi = 2 * np.pi * rng.random()
    along = np.sqrt(size**2 - across**2)
    return np.array([across * np.cos(phi), across * np.sin(phi), along, energy])


def draw_hadrons(rng: np.random.Generator, w: float, charge: int, *, has_baryon: bool = True) -> list[int]:
    """Choose hadrons: a baryon first, then mesons that carry what is left of the charge.

    Args:
        rng: Source of randomness.
        w: Mass of the system, MeV.
        charge: Of the system.
        has_baryon: Whether there is a baryon among them.
    """
    mean = mean_charged(w, int(np.clip(charge, -1, 2)))
    scaled = (rng.poisson(LEVY) + rng.random()) / (LEVY + 0.5)
    number = int(np.clip(HADRONS_PER_CHARGED * mean * scaled + 0.5, 2, _MOST))
    number = min(number, max(2, int(0.5 * (w - NUCLEON) / CHARGED_PION)))
    codes: list[int] = []
    left = charge
    if has_baryon:
        if w > 3000.0 and rng.random() < LAMBDA_SHARE:
            codes += [3122, 321 if rng.random() < 0.5 else 311]
            left -= codes[1] == 321
        else:
            codes.append(2212 if rng.random() < (0.35 if charge < 1 else 0.55) else 2112)
            left -= codes[0] == 2212
    while left:
        codes.append(211 if left > 0 else -211)
        left -= 1 if left > 0 else -1
    while len(codes) < number:
        codes += _pair(rng)
    return codes


def _pair(rng: np.random.Generator) -> tuple[int, int]:
    choice = rng.random()
    if choice < KAON_SHARE:
        return ((321, -321), (311, -311), (321, -311), (311, -321))[int(rng.integers(2))]
    if choice < KAON_SHARE + NEUTRAL_SHARE * (1 - KAON_SHARE):
        return 111, 111
    return 211, -211
