"""Interactions of TeV neutrinos made by Pythia 8, where it is installed (`pip install nuzoo[pythia]`).

The nucleon is at rest and nothing happens on the way out of the nucleus. Use it for shapes: cross-sections at
leading order are 10 to 25 % low. An object is set up for one beam energy, which takes half a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nuzoo.simulation.errors import SimulationError
from nuzoo.simulation.event_types import InteractionMode
from nuzoo.simulation.interactions.high_energy import LOWEST_ENERGY, DecayedInteraction
from nuzoo.simulation.interactions.short_lived import FROM_CHARM, FROM_TAU, MODE_OTHER
from nuzoo.simulation.particles import MASS, REST_CONTENT, SPECIES_OF

_WEAKLY_DECAYING = (411, 421, 431, 4122, 4132, 4232, 4332)
_SETTINGS = (
    "Print:quiet = on",
    "Beams:frameType = 2",
    "Beams:eB = 0",
    "PhaseSpace:Q2Min = 0.25",
    "PhaseSpace:pTHatMinDiverge = 0.5",
    "PDF:lepton = off",
    "TimeShower:QEDshowerByL = off",
    "SpaceShower:dipoleRecoil = on",
    "SpaceShower:pTmaxMatch = 2",
    "PartonLevel:MPI = off",
    "ParticleDecays:limitTau0 = on",
    "ParticleDecays:tau0Max = 100",
    "111:mayDecay = off",
    "Check:epTolErr = 1e-2",
    "Random:setSeed = on",
)
_TRIES = 100


class PythiaError(SimulationError):
    """Pythia is not there, or makes no event of what was asked for."""


class PythiaInteractions:
    """Interactions of one kind of neutrino of one energy with nucleons at rest.

    Args:
        neutrino_pdg: ±12, ±14 or ±16.
        neutrino_energy: MeV, at least 10 GeV.
        is_cc: Charged (True) or neutral (False) current.
        struck: PDG code of the nucleon.
        seed: Of Pythia's random numbers, 1 to 900,000,000.

    Raises:
        PythiaError: Pythia is not installed, or cannot be set up.
    """

    def __init__(
        self, neutrino_pdg: int, neutrino_energy: float, is_cc: bool, struck: int = 2212, seed: int = 1
    ) -> None:
        try:
            import pythia8mc
        except ImportError as error:
            raise PythiaError(
                "expected the package pythia8mc, got none: `pip install nuzoo[pythia]`, or go without"
            ) from error
        if not neutrino_energy >= LOWEST_ENERGY:
            raise PythiaError(
                f"expected at least {LOWEST_ENERGY:g} MeV, got {neutrino_energy!r}: below, Pythia fails"
            )
        self.neutrino, self.energy, self.is_cc, self.struck = neutrino_pdg, neutrino_energy, is_cc, struck
        self._pythia = pythia8mc.Pythia("", False)
        process = "ff2ff(t:W)" if is_cc else "ff2ff(t:gmZ)"
        for setting in (
            *_SETTINGS,
            f"Random:seed = {seed}",
            f"Beams:idA = {neutrino_pdg}",
            f"Beams:idB = {struck}",
            f"Beams:eA = {neutrino_energy / 1000}",
            f"WeakBosonExchange:{process} = on",
        ):
            self._pythia.readString(setting)
        if not self._pythia.init():
            raise PythiaError(
                f"expected Pythia to start for {neutrino_pdg} of {neutrino_energy:g} MeV, it did not"
            )

    def next(self, weight: float = 1.0) -> DecayedInteraction:
        """Make one interaction.

        Args:
            weight: Nominal events that it stands for.

        Raises:
            PythiaError: None in a hundred tries.
        """
        for _ in range(_TRIES):
            if self._pythia.next():
                return self._interaction(self._pythia.event, weight)
        raise PythiaError(
            f"expected an interaction of {self.neutrino} at {self.energy:g} MeV, got none: raise it"
        )

    def _interaction(self, record: Any, weight: float) -> DecayedInteraction:
        sign = 1 if self.neutrino > 0 else -1
        lepton_pdg = self.neutrino - sign if self.is_cc else self.neutrino
        lepton = next(
            i for i in range(record.size()) if record[i].id() == lepton_pdg and record[i].statusAbs() > 20
        )
        lepton = record[lepton].iBotCopyId()
        kept = [lepton] + [i for i in range(1, record.size()) if i != lepton and _is_kept(record, i)]
        row_of = {index: row for row, index in enumerate(kept)}
        parents = [_decayed_ancestor(record, index, row_of) for index in kept]
        pdg = np.array([record[i].id() for i in kept], np.int32)
        momentum = 1000 * np.array([[record[i].px(), record[i].py(), record[i].pz()] for i in kept])
        offset = np.array([[record[i].xProd(), record[i].yProd(), record[i].zProd()] for i in kept]) / 10
        parent = np.array([row_of.get(index, -1) for index in parents], np.int32)
        final = np.array([record[i].isFinal() for i in kept])
        species = np.array([SPECIES_OF[int(code)] for code in pdg[final]])
        mass = MASS[species]
        energy = np.sqrt((momentum[final] ** 2).sum(axis=1) + mass**2)
        offset[parent < 0] = 0.0
        return DecayedInteraction(
            neutrino_pdg=self.neutrino,
            neutrino_energy=self.energy,
            is_cc=self.is_cc,
            mode=InteractionMode.DIS,
            target_pdg=self.struck,
            inelasticity=1 - 1000 * record[lepton].e() / self.energy,
            pdg=pdg,
            momentum=momentum,
            invisible_energy=float(self.energy - (energy - mass + REST_CONTENT[species]).sum()),
            parent=parent,
            offset=offset,
            origin=_origins(pdg, parent),
            is_final=final,
            tau_decay_mode=_mode(pdg[parent == 0]) if abs(lepton_pdg) == 15 else 0,
            weight=weight,
        )


def _is_kept(record: Any, index: int) -> bool:
    """Whether a particle is final, or decays weakly so that its way can be seen."""
    particle = record[index]
    code = particle.id()
    is_seen = (abs(code) == 15 or abs(code) in _WEAKLY_DECAYING) and code in SPECIES_OF
    return particle.isFinal() or (is_seen and particle.iBotCopyId() == index)


def _decayed_ancestor(record: Any, index: int, row_of: dict[int, int]) -> int:
    """Return the nearest ancestor that is kept, -1 for none."""
    mother = record[index].mother1()
    while mother > 0:
        if mother in row_of and not record[mother].isFinal():
            return int(mother)
        mother = record[mother].mother1()
    return -1


def _origins(pdg: Any, parent: Any) -> Any:
    origin = np.zeros(len(pdg), np.int8)
    for row in range(len(pdg)):
        first = row
        while parent[first] >= 0:
            first = parent[first]
        if first != row:
            origin[row] = FROM_TAU if abs(pdg[first]) == 15 else FROM_CHARM
    return origin


def _mode(products: Any) -> int:
    """Return the `tau_decay_mode` of decay products."""
    codes = sorted(abs(int(code)) for code in products if abs(int(code)) not in (12, 14, 16, 22))
    charged = sum(code in (11, 13, 211, 321) for code in codes)
    if 11 in codes and charged == 1:
        return 1
    if 13 in codes and charged == 1:
        return 2
    known = {(211,): 3, (111, 211): 4}
    return known.get(tuple(codes), 5 if charged == 3 else MODE_OTHER)
