"""Particles through matter: from the particles of an interaction to its energy deposits.

A fast parametrised simulation, not Geant4: see docs/transport.md for the models and how well they do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nuzoo.simulation.errors import InvalidMomentumError, UnknownParticleError, VertexOutsideVolumeError
from nuzoo.simulation.event_types import Deposits, EnergyBudget, ParticleTable, Transported
from nuzoo.simulation.materials import Material
from nuzoo.simulation.particles import CHARGE, ELECTRON, MASS, PDG, PHOTON, POSITRON, REST_CONTENT, SPECIES_OF
from nuzoo.simulation.transport.electrons import follow_electron
from nuzoo.simulation.transport.kernel import inner, kernel
from nuzoo.simulation.transport.ledger import (
    PARTICLE,
    SEGMENTS,
    SHOWER,
    STACK,
    TABLE,
    TRACK,
    Ledger,
    add_particle,
    is_short,
    open_ledger,
    reserve,
)
from nuzoo.simulation.transport.medium import Medium, tabulate
from nuzoo.simulation.transport.neutrals import follow_neutral
from nuzoo.simulation.transport.parametrised_showers import deposit_shower
from nuzoo.simulation.transport.photons import follow_photon
from nuzoo.simulation.transport.settings import TransportSettings
from nuzoo.simulation.transport.tracks import track


@dataclass(frozen=True)
class Volume:
    """An axis-aligned box; what leaves it has escaped.

    Attributes:
        low: Lower corner (x, y, z), cm.
        high: Upper corner, cm.
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]


@kernel
def follow_all(
    rng: np.random.Generator,
    species: NDArray[np.int64],
    momentum: NDArray[np.float64],
    vertex: NDArray[np.float64],
    medium: Medium,
    settings: TransportSettings,
    box: NDArray[np.float64],
    ledger: Ledger,
) -> Ledger:
    """Follow particles and all that they set free until nothing moves; returns the filled books."""
    for i in range(len(species)):
        if is_short(ledger):
            ledger = reserve(ledger)
        p2 = momentum[i, 0] ** 2 + momentum[i, 1] ** 2 + momentum[i, 2] ** 2
        p, mass = np.sqrt(p2), MASS[species[i]]
        kinetic = p2 / (np.sqrt(p2 + mass * mass) + mass) if p2 > 0 else 0.0
        ux, uy, uz = 0.0, 0.0, 1.0
        if p > 0:
            ux, uy, uz = momentum[i, 0] / p, momentum[i, 1] / p, momentum[i, 2] / p
        s = species[i]
        semantic = SHOWER if s in (PHOTON, ELECTRON, POSITRON) else TRACK
        add_particle(rng, ledger, -1, s, vertex[0], vertex[1], vertex[2], ux, uy, uz, kinetic, semantic)
    current = np.empty(1, PARTICLE)
    while ledger.used[STACK] > 0:
        if is_short(ledger):
            ledger = reserve(ledger)
        ledger.used[STACK] -= 1
        current[0] = ledger.stack[ledger.used[STACK]]
        _follow(rng, current[0], medium, settings, box, ledger)
    return ledger


@inner
def _follow(rng, p, medium, settings, box, ledger):
    s = p.species
    electromagnetic = s in (PHOTON, ELECTRON, POSITRON)
    if electromagnetic and p.t > settings.parametrised_above:
        deposit_shower(rng, p, medium, box, ledger)
    elif s == PHOTON:
        follow_photon(rng, p, medium, box, ledger)
    elif electromagnetic:
        follow_electron(rng, p, medium, settings, box, ledger)
    elif CHARGE[s] != 0:
        track(rng, p, medium, settings, box, ledger)
    else:
        follow_neutral(rng, p, medium, settings, box, ledger)


def transport(
    rng: np.random.Generator,
    pdg: ArrayLike,
    momentum: ArrayLike,
    vertex: ArrayLike,
    material: Material,
    volume: Volume,
    interaction: int = 0,
    settings: TransportSettings | None = None,
) -> Transported:
    """Follow particles from one vertex through a material.

    Args:
        rng: Source of all randomness: the same state gives the same result.
        pdg: (n,) PDG codes.
        momentum: (n, 3), MeV/c.
        vertex: (3,), cm, inside the volume.
        material: What fills the volume.
        volume: Box in which particles are followed.
        interaction: Number written into every deposit.
        settings: Cuts and switches; the defaults suit 0 to 10 GeV neutrinos.

    Returns:
        Deposits, particle table and energy budget.

    Raises:
        UnknownParticleError: A PDG code that is not in `particles.SPECIES_OF`.
        InvalidMomentumError: Momenta of the wrong shape, or not finite.
        VertexOutsideVolumeError: The vertex is not in the volume.
    """
    codes = np.asarray(pdg, np.int64).reshape(-1)
    momenta = _checked_momenta(momentum, len(codes))
    box = np.array([volume.low, volume.high], float)
    origin = _checked_vertex(vertex, box)
    species = _find_species(codes)
    ledger = follow_all(
        rng, species, momenta, origin, tabulate(material), settings or TransportSettings(), box, open_ledger()
    )
    mass = MASS[species]
    p2 = (momenta**2).sum(axis=1)
    kinetic = np.sqrt(p2 + mass**2) - mass
    return _result(ledger, float((kinetic + REST_CONTENT[species]).sum()), interaction)


def _checked_momenta(momentum: ArrayLike, n: int) -> NDArray[np.float64]:
    momenta = np.ascontiguousarray(momentum, float)
    if n == 0 and momenta.size == 0:
        momenta = momenta.reshape(0, 3)
    if momenta.shape != (n, 3):
        raise InvalidMomentumError(
            f"expected momenta of shape ({n}, 3), one row for each PDG code, got {momenta.shape}"
        )
    bad = np.flatnonzero(~np.isfinite(momenta).all(axis=1))
    if len(bad):
        raise InvalidMomentumError(
            f"expected finite momenta in MeV/c, got {momenta[bad[0]]} for particle {bad[0]}: "
            "mend or leave out such particles"
        )
    return momenta


def _checked_vertex(vertex: ArrayLike, box: NDArray[np.float64]) -> NDArray[np.float64]:
    origin = np.asarray(vertex, float)
    if origin.shape != (3,) or not ((box[0] <= origin) & (origin <= box[1])).all():
        raise VertexOutsideVolumeError(
            f"expected a vertex (x, y, z) in cm between {box[0]} and {box[1]}, got {origin}: "
            "move the vertex or enlarge the volume"
        )
    return origin


def _find_species(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    unknown = sorted({int(c) for c in codes} - SPECIES_OF.keys())
    if unknown:
        raise UnknownParticleError(
            f"expected PDG codes among {sorted(SPECIES_OF)}, got {unknown}: "
            "decay short-lived particles in the generator"
        )
    return np.array([SPECIES_OF[int(c)] for c in codes], np.int64)


def _result(ledger: Ledger, available: float, interaction: int) -> Transported:
    table = ledger.table[: ledger.used[TABLE]]
    segments = ledger.segments[: ledger.used[SEGMENTS]]
    pdg = PDG[table["species"]]
    particles = ParticleTable(
        pdg=pdg,
        parent=table["parent"].astype(np.int32),
        start=_columns(table, "x", "y", "z"),
        momentum=_columns(table, "px", "py", "pz"),
        interaction=np.full(len(pdg), interaction, np.int32),
    )
    rows = segments["particle"].copy()
    deposits = Deposits(
        start=_columns(segments, "x0", "y0", "z0"),
        end=_columns(segments, "x1", "y1", "z1"),
        energy=segments["energy"].copy(),
        particle=rows,
        pdg=pdg[rows],
        semantic=segments["semantic"].copy(),
        interaction=np.full(len(rows), interaction, np.int32),
    )
    deposited, escaped, invisible, rest = (float(e) for e in ledger.energy)
    return Transported(deposits, particles, EnergyBudget(available, deposited, escaped, invisible, rest))


def _columns(rows: NDArray[np.void], *names: str) -> NDArray[np.float32]:
    return np.stack([rows[name] for name in names], axis=1).astype(np.float32)
