"""Muons and hadrons in a detector of layers, from where they start to where they stop, leave or collide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.event_types import SemanticClass
from nuzoo.simulation.particles import (
    ANTIMUON,
    CHARGE,
    MASS,
    MUON,
    PDG,
    PHOTON,
    PI_MINUS,
    PI_PLUS,
    REST_CONTENT,
    SPECIES_OF,
)
from nuzoo.simulation.transport.hadron_collisions import SLOW_VISIBLE, collide
from nuzoo.simulation.transport.sandwich_books import Books
from nuzoo.simulation.transport.sandwich_tracks import Array, Moving, Points, ionise, range_of, way_out

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


def follow_muons(rng: np.random.Generator, books: Books, moving: Moving) -> Moving:
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


def follow_hadrons(rng: np.random.Generator, books: Books, moving: Moving) -> Moving:
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
    books: Books,
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


def _way(books: Books, moving: Moving) -> tuple[Array, NDArray[np.bool_]]:
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


def _finish(books: Books, moving: Moving, way: Array, left: Array, stops: NDArray[np.bool_]) -> None:
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


def _take_up(rng: np.random.Generator, books: Books, moving: Moving) -> None:
    """Slow neutrons and other neutral hadrons: a part is seen nearby."""
    content = moving.t + REST_CONTENT[moving.species]
    seen = SLOW_VISIBLE * moving.t
    books.invisible += float((content - seen).sum())
    _blobs(rng, books, Points(moving.x, seen, moving.row))


def _blobs(rng: np.random.Generator, books: Books, points: Points) -> None:
    """Spread energy around places."""
    number = np.clip(points.energy / BLOB_MEV, 1, 30).astype(np.int64)
    which = np.repeat(np.arange(len(number)), number)
    away = rng.standard_normal((len(which), 3))
    away *= (BLOB_CM * rng.standard_exponential(len(which)) / np.linalg.norm(away, axis=1))[:, None]
    spread = Points(points.x[which] + away, (points.energy / number)[which], points.row[which])
    books.deposit(spread, SemanticClass.LOW_ENERGY)
