"""Particles of one interaction through a detector of layers, generation after generation, all of one at once.

Much faster than the exact transport of `engine`, and coarser: TeV events have thousands of particles. See
docs/fasercal.md for what is left out.
"""

from __future__ import annotations

import numpy as np

from nuzoo.simulation.event_types import SemanticClass
from nuzoo.simulation.interactions.high_energy import DecayedInteraction
from nuzoo.simulation.particles import (
    ANTIMUON,
    CHARGE,
    ELECTRON,
    FIRST_NEUTRINO,
    LAST_NEUTRINO,
    MASS,
    MUON,
    PHOTON,
    PI_ZERO,
    POSITRON,
    REST_CONTENT,
    SPECIES_OF,
)
from nuzoo.simulation.sandwich import Sandwich
from nuzoo.simulation.transport.sandwich_books import Books, LayeredTransported
from nuzoo.simulation.transport.sandwich_flights import follow_hadrons, follow_muons
from nuzoo.simulation.transport.sandwich_showers import showers
from nuzoo.simulation.transport.sandwich_tracks import (
    Array,
    Moving,
    Points,
    contained,
    ionise,
    upright,
    way_out,
)

MOST_GENERATIONS = 60


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
    books = Books(sandwich)
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
    return books.result(available)


def _short_tracks(
    rng: np.random.Generator, books: Books, moving: Moving, interaction: DecayedInteraction
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


def _inside(books: Books, moving: Moving) -> Moving:
    """Count what starts outside of the detector, and neutrinos, and return the others."""
    at = Points(moving.x, moving.t, moving.row)
    neutrino = (moving.species >= FIRST_NEUTRINO) & (moving.species <= LAST_NEUTRINO)
    inside = contained(books.sandwich, at)
    content = moving.t + REST_CONTENT[moving.species]
    books.invisible += float(content[neutrino].sum())
    books.escaped += float(content[~neutrino & ~inside].sum())
    return moving.those(inside & ~neutrino)


def _generation(rng: np.random.Generator, books: Books, moving: Moving) -> Moving:
    """Follow particles to their ends; returns what they set free."""
    species = moving.species
    showering = np.isin(species, (PHOTON, ELECTRON, POSITRON))
    pi_zero, muon = species == PI_ZERO, np.isin(species, (MUON, ANTIMUON))
    born = [_decay_pi_zero(rng, books, moving.those(pi_zero))]
    if muon.any():
        born.append(follow_muons(rng, books, moving.those(muon)))
    if showering.any():
        _shower(rng, books, moving.those(showering))
    hadron = ~(showering | pi_zero | muon)
    if hadron.any():
        born.append(follow_hadrons(rng, books, moving.those(hadron)))
    return _inside(books, Moving.together(born))


def _decay_pi_zero(rng: np.random.Generator, books: Books, moving: Moving) -> Moving:
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


def _shower(rng: np.random.Generator, books: Books, moving: Moving) -> None:
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
