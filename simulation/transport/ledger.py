"""The books of a transport run: particles still to be followed, those seen, deposits and energy.

The arrays grow between particles (`reserve`) and, for a long track, the particle is put back on the
stack when room runs short (`is_short`), so that nothing inside a step has to allocate.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.event_types import SemanticClass
from nuzoo.simulation.particles import (
    ANTI_K_ZERO,
    ELECTRON,
    FIRST_NEUTRINO,
    K_LONG,
    K_SHORT,
    K_ZERO,
    LAST_NEUTRINO,
    MASS,
    REST_CONTENT,
)
from nuzoo.simulation.transport.kernel import inner
from nuzoo.simulation.transport.vectors import distance_to_wall

MARGIN = 1024
"""Rows that one step, decay or star may add at most."""

SHOWER, TRACK, MICHEL, DELTA, LOW_ENERGY = map(int, SemanticClass)

PARTICLE = np.dtype(
    [
        *((name, np.float64) for name in ("x", "y", "z", "ux", "uy", "uz", "t", "path")),
        ("species", np.int64),
        ("row", np.int64),
        ("semantic", np.int64),
    ]
)
"""A particle being followed: position in cm, direction, kinetic energy in MeV, path so far in cm."""

ENTRY = np.dtype(
    [
        *((name, np.float64) for name in ("x", "y", "z", "px", "py", "pz")),
        ("species", np.int64),
        ("parent", np.int64),
    ]
)
"""A row of the particle table."""

SEGMENT = np.dtype(
    [
        *((name, np.float32) for name in ("x0", "y0", "z0", "x1", "y1", "z1", "energy")),
        ("particle", np.int32),
        ("semantic", np.uint8),
    ]
)
"""A deposit."""

STACK, TABLE, SEGMENTS = 0, 1, 2
DEPOSITED, ESCAPED, INVISIBLE, REST = 0, 1, 2, 3


class Ledger(NamedTuple):
    """All that a transport run writes to.

    Attributes:
        stack: `PARTICLE` rows, the next particle last.
        table: `ENTRY` rows.
        segments: `SEGMENT` rows.
        used: int64 (3,), rows in use of the three.
        energy: float64 (4,), MeV deposited, escaped, invisible and left as mass.
    """

    stack: NDArray[np.void]
    table: NDArray[np.void]
    segments: NDArray[np.void]
    used: NDArray[np.int64]
    energy: NDArray[np.float64]


def open_ledger(rows: int = 8 * MARGIN) -> Ledger:
    """Empty books with room for some rows."""
    return Ledger(
        np.empty(4 * MARGIN, PARTICLE),
        np.empty(rows, ENTRY),
        np.empty(2 * rows, SEGMENT),
        np.zeros(3, np.int64),
        np.zeros(4),
    )


@inner
def is_short(ledger: Ledger) -> bool:
    """Whether there is too little room for another step."""
    return (
        ledger.used[STACK] + MARGIN > len(ledger.stack)
        or ledger.used[TABLE] + MARGIN > len(ledger.table)
        or ledger.used[SEGMENTS] + MARGIN > len(ledger.segments)
    )


@inner
def _grown(rows, used):
    if used + 2 * MARGIN <= len(rows):
        return rows
    larger = np.empty(2 * len(rows), rows.dtype)
    for i in range(used):
        larger[i] = rows[i]
    return larger


@inner
def reserve(ledger: Ledger) -> Ledger:
    """Return the same books with room for more."""
    return Ledger(
        _grown(ledger.stack, ledger.used[STACK]),
        _grown(ledger.table, ledger.used[TABLE]),
        _grown(ledger.segments, ledger.used[SEGMENTS]),
        ledger.used,
        ledger.energy,
    )


@inner
def add_particle(rng, ledger, parent, species, x, y, z, ux, uy, uz, t, semantic):
    """Write a new particle into the table and put it on the stack; neutrinos leave at once."""
    if FIRST_NEUTRINO <= species <= LAST_NEUTRINO:
        ledger.energy[INVISIBLE] += t
    if species in (K_ZERO, ANTI_K_ZERO):
        species = K_SHORT if rng.random() < 0.5 else K_LONG
    row = ledger.used[TABLE]
    p = np.sqrt(max(t * (t + 2 * MASS[species]), 0.0))
    entry = ledger.table[row]
    entry.x, entry.y, entry.z = x, y, z
    entry.px, entry.py, entry.pz = p * ux, p * uy, p * uz
    entry.species, entry.parent = species, parent
    ledger.used[TABLE] = row + 1
    if FIRST_NEUTRINO <= species <= LAST_NEUTRINO:
        return
    new = ledger.stack[ledger.used[STACK]]
    new.x, new.y, new.z = x, y, z
    new.ux, new.uy, new.uz = ux, uy, uz
    new.t, new.path = t, 0.0
    new.species, new.row, new.semantic = species, row, semantic
    ledger.used[STACK] += 1


@inner
def add_child(rng, ledger, p, species, ux, uy, uz, t, semantic):
    """Return a new particle that starts where `p` is."""
    add_particle(rng, ledger, p.row, species, p.x, p.y, p.z, ux, uy, uz, t, semantic)


@inner
def knock_out_electron(rng, ledger, p, ux, uy, uz, t, semantic):
    """Set an electron of the medium free, its mass taken from the medium."""
    ledger.energy[REST] -= MASS[ELECTRON]
    add_child(rng, ledger, p, ELECTRON, ux, uy, uz, t, semantic)


@inner
def put_back(ledger, p):
    """Return a particle to the stack as it is, to be followed further."""
    ledger.stack[ledger.used[STACK]] = p
    ledger.used[STACK] += 1


@inner
def deposit(ledger, p, x, y, z, energy):
    """Deposit energy on the straight line from where `p` is to (x, y, z), and move `p` there."""
    if energy > 0:
        segment = ledger.segments[ledger.used[SEGMENTS]]
        segment.x0, segment.y0, segment.z0 = p.x, p.y, p.z
        segment.x1, segment.y1, segment.z1 = x, y, z
        segment.energy, segment.particle, segment.semantic = energy, p.row, p.semantic
        ledger.used[SEGMENTS] += 1
        ledger.energy[DEPOSITED] += energy
    p.x, p.y, p.z = x, y, z


@inner
def escape(ledger, p):
    """Count what a particle carries out of the volume."""
    ledger.energy[ESCAPED] += p.t + REST_CONTENT[p.species]


@inner
def leave(ledger, p, box):
    """Take a particle straight to the wall of the box, and out."""
    way = distance_to_wall(box, p.x, p.y, p.z, p.ux, p.uy, p.uz)
    p.x, p.y, p.z = p.x + way * p.ux, p.y + way * p.uy, p.z + way * p.uz
    escape(ledger, p)


@inner
def stop_here(ledger, p):
    """Deposit what is left of the kinetic energy; the mass stays."""
    deposit(ledger, p, p.x, p.y, p.z, p.t)
    ledger.energy[REST] += REST_CONTENT[p.species]
    p.t = 0.0
