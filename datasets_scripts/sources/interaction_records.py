"""One interaction as a file tells it, and what of it can be transported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.datasets_scripts.sources.errors import (
    ImpossibleEnergyError,
    NoLeptonError,
    NoParticlesError,
    NotANeutrinoError,
    OtherUnitsError,
    UnknownTargetError,
    UntransportedParticleError,
)
from nuzoo.datasets_scripts.sources.given import GivenInteraction, one_word
from nuzoo.simulation.event_types import Interaction, InteractionMode
from nuzoo.simulation.particles import MASS, REST_CONTENT, SPECIES_OF

MEV_PER_GEV = 1000.0

NEUTRINOS = (12, 14, 16)
NUCLEONS = (2212, 2112)
NUCLEI = (1_000_000_000, 1_100_000_000)
"""PDG codes 10LZZZAAAI."""

PSEUDO_PARTICLES = 1_000_000_000
"""Codes of this size are nuclei, and what generators call remnants and binding energy."""

MASSIVE_MEV, SLOW = 100.0, 10.0
"""Particles heavier than this, whose momentum is at most so many masses, tell the unit of energies."""

MASS_FACTOR = 3.0
"""The mass by energy and momentum may be off by so much; hadrons are off their mass shell by some percent."""

MOST_OF_NEUTRINO = 1.2
"""A lepton with more than this share of the neutrino's energy, and `SLACK_MEV`, is of other units."""
SLACK_MEV = 200.0


def four_momenta(row: Mapping[str, Any], names: Sequence[str]) -> NDArray[np.float64]:
    """Return four-momenta (n, 4) or (4,), MeV, of columns in GeV, named in the order px, py, pz, E."""
    return np.stack([np.asarray(row[name], np.float64) for name in names], axis=-1) * MEV_PER_GEV


@dataclass(frozen=True, kw_only=True)
class Record:
    """One interaction as a file has it; energies and momenta in MeV, whatever its unit was.

    Attributes:
        neutrino_pdg: Of what came in.
        neutrino: float64 (4,), its px, py, pz, E.
        pdg: (n,), what leaves the nucleus, the lepton among them.
        four_momentum: float64 (n, 4), px, py, pz, E.
        target_pdg: The nucleus; 0 where the file does not tell.
        generator: What made it.
        unit: That the format has its energies in.
        is_cc: Charged or neutral current; None where only the lepton tells.
        mode: Channel; None where the file does not tell, or tells one that is none of ours.
        struck_pdg: The struck nucleon; 0 where there is none or the file does not tell.
        number: The generator's own, None where it gives none.
        weight: None where the file has none.
    """

    neutrino_pdg: int
    neutrino: NDArray[np.float64]
    pdg: NDArray[np.int64]
    four_momentum: NDArray[np.float64]
    target_pdg: int
    generator: str
    unit: str = "GeV"
    is_cc: bool | None = None
    mode: InteractionMode | None = None
    struck_pdg: int = 0
    number: int | None = None
    weight: float | None = None


def transportable(where: str, record: Record) -> GivenInteraction:
    """Check an interaction, and take from it what is transported.

    Remnants of nuclei stay behind, and what they carry is invisible energy. All is turned so that the
    neutrino comes along +z.

    Args:
        where: Names the event in errors.
        record: As the file has it.

    Raises:
        SourceFileError: With what cannot be used, and how to mend it.
    """
    _check_beam(where, record)
    _check_energies(where, record)
    _check_units(where, record)
    lepton, is_cc = _lepton(where, record)
    if record.four_momentum[lepton, 3] > MOST_OF_NEUTRINO * record.neutrino[3] + SLACK_MEV:
        got = f"{record.four_momentum[lepton, 3]:g} MeV of {record.neutrino[3]:g} MeV"
        raise ImpossibleEnergyError(
            where, "a lepton with no more energy than the neutrino", got, "write all energies in one unit"
        )
    rest = [row for row in range(len(record.pdg)) if row != lepton and not _stays_behind(record.pdg[row])]
    order = [lepton, *rest]
    pdg = record.pdg[order]
    if unknown := sorted({int(code) for code in pdg} - SPECIES_OF.keys()):
        raise UntransportedParticleError(
            where,
            "particles that the transport knows",
            f"PDG codes {', '.join(map(str, unknown))}",
            "let the generator decay them",
        )
    momentum = along_beam(record.four_momentum[order, :3], record.neutrino[:3])
    energy = float(record.neutrino[3])
    species = np.array([SPECIES_OF[int(code)] for code in pdg])
    carried = np.sqrt((momentum**2).sum(axis=1) + MASS[species] ** 2) - MASS[species] + REST_CONTENT[species]
    interaction = Interaction(
        neutrino_pdg=record.neutrino_pdg,
        neutrino_energy=energy,
        is_cc=is_cc,
        mode=record.mode,
        target_pdg=record.struck_pdg,
        inelasticity=1.0 - float(record.four_momentum[lepton, 3]) / energy,
        pdg=pdg.astype(np.int32),
        momentum=momentum,
        invisible_energy=energy - float(carried.sum()),
    )
    return GivenInteraction(interaction=interaction, provenance=_provenance(record))


def along_beam(momentum: NDArray[np.float64], direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn momenta (n, 3) by the smallest rotation that takes a direction (3,) to +z (Rodrigues)."""
    x, y, z = direction / np.linalg.norm(direction)
    if x == 0 and y == 0 and z > 0:
        return momentum
    if z < -1 + 1e-12:
        return momentum * [1.0, -1.0, -1.0]
    turn = np.array([[0.0, 0.0, -x], [0.0, 0.0, -y], [x, y, 0.0]])
    turned: NDArray[np.float64] = momentum @ (np.eye(3) + turn + turn @ turn / (1 + z)).T
    return turned


def _check_beam(where: str, record: Record) -> None:
    if abs(record.neutrino_pdg) not in NEUTRINOS:
        got = f"PDG code {record.neutrino_pdg}"
        raise NotANeutrinoError(where, "a neutrino (±12, ±14, ±16) that comes in", got, "leave it out")
    target = record.target_pdg
    if target and target not in NUCLEONS and not NUCLEI[0] < target < NUCLEI[1]:
        raise UnknownTargetError(
            where,
            "a target that is a nucleus (PDG code 10LZZZAAAI) or a nucleon",
            f"PDG code {target}",
            "write the code of the nucleus",
        )
    if not len(record.pdg):
        raise NoParticlesError(where, "particles that leave the nucleus", "none", "leave the event out")


def _check_energies(where: str, record: Record) -> None:
    every = np.concatenate([record.neutrino[None], record.four_momentum])
    if not np.isfinite(every).all():
        raise ImpossibleEnergyError(where, "energies and momenta that are numbers", "NaN or infinity", _MEND)
    if (least := every[:, 3].min()) < 0 or record.neutrino[3] <= 0:
        raise ImpossibleEnergyError(where, "energies of 0 and more", f"{least:g} MeV", _MEND)


_MEND = "correct it, or leave the event out"


def _check_units(where: str, record: Record) -> None:
    """Compare masses by energy and momentum with those of the particles."""
    known = np.array([int(code) in SPECIES_OF for code in record.pdg])
    species = np.array([SPECIES_OF.get(int(code), 0) for code in record.pdg])
    expected = MASS[species]
    momentum = np.linalg.norm(record.four_momentum[:, :3], axis=1)
    found = np.sqrt(np.maximum(record.four_momentum[:, 3] ** 2 - momentum**2, 0.0))
    telling = known & (expected > MASSIVE_MEV) & (momentum <= SLOW * found)
    ratio = found[telling] / expected[telling]
    if (wrong := np.flatnonzero((ratio > MASS_FACTOR) | (ratio < 1 / MASS_FACTOR))).size:
        row = np.flatnonzero(telling)[wrong[0]]
        got = f"PDG code {record.pdg[row]} with a mass of {found[row]:.4g} instead of {expected[row]:.4g} MeV"
        near = {1e3: "they seem to be in MeV", 1e-3: "they seem to be in TeV"}
        hint = next(
            (text for factor, text in near.items() if 0.5 < ratio[wrong[0]] / factor < 2), "check the unit"
        )
        raise OtherUnitsError(where, f"energies and momenta in {record.unit}", got, f"{hint}: scale them")
    if abs(np.linalg.norm(record.neutrino[:3]) / record.neutrino[3] - 1) > 0.01:
        got = f"{record.neutrino.tolist()} MeV"
        raise OtherUnitsError(where, "a neutrino whose energy is its momentum", got, "check the unit")


def _lepton(where: str, record: Record) -> tuple[int, bool]:
    """Find the lepton that the neutrino became, and whether the current was charged."""
    neutrino = record.neutrino_pdg
    charged = neutrino - 1 if neutrino > 0 else neutrino + 1
    if record.is_cc is None:
        wanted = neutrino if neutrino in record.pdg else charged
    else:
        wanted = charged if record.is_cc else neutrino
    rows = np.flatnonzero(record.pdg == wanted)
    if not rows.size:
        got = f"PDG codes {', '.join(str(int(code)) for code in record.pdg[:8])}"
        raise NoLeptonError(where, f"an outgoing lepton, PDG code {wanted}", got, "leave the event out")
    return int(rows[np.argmax(record.four_momentum[rows, 3])]), wanted == charged


def _stays_behind(code: int) -> bool:
    return abs(int(code)) >= PSEUDO_PARTICLES and int(code) not in SPECIES_OF


def _provenance(record: Record) -> dict[str, str]:
    told = {
        "generator": one_word(record.generator) or None,
        "number": record.number,
        "weight": None if record.weight is None else f"{record.weight:.9g}",
        "target": record.target_pdg or None,
    }
    return {key: str(value) for key, value in told.items() if value is not None}
