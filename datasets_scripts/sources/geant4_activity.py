"""Which kind of activity the deposits of a particle of Geant4 are, by how it came to be.

The rules of our own transport (`nuzoo.simulation.transport`), on the numbers of `G4ProcessType.hh` and of the
sub-types of `G4EmProcessSubType.hh` and `G4DecayProcessType.hh`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.sources.interaction_records import NUCLEONS, PSEUDO_PARTICLES
from nuzoo.simulation.event_types import SemanticClass
from nuzoo.simulation.particles import MASS, SPECIES_OF

ELECTRON, MUON, PHOTON, NEUTRON = 11, 13, 22, 2112

SLOW_NUCLEON = 10.0
"""MeV of kinetic energy; what slower nucleons leave that a nucleus sets free is called low energy."""

LOW_ENERGY = 5.0
"""MeV; what softer photons set free is called low energy, and softer electrons of captured muons."""


class Process(IntEnum):
    """Types of processes."""

    ELECTROMAGNETIC = 2
    HADRONIC = 4
    DECAY = 6


class Subprocess(IntEnum):
    """Sub-types of them."""

    IONISATION = 2
    PHOTOELECTRIC = 12
    COMPTON = 13
    CONVERSION = 14
    RADIOACTIVE_DECAY = 210


OF_PHOTONS = (Subprocess.PHOTOELECTRIC, Subprocess.COMPTON, Subprocess.CONVERSION)


def activities(
    pdg: NDArray[np.int32],
    parent: NDArray[np.int32],
    process: NDArray[np.int32],
    subprocess: NDArray[np.int32],
    momentum: NDArray[np.floating[Any]],
) -> NDArray[np.uint8]:
    """Return a `SemanticClass` for each particle (p,).

    Args:
        pdg: (p,), PDG codes.
        parent: (p,), row of the parent, which stands before it; -1 for those that leave a vertex.
        process: (p,), type of the process that made it.
        subprocess: (p,), its sub-type.
        momentum: (p,), MeV/c where it began.
    """
    found = np.full(len(pdg), SemanticClass.TRACK, np.uint8)
    codes, speeds = np.abs(pdg).tolist(), momentum.tolist()
    made = zip(parent.tolist(), process.tolist(), subprocess.tolist(), strict=True)
    for row, (above, type_, subtype) in enumerate(made):
        if codes[row] not in (ELECTRON, PHOTON):
            found[row] = _heavy(codes[row], speeds[row], is_primary=above < 0)
        elif above < 0:
            found[row] = SemanticClass.SHOWER
        else:
            makes_photon = codes[row] == PHOTON
            inherited = SemanticClass(found[above])
            found[row] = _light(makes_photon, speeds[row], codes[above], inherited, type_, subtype)
    return found


def _heavy(code: int, momentum: float, *, is_primary: bool) -> SemanticClass:
    if code == NEUTRON or code >= PSEUDO_PARTICLES:
        return SemanticClass.LOW_ENERGY
    if code in NUCLEONS and not is_primary:
        mass = float(MASS[SPECIES_OF[code]])
        if np.hypot(momentum, mass) - mass < SLOW_NUCLEON:
            return SemanticClass.LOW_ENERGY
    return SemanticClass.TRACK


def _light(
    is_photon: bool, momentum: float, above: int, inherited: SemanticClass, process: int, subprocess: int
) -> SemanticClass:
    """Return the class of an electron or photon that another particle made."""
    is_decay = process == Process.DECAY and subprocess != Subprocess.RADIOACTIVE_DECAY
    in_orbit = process == Process.HADRONIC and momentum >= LOW_ENERGY
    if above == MUON and not is_photon and (is_decay or in_orbit):
        return SemanticClass.MICHEL  # captured muons decay too; softer electrons are of their cascade
    if is_decay:
        return SemanticClass.SHOWER
    if process != Process.ELECTROMAGNETIC:
        return SemanticClass.LOW_ENERGY
    breeds = inherited == SemanticClass.SHOWER or above not in (ELECTRON, PHOTON)
    if is_photon:
        return SemanticClass.SHOWER if breeds and momentum >= LOW_ENERGY else SemanticClass.LOW_ENERGY
    if subprocess in OF_PHOTONS:
        return inherited if above == PHOTON else SemanticClass.LOW_ENERGY  # a photon too soft to be kept
    if above in (ELECTRON, PHOTON):
        return inherited
    return SemanticClass.DELTA if subprocess == Subprocess.IONISATION else SemanticClass.SHOWER
