"""Particles of one interaction through a detector of layers, generation after generation, all of one at once.

Much faster than the exact transport of `engine`, and coarser: TeV events have thousands of particles. See
docs/fasercal.md for what is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.event_types import Deposits, EnergyBudget, ParticleTable, SemanticClass, Transported
from nuzoo.simulation.interactions.high_energy import DecayedInteraction
from nuzoo.simulation.particles import (
    ANTIMUON,
    CHARGE,
    ELECTRON,
    FIRST_NEUTRINO,
    LAST_NEUTRINO,
    MASS,
    MUON,
    PDG,
    PHOTON,
    PI_MINUS,
    PI_PLUS,
    PI_ZERO,
    POSITRON,
    REST_CONTENT,
    SPECIES_OF,
)
from nuzoo.simulation.sandwich import Sandwich
from nuzoo.simulation.transport.hadron_collisions import SLOW_VISIBLE, collide
from nuzoo.simulation.transport.sandwich_showers import showers
from nuzoo.simulation.transport.sandwich_tracks import (
    Array,
    Moving,
    Points,
    Rows,
    contained,
    ionise,
    range_of,
    recorded,
    upright,
    way_out,
)

PION_OVER_NUCLEON = 1.25
"""Interaction length of pions and kaons over that of nucleons."""
STOPS_BELOW = 150.0
"""MeV: slower charged hadrons stop instead of colliding, and slower neutral ones are taken up."""
RADIATION_PER_X0 = 5.5e-5
"""Share of its energy that a fast muon radiates in a radiation length (Ec of 150 to 1200 GeV, PDG)."""
SOFTEST_RADIATION = 1e-3
BLOB_CM, BLOB_MEV = 2.5, 8.0
"""How far slow nucleons get from where they are set free, and how much is drawn at one point."""
PION_REST_VISIBLE = 0.35
MOST_GENERATIONS = 60


@dataclass(frozen=True)
class LayeredBudget(EnergyBudget):
    """Where the energy went, in MeV; `deposited` is in what records it.

    Attributes:
        absorbed: In what does not.
    """

    absorbed: float = 0.0


@dataclass(frozen=True)
class Exits:
    """Particles that leave through the back.

    Attributes:
        row: int64 (n,), in the particle table.
        position: float64 (n, 3), cm.
        momentum: float64 (n, 3), MeV/c.
    """

    row: Rows
    position: Array
    momentum: Array


@dataclass(frozen=True)
class LayeredTransported(Transported):
    """The result, with what a spectrometer behind the detector would see.

    Attributes:
        exits: Muons at the back.
    """

    exits: Exits


class _Books:
    """What a run writes down.

    Args:
        sandwich: Where it runs.
    """

    def __init__(self, sandwich: Sandwich) -> None:
        self.sandwich = sandwich
        self.points = [(Points(np.zeros((0, 3)), np.zeros(0), np.zeros(0, np.int64)), 0)]
        self.table: list[tuple[Rows, Rows, Array, Array]] = []
        self.rows = 0
        self.exits: list[tuple[Rows, Array, Array]] = []
        self.absorbed = self.escaped = self.invisible = self.rest = 0.0

    def enter(self, species: Rows, parent: Rows, x: Array, u: Array, t: Array) -> Rows:
        """Write particles into the table; returns their rows."""
        p = np.sqrt(np.maximum(t * (t + 2 * MASS[species]), 0.0))
        self.table.append((species, parent, x, p[:, None] * u))
        self.rows += len(species)
        return np.arange(self.rows - len(species), self.rows)

    def deposit(self, points: Points, semantic: SemanticClass) -> None:
        """Write energy in places, where it is recorded; the rest is absorbed or has escaped."""
        inside = contained(self.sandwich, points)
        lit = inside & recorded(self.sandwich, points)
        self.escaped += float(points.energy[~inside].sum())
        self.absorbed += float(points.energy[inside & ~lit].sum())
        self.points.append((points.those(lit), int(semantic)))


def transport_layers(
    rng: np.random.Generator, interaction: DecayedInteraction, vertex: Array, sandwich: Sandwich
) -> LayeredTransported:
    """Follow the particles of an interaction through a detector of layers.

    The first rows of the table of particles are those of the interaction.

    Args:
        rng: Source of all randomness.
        interaction: What happened.
        vertex: (3,) cm, inside of the detector.
        sandwich: The detector.
    """
    books = _Books(sandwich)
    species = np.array([SPECIES_OF[int(code)] for code in interaction.pdg])
    size = np.sqrt((interaction.momentum**2).sum(axis=1))
    mass = MASS[species]
    t = size**2 / (np.sqrt(size**2 + mass**2) + mass)
    u = np.where(size[:, None] > 0, interaction.momentum / np.maximum(size, 1e-12)[:, None], [0.0, 0.0, 1.0])
    x = vertex + interaction.offset
    rows = books.enter(species, interaction.parent.astype(np.int64), x, u, t)
    everything = Moving(rows, species, x, upright(u), t)
    final = interaction.is_final
    available = float((t + REST_CONTENT[species])[final].sum())
    _short_tracks(rng, books, everything, interaction)
    moving = _inside(books, everything.those(final))
    for _ in range(MOST_GENERATIONS):
        if not len(moving.row):
            break
        moving = _generation(rng, books, moving)
    books.escaped += float((moving.t + REST_CONTENT[moving.species]).sum())
    return _result(books, available)


def _short_tracks(
    rng: np.random.Generator, books: _Books, moving: Moving, interaction: DecayedInteraction
) -> None:
    """Let charged particles ionise on their way to their decay; the energy is their daughters'."""
    decayed = np.flatnonzero(~interaction.is_final & (CHARGE[moving.species] != 0))
    if not len(decayed):
        return
    first = np.array([np.flatnonzero(interaction.parent == row)[0] for row in decayed])
    way = np.linalg.norm(interaction.offset[first] - interaction.offset[decayed], axis=1)
    flying = moving.those(decayed)
    way = np.minimum(way, way_out(books.sandwich, flying.x, flying.u))
    points, passive, _ = ionise(rng, books.sandwich, flying, way)
    books.rest -= passive + float(points.energy.sum())
    books.absorbed += passive
    books.deposit(points, SemanticClass.TRACK)


def _inside(books: _Books, moving: Moving) -> Moving:
    """Count what starts outside of the detector, and neutrinos, and return the others."""
    at = Points(moving.x, moving.t, moving.row)
    neutrino = (moving.species >= FIRST_NEUTRINO) & (moving.species <= LAST_NEUTRINO)
    inside = contained(books.sandwich, at)
    content = moving.t + REST_CONTENT[moving.species]
    books.invisible += float(content[neutrino].sum())
    books.escaped += float(content[~neutrino & ~inside].sum())
    return moving.those(inside & ~neutrino)


def _generation(rng: np.random.Generator, books: _Books, moving: Moving) -> Moving:
    """Follow particles to their ends; returns what they set free."""
    species = moving.species
    showering = np.isin(species, (PHOTON, ELECTRON, POSITRON))
    pi_zero, muon = species == PI_ZERO, np.isin(species, (MUON, ANTIMUON))
    born = [_decay_pi_zero(rng, books, moving.those(pi_zero))]
    if muon.any():
        born.append(_follow_muons(rng, books, moving.those(muon)))
    if showering.any():
        _shower(rng, books, moving.those(showering))
    hadron = ~(showering | pi_zero | muon)
    if hadron.any():
        born.append(_follow_hadrons(rng, books, moving.those(hadron)))
    return _inside(books, Moving.together(born))


def _decay_pi_zero(rng: np.random.Generator, books: _Books, moving: Moving) -> Moving:
    """Two photons each."""
    energy = moving.t + MASS[PI_ZERO]
    p = np.sqrt(moving.t * (moving.t + 2 * MASS[PI_ZERO]))
    cosine = 2 * rng.random(len(p)) - 1
    around = rng.standard_normal((len(p), 3))
    around -= (around * moving.u).sum(axis=1, keepdims=True) * moving.u
    around /= np.maximum(np.linalg.norm(around, axis=1, keepdims=True), 1e-12)
    photons = []
    for sign in (1, -1):
        each = 0.5 * (energy + sign * p * cosine)
        along = 0.5 * (p + sign * energy * cosine)
        across = sign * 0.5 * MASS[PI_ZERO] * np.sqrt(1 - cosine**2)
        u = (along[:, None] * moving.u + across[:, None] * around) / np.maximum(each, 1e-9)[:, None]
        kind = np.full(len(p), PHOTON)
        u = upright(u)
        rows = books.enter(kind, moving.row, moving.x, u, each)
        photons.append(Moving(rows, kind, moving.x, u, each))
    return Moving.together(photons)


def _shower(rng: np.random.Generator, books: _Books, moving: Moving) -> None:
    """Deposit whole showers; their spots belong to the particle, a daughter, or a daughter of that."""
    energy = moving.t + REST_CONTENT[moving.species]
    points, leak, generation = showers(rng, books.sandwich, moving, energy)
    books.escaped += float(leak.sum())
    kind = np.where(moving.species == PHOTON, ELECTRON, PHOTON)
    daughters = books.enter(kind, moving.row, moving.x, moving.u, 0.5 * moving.t)
    kind = np.full(len(daughters), ELECTRON)
    last = books.enter(kind, daughters, moving.x, moving.u, 0.25 * moving.t)
    row = np.stack([moving.row, daughters, last])[generation, points.row]
    books.deposit(Points(points.x, points.energy, row), SemanticClass.SHOWER)


def _follow_muons(rng: np.random.Generator, books: _Books, moving: Moving) -> Moving:
    """Take muons out of the detector or to their end; returns the photons that they radiate."""
    stack = books.sandwich.stack
    way, stops = _way(books, moving)
    start, end = (stack.at(stack.radiation, moving.x[:, 2] + s * moving.u[:, 2]) for s in (0.0, way))
    depth = np.abs(end - start) / np.abs(moving.u[:, 2])
    mean = RADIATION_PER_X0 * -np.log(SOFTEST_RADIATION) * depth
    radiates = rng.random(len(way)) < 1 - np.exp(-mean)
    share = np.where(radiates, SOFTEST_RADIATION ** rng.random(len(way)), 0.0)
    place = rng.random(len(way)) * way
    lost = 0.9 * share * moving.t
    photons = Moving(
        moving.row, np.full(len(way), PHOTON), moving.x + place[:, None] * moving.u, moving.u, lost
    ).those(radiates)
    rows = books.enter(photons.species, photons.row, photons.x, photons.u, photons.t)
    photons = photons._replace(row=rows)
    slower = moving._replace(t=moving.t - lost)
    way, stops = _way(books, slower)
    points, passive, left = ionise(rng, books.sandwich, slower, way)
    books.absorbed += passive
    books.deposit(points, SemanticClass.TRACK)
    _finish(books, slower, way, left, stops)
    return photons


def _follow_hadrons(rng: np.random.Generator, books: _Books, moving: Moving) -> Moving:
    """Take hadrons to their next collision; returns what comes out of that."""
    stack, species = books.sandwich.stack, moving.species
    slow = (CHARGE[species] == 0) & (moving.t < STOPS_BELOW)
    _take_up(rng, books, moving.those(slow))
    moving = moving.those(~slow)
    species = moving.species
    way, stops = _way(books, moving)
    meson = np.abs(PDG[species]) < 1000
    length = rng.standard_exponential(len(way)) * np.where(meson, PION_OVER_NUCLEON, 1.0)
    at = stack.at(stack.interaction, moving.x[:, 2]) + length * moving.u[:, 2]
    within = (at > 0) & (at < stack.interaction[-1])
    to_collision = np.where(
        within, (stack.z_of(stack.interaction, at) - moving.x[:, 2]) / moving.u[:, 2], np.inf
    )
    charged_and_slow = (CHARGE[species] != 0) & (moving.t < STOPS_BELOW)
    collides = (to_collision < way) & ~charged_and_slow
    way = np.where(collides, np.maximum(to_collision, 0.0), way)
    points, passive, left = ionise(rng, books.sandwich, moving, way)
    books.absorbed += passive
    books.deposit(points, SemanticClass.TRACK)
    _finish(books, moving.those(~collides), way[~collides], left[~collides], stops[~collides])
    return _collide(rng, books, moving, way, left, collides)


def _collide(
    rng: np.random.Generator,
    books: _Books,
    moving: Moving,
    way: Array,
    left: Array,
    collides: NDArray[np.bool_],
) -> Moving:
    end = moving._replace(x=moving.x + way[:, None] * moving.u, t=left).those(collides)
    if not len(end.row):
        return end
    made = collide(rng, end)
    books.invisible += made.invisible
    proton = np.full(len(end.row), SPECIES_OF[2212])
    slow = books.enter(proton, end.row, end.x, end.u, made.local)
    _blobs(rng, books, Points(end.x, made.local, slow))
    born = made.moving
    rows = books.enter(born.species, end.row[born.row], born.x, born.u, born.t)
    return born._replace(row=rows)


def _way(books: _Books, moving: Moving) -> tuple[Array, NDArray[np.bool_]]:
    """Return the path (cm) to where particles leave the detector or stop, and whether they stop."""
    stack, sandwich = books.sandwich.stack, books.sandwich
    out = way_out(sandwich, moving.x, moving.u)
    reach = range_of(moving.t, np.maximum(MASS[moving.species], 1.0)) * moving.u[:, 2]
    target = stack.at(stack.loss, moving.x[:, 2]) + reach
    charged = CHARGE[moving.species] != 0
    within = charged & (target > 0) & (target < stack.loss[-1])
    stop = np.where(within, (stack.z_of(stack.loss, target) - moving.x[:, 2]) / moving.u[:, 2], np.inf)
    stops = stop < out
    return np.where(stops, np.maximum(stop, 0.0), out), stops


def _finish(books: _Books, moving: Moving, way: Array, left: Array, stops: NDArray[np.bool_]) -> None:
    """Count particles that have stopped, and those that leave the detector."""
    content = REST_CONTENT[moving.species]
    end = moving.x + way[:, None] * moving.u
    pion = np.isin(moving.species, (PI_PLUS, PI_MINUS)) & stops
    rest = np.where(stops, content + left, 0.0)
    visible = np.where(pion, PION_REST_VISIBLE * content, 0.0) + np.where(stops, left, 0.0)
    books.deposit(Points(end[stops], visible[stops], moving.row[stops]), SemanticClass.TRACK)
    books.invisible += float((rest - visible)[stops].sum())
    books.escaped += float((left + content)[~stops].sum())
    behind = ~stops & (end[:, 2] > books.sandwich.stack.edges[-1] - 0.01)
    behind &= np.isin(moving.species, (MUON, ANTIMUON))
    mass = MASS[moving.species]
    p = np.sqrt(left * (left + 2 * mass))[:, None] * moving.u
    books.exits.append((moving.row[behind], end[behind], p[behind]))


def _take_up(rng: np.random.Generator, books: _Books, moving: Moving) -> None:
    """Slow neutrons and other neutral hadrons: a part is seen nearby."""
    content = moving.t + REST_CONTENT[moving.species]
    seen = SLOW_VISIBLE * moving.t
    books.invisible += float((content - seen).sum())
    _blobs(rng, books, Points(moving.x, seen, moving.row))


def _blobs(rng: np.random.Generator, books: _Books, points: Points) -> None:
    """Spread energy around places."""
    number = np.clip(points.energy / BLOB_MEV, 1, 30).astype(np.int64)
    which = np.repeat(np.arange(len(number)), number)
    away = rng.standard_normal((len(which), 3))
    away *= (BLOB_CM * rng.standard_exponential(len(which)) / np.linalg.norm(away, axis=1))[:, None]
    spread = Points(points.x[which] + away, (points.energy / number)[which], points.row[which])
    books.deposit(spread, SemanticClass.LOW_ENERGY)


def _result(books: _Books, available: float) -> LayeredTransported:
    species, parent, start, momentum = (np.concatenate(each) for each in zip(*books.table, strict=True))
    x = np.concatenate([points.x for points, _ in books.points])
    energy = np.concatenate([points.energy for points, _ in books.points])
    row = np.concatenate([points.row for points, _ in books.points])
    semantic = np.concatenate([np.full(len(points.row), kind) for points, kind in books.points])
    pdg = PDG[species]
    place = x.astype(np.float32)
    deposits = Deposits(
        start=place,
        end=place,
        energy=energy.astype(np.float32),
        particle=row.astype(np.int32),
        pdg=pdg[row],
        semantic=semantic.astype(np.uint8),
        interaction=np.zeros(len(row), np.int32),
    )
    table = ParticleTable(
        pdg=pdg,
        parent=parent.astype(np.int32),
        start=start.astype(np.float32),
        momentum=momentum.astype(np.float32),
        interaction=np.zeros(len(pdg), np.int32),
    )
    budget = LayeredBudget(
        available=available,
        deposited=float(energy.sum()),
        escaped=books.escaped,
        invisible=books.invisible,
        rest_mass=books.rest,
        absorbed=books.absorbed,
    )
    exits = (
        Exits(*(np.concatenate(each) for each in zip(*books.exits, strict=True)))
        if books.exits
        else _no_exits()
    )
    return LayeredTransported(deposits, table, budget, exits)


def _no_exits() -> Exits:
    return Exits(np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros((0, 3)))
