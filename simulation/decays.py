"""Decays in flight and at rest, and what becomes of a stopped muon.

The muon's electron has the V-A spectrum dG/dx ~ x² (3 - 2x) (unpolarised, massless electron, no radiative
corrections); other decays are drawn uniformly in phase space from `particles.DECAY_DAUGHTERS`.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from nuzoo.simulation.hadrons import deexcite
from nuzoo.simulation.ledger import INVISIBLE, MICHEL, REST, SHOWER, TRACK, add_child
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
from nuzoo.simulation.phase_space import boost, share_out
from nuzoo.simulation.vectors import isotropic


@njit(cache=True)
def michel_energy(rng):  # type: ignore[no-untyped-def]
    """Total energy in MeV of the electron of a muon decay at rest."""
    end_point = (MASS[MUON] ** 2 + MASS[ELECTRON] ** 2) / (2 * MASS[MUON])
    while True:
        x = rng.random()
        if rng.random() < x * x * (3 - 2 * x) and x * end_point > MASS[ELECTRON]:
            return x * end_point


@njit(cache=True)
def decay(rng, p, ledger):  # type: ignore[no-untyped-def]
    """Replace `p` by its decay products."""
    if p.species == MUON or p.species == ANTIMUON:
        _decay_muon(rng, p, ledger)
        return
    channel = DECAY_FIRST[p.species]
    draw = rng.random()
    while DECAY_CUMULATIVE[channel] < draw and channel < DECAY_FIRST[p.species + 1] - 1:
        channel += 1
    daughters = DECAY_DAUGHTERS[channel]
    n = 0
    while n < MAX_DAUGHTERS and daughters[n] >= 0:
        n += 1
    masses = np.empty(n)
    for i in range(n):
        masses[i] = MASS[daughters[i]]
    products = np.empty((n, 4))
    share_out(rng, MASS[p.species], masses, products)
    content = p.t + REST_CONTENT[p.species]
    for i in range(n):
        content -= _release(rng, p, ledger, daughters[i], products[i])
    ledger.energy[REST] += content


@njit(cache=True)
def _decay_muon(rng, p, ledger):  # type: ignore[no-untyped-def]
    electron = ELECTRON if p.species == MUON else POSITRON
    energy = michel_energy(rng)
    momentum = math.sqrt(max(energy * energy - MASS[ELECTRON] ** 2, 0.0))
    ux, uy, uz = isotropic(rng)
    four = np.array([energy, momentum * ux, momentum * uy, momentum * uz])
    content = p.t + REST_CONTENT[p.species]
    ledger.energy[INVISIBLE] += content - _release(rng, p, ledger, electron, four)


@njit(cache=True)
def _release(rng, p, ledger, species, four):  # type: ignore[no-untyped-def]
    """Boost a product from the rest frame of `p`, put it on the stack and return its content in MeV."""
    energy = p.t + MASS[p.species]
    speed = math.sqrt(p.t * (p.t + 2 * MASS[p.species])) / energy
    boost(four, speed * p.ux, speed * p.uy, speed * p.uz)
    momentum = math.sqrt(four[1] ** 2 + four[2] ** 2 + four[3] ** 2)
    kinetic = max(four[0] - MASS[species], 0.0)
    ux, uy, uz = 0.0, 0.0, 1.0
    if momentum > 0:
        ux, uy, uz = four[1] / momentum, four[2] / momentum, four[3] / momentum
    semantic = TRACK
    if species in (PHOTON, ELECTRON, POSITRON):
        is_michel = p.species == MUON or p.species == ANTIMUON
        semantic = MICHEL if is_michel else SHOWER
    add_child(rng, ledger, p, species, ux, uy, uz, kinetic, semantic)
    return kinetic + REST_CONTENT[species]


@njit(cache=True)
def decay_at_rest(rng, p, medium, ledger):  # type: ignore[no-untyped-def]
    """Decay of a stopped particle, or capture of a mu- by a nucleus."""
    p.t = 0.0
    if p.species == MUON and rng.random() < medium.muon_capture:
        excitation = 5.0 + 10.0 * rng.standard_exponential()
        excitation = min(excitation, 60.0)
        ledger.energy[INVISIBLE] += MASS[MUON] - excitation
        deexcite(rng, p, ledger, excitation)
        return
    decay(rng, p, ledger)
