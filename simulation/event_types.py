"""What the three parts of the simulation hand to each other.

Units everywhere in `nuzoo.simulation`: MeV, MeV/c, cm, ns. The beam goes along +z, y points up,
and a drift field, where there is one, lies along x.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from nuzoo.files.events.event_classes import INTERACTION_MODES

Vector = tuple[float, float, float]
"""Along x, y and z."""


class SemanticClass(IntEnum):
    """What kind of activity an energy deposit belongs to."""

    SHOWER = 0
    TRACK = 1
    MICHEL = 2
    DELTA = 3
    LOW_ENERGY = 4


class InteractionMode(IntEnum):
    """How the neutrino met the nucleus."""

    QE = INTERACTION_MODES.index("qe")
    MEC = INTERACTION_MODES.index("mec")
    RES = INTERACTION_MODES.index("res")
    DIS = INTERACTION_MODES.index("dis")
    COH = INTERACTION_MODES.index("coh")


@dataclass(frozen=True)
class Interaction:
    """One neutrino interaction after the final-state model: what leaves the nucleus.

    Attributes:
        neutrino_pdg: PDG code of the neutrino.
        neutrino_energy: MeV.
        is_cc: Charged (True) or neutral (False) current.
        mode: Channel; None where the file of another generator does not tell.
        target_pdg: PDG code of the struck nucleon, 2212 or 2112 (0 for coherent scattering, and where a file
            does not tell).
        inelasticity: y = 1 - E_lepton / E_neutrino.
        pdg: int32 (n,). Outgoing particles, the lepton first.
        momentum: float64 (n, 3), MeV/c.
        invisible_energy: MeV left in the nucleus: removal energy, recoil, de-excitation that is not
            simulated. Neutrino energy = lepton energy + kinetic energies of outgoing nucleons
            + total energies of the other outgoing particles + invisible energy.
    """

    neutrino_pdg: int
    neutrino_energy: float
    is_cc: bool
    mode: InteractionMode | None
    target_pdg: int
    inelasticity: float
    pdg: NDArray[np.int32]
    momentum: NDArray[np.float64]
    invisible_energy: float


@dataclass(frozen=True)
class ParticleTable:
    """Every particle that was transported; row i is particle i.

    Attributes:
        pdg: int32 (p,).
        parent: int32 (p,), row of the parent, -1 for those that leave the nucleus.
        start: float32 (p, 3), cm.
        momentum: float32 (p, 3) at the start, MeV/c.
        interaction: int32 (p,), which interaction of the event the particle comes from.
    """

    pdg: NDArray[np.int32]
    parent: NDArray[np.int32]
    start: NDArray[np.float32]
    momentum: NDArray[np.float32]
    interaction: NDArray[np.int32]


@dataclass(frozen=True)
class Deposits:
    """Energy deposits as straight segments (the convention of edep-sim and larnd-sim).

    Attributes:
        start: float32 (n, 3), cm.
        end: float32 (n, 3), cm.
        energy: float32 (n,), MeV.
        particle: int32 (n,), row in the particle table.
        pdg: int32 (n,).
        semantic: uint8 (n,), a SemanticClass.
        interaction: int32 (n,), which interaction of the event the deposit comes from.
    """

    start: NDArray[np.float32]
    end: NDArray[np.float32]
    energy: NDArray[np.float32]
    particle: NDArray[np.int32]
    pdg: NDArray[np.int32]
    semantic: NDArray[np.uint8]
    interaction: NDArray[np.int32]


@dataclass(frozen=True)
class EnergyBudget:
    """Where the energy of the transported particles went, in MeV.

    `available` is the sum over the particles that leave the nucleus of the kinetic energy of nucleons
    and the total energy of everything else; it equals deposited + escaped + invisible + rest_mass.

    Attributes:
        available: What entered the transport.
        deposited: Sum over the deposits.
        escaped: Carried out of the volume, counted as `available` is.
        invisible: Neutrinos from decays, nuclear binding, neutrons below the transport threshold.
        rest_mass: Masses of particles that ended inside without giving theirs back.
    """

    available: float
    deposited: float
    escaped: float
    invisible: float
    rest_mass: float


@dataclass(frozen=True)
class Transported:
    """The result of transporting the particles of one or more interactions."""

    deposits: Deposits
    particles: ParticleTable
    budget: EnergyBudget
