"""Decays in flight and at rest, and what becomes of a stopped muon.

The muon's electron has the V-A spectrum dG/dx ~ x² (3 - 2x) (unpolarised, massless electron, no radiative
corrections); other decays are drawn uniformly in phase space from `particles.DECAY_DAUGHTERS`.
"""

from __future__ import annotations

import math

import numpy as np

from nuzoo.simulation.particles import (
    ANTIMUON,
    DECAY_CUMULATIVE,
    DECAY_DAUGHTERS,
    DECAY_FIRST,
    ELECTRON,
    MASS,
    MAX_DAUGHTERS,
    MUON,
    PHOTON,
    POSITRON,
    REST_CONTENT,
)
from nuzoo.simulation.transport.hadrons import deexcite
from nuzoo.simulation.transport.kernel import inner
from nuzoo.simulation.transport.ledger import INVISIBLE, MICHEL, REST, SHOWER, TRACK, add_child
from nuzoo.simulation.transport.phase_space import boost, set_row, share_out
from nuzoo.simulation.transport.vectors import isotropic


@inner
def michel_energy(rng):
    """Total energy in MeV of the electron of a muon decay at rest."""
    end_point = (MASS[MUON] ** 2 + MASS[ELECTRON] ** 2) / (2 * MASS[MUON])
    while True:
        x = rng.random()
        if rng.random() < x * x * (3 - 2 * x) and x * end_point > MASS[ELECTRON]:
            return x * end_point


@inner
def decay(rng, p, ledger):
    """Replace `p` by its decay products."""
    if p.species == MUON or p.species == ANTIMUON:
        _decay_muon(rng, p, ledger)
        return
    channel = DECAY_FIRST[p.species]
    draw = rng.random()
    while DECAY_CUMULATIVE[channel] < draw and channel < DECAY_FIRST[p.species + 1] - 1:
        channel += 1
    kinds = np.empty(MAX_DAUGHTERS, np.int64)
    four = np.empty((MAX_DAUGHTERS, 4))
    n = 0
    while n < MAX_DAUGHTERS and DECAY_DAUGHTERS[channel, n] >= 0:
        kinds[n] = DECAY_DAUGHTERS[channel, n]
        n += 1
    momentum = math.sqrt(p.t * (p.t + 2 * MASS[p.species]))
    share_out(rng, MASS[p.species], momentum * p.ux, momentum * p.uy, momentum * p.uz, kinds, four, 0, n)
    content = p.t + REST_CONTENT[p.species]
    for i in range(n):
        content -= _release(rng, p, ledger, kinds[i], four, i)
    ledger.energy[REST] += content


@inner
def _decay_muon(rng, p, ledger):
    electron = ELECTRON if p.species == MUON else POSITRON
    energy = michel_energy(rng)
    momentum = math.sqrt(max(energy * energy - MASS[ELECTRON] ** 2, 0.0))
    ux, uy, uz = isotropic(rng)
    four = np.empty((1, 4))
    set_row(four, 0, energy, momentum * ux, momentum * uy, momentum * uz)
    speed = math.sqrt(p.t * (p.t + 2 * MASS[p.species])) / (p.t + MASS[p.species])
    boost(four, 0, 1, speed * p.ux, speed * p.uy, speed * p.uz)
    content = p.t + REST_CONTENT[p.species]
    ledger.energy[INVISIBLE] += content - _release(rng, p, ledger, electron, four, 0)


@inner
def _release(rng, p, ledger, species, four, row):
    """Put a decay product on the stack and return what it counts for in the budget, MeV."""
    momentum = math.sqrt(four[row, 1] ** 2 + four[row, 2] ** 2 + four[row, 3] ** 2)
    kinetic = max(four[row, 0] - MASS[species], 0.0)
    ux, uy, uz = 0.0, 0.0, 1.0
    if momentum > 0:
        ux, uy, uz = four[row, 1] / momentum, four[row, 2] / momentum, four[row, 3] / momentum
    semantic = TRACK
    if species in (PHOTON, ELECTRON, POSITRON):
        semantic = MICHEL if p.species in (MUON, ANTIMUON) else SHOWER
    add_child(rng, ledger, p, species, ux, uy, uz, kinetic, semantic)
    return kinetic + REST_CONTENT[species]


@inner
def decay_at_rest(rng, p, medium, ledger):
    """Decay of a stopped particle, or capture of a mu- by a nucleus."""
    p.t = 0.0
    if p.species == MUON and rng.random() < medium.muon_capture:
        excitation = 5.0 + 10.0 * rng.standard_exponential()
        excitation = min(excitation, 60.0)
        ledger.energy[INVISIBLE] += MASS[MUON] - excitation
        deexcite(rng, p, ledger, excitation)
        return
    decay(rng, p, ledger)
