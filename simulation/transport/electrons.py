"""Electrons and positrons: collisions (Moller), bremsstrahlung and annihilation at rest."""

from __future__ import annotations

import math

from nuzoo.simulation.particles import CHARGE, PHOTON, POSITRON
from nuzoo.simulation.transport.energy_loss import ELECTRON_MASS
from nuzoo.simulation.transport.kernel import inner
from nuzoo.simulation.transport.ledger import (
    LOW_ENERGY,
    REST,
    SHOWER,
    add_child,
    deposit,
    escape,
    is_short,
    knock_out_electron,
    put_back,
)
from nuzoo.simulation.transport.medium import PHOTON_CUT, find_place, read
from nuzoo.simulation.transport.photons import radiation_angle, screened_pair
from nuzoo.simulation.transport.stepping import COLLISIONS, bend, scatter
from nuzoo.simulation.transport.vectors import distance_to_wall, is_inside, isotropic, turn

SHORTEST_STEP = 0.1
"""cm; an electron with about this range left ends in one step."""
LOW_ENERGY_PHOTON = 5.0
"""MeV; what softer photons set free is called low energy, not shower."""


@inner
def photon_semantic(parent, energy):
    """Class of what a photon will set free: only showers breed showers."""
    return SHOWER if parent == SHOWER and energy >= LOW_ENERGY_PHOTON else LOW_ENERGY


@inner
def follow_electron(rng, p, medium, settings, box, ledger):
    """Follow an electron or positron until it stops or leaves."""
    while True:
        if is_short(ledger):
            put_back(ledger, p)
            return
        tau = max(p.t, 1e-3) / ELECTRON_MASS
        gamma = 1 + tau
        bg2 = gamma * gamma - 1
        beta2 = bg2 / (gamma * gamma)
        xi_per_cm = medium.xi_per_cm / beta2
        low, part = find_place(p.t)
        logs = read(medium.electron_log, low, part)
        approximate = xi_per_cm * (logs + 2 * math.log(tau) + 0.6)
        if p.t < approximate * SHORTEST_STEP or p.t < 0.05:
            _last_step(rng, p, box, ledger, 0.6 * p.t / approximate)
            return

        step = min(settings.max_step, max(SHORTEST_STEP, 0.2 * p.t / approximate))
        free = rng.standard_exponential() / max(read(medium.brems_rate, low, part), 1e-9)
        radiates = free < step
        step = min(step, free)
        leaves = not is_inside(box, p.x + step * p.ux, p.y + step * p.uy, p.z + step * p.uz)
        if leaves:
            step = distance_to_wall(box, p.x, p.y, p.z, p.ux, p.uy, p.uz)

        lost = step * read(medium.brems_loss, low, part)
        lost += _collide(rng, p, settings, ledger, xi_per_cm * step, logs, beta2, gamma)
        lost = min(lost, p.t)
        p.t -= lost
        deposit(ledger, p, p.x + step * p.ux, p.y + step * p.uy, p.z + step * p.uz, lost)
        if leaves:
            escape(ledger, p)
            return
        beta_p = (p.t + 1e-2) * (p.t + 2 * ELECTRON_MASS) / (p.t + ELECTRON_MASS)
        scatter(rng, p, medium, beta_p, 1.0, step)
        bend(p, settings, CHARGE[p.species], math.sqrt((p.t + 1e-2) * (p.t + 2 * ELECTRON_MASS)), step)
        if radiates and p.t > PHOTON_CUT:
            _radiate(rng, p, medium, ledger)


@inner
def _restricted_log(soft, tau, gamma):
    """Return the part of Berger and Seltzer's F- that depends on the largest transfer, `soft` (in me)."""
    value = math.log((tau - soft) * soft) + tau / (tau - soft)
    return value + (soft**2 / 2 + (2 * tau + 1) * math.log(1 - soft / tau)) / gamma**2


@inner
def _moller_weight(share, gamma):
    """Moller's cross-section over xi / T², for a share of the kinetic energy."""
    exchange = (2 * gamma - 1) / gamma**2
    other = 1 - share
    weight = 1 - share * exchange + (share * (gamma - 1) / gamma) ** 2
    return weight + (share / other) ** 2 - share * share * exchange / other


@inner
def _collide(rng, p, settings, ledger, xi, logs, beta2, gamma):
    """Energy given to electrons below the delta cut; those above it become particles."""
    tau = gamma - 1
    largest = 0.5 * p.t
    soft = min(xi / COLLISIONS, largest)
    mean = xi * max(logs + _restricted_log(soft / ELECTRON_MASS, tau, gamma), 0.0)
    lost = max(mean + math.sqrt(xi * soft) * rng.standard_normal(), 0.0)
    bound = max(_moller_weight(0.5, gamma), 1.0)
    inverse = 1 / largest + rng.standard_exponential() / (xi * bound)
    while inverse < 1 / soft:
        transfer = 1 / inverse
        weight = _moller_weight(transfer / p.t, gamma) / bound
        bound = max(min(bound, weight * bound), 1.0)
        accepted = rng.random() < weight
        inverse += rng.standard_exponential() / (xi * bound)
        if not accepted:
            continue
        if transfer < settings.delta_cut:
            lost += transfer
        elif transfer < p.t - lost:
            _delta_ray(rng, p, ledger, transfer)
    return lost


@inner
def _delta_ray(rng, p, ledger, energy):
    cosine = math.sqrt(energy * (p.t + 2 * ELECTRON_MASS) / (p.t * (energy + 2 * ELECTRON_MASS)))
    ux, uy, uz = turn(p.ux, p.uy, p.uz, min(cosine, 1.0), 2 * math.pi * rng.random())
    p.t -= energy
    knock_out_electron(rng, ledger, p, ux, uy, uz, energy, p.semantic)


@inner
def _radiate(rng, p, medium, ledger):
    """Emit one photon above the cut: 1/k, thinned by the screened spectrum."""
    total = p.t + ELECTRON_MASS
    while True:
        k = PHOTON_CUT * (p.t / PHOTON_CUT) ** rng.random()
        share = k / total
        first, second = screened_pair(medium, total, share / (1 - share))
        shape = (1 + (1 - share) ** 2) * first - 2 / 3 * (1 - share) * second
        if rng.random() * 1.4 < shape:
            break
    angle = radiation_angle(rng, total)
    ux, uy, uz = turn(p.ux, p.uy, p.uz, math.cos(angle), 2 * math.pi * rng.random())
    p.t -= k
    add_child(rng, ledger, p, PHOTON, ux, uy, uz, k, photon_semantic(p.semantic, k))


@inner
def _last_step(rng, p, box, ledger, length):
    length = min(length, distance_to_wall(box, p.x, p.y, p.z, p.ux, p.uy, p.uz))
    deposit(ledger, p, p.x + length * p.ux, p.y + length * p.uy, p.z + length * p.uz, p.t)
    p.t = 0.0
    if p.species != POSITRON:
        ledger.energy[REST] += ELECTRON_MASS
        return
    ux, uy, uz = isotropic(rng)
    ledger.energy[REST] -= ELECTRON_MASS
    for sign in (1.0, -1.0):
        add_child(rng, ledger, p, PHOTON, sign * ux, sign * uy, sign * uz, ELECTRON_MASS, LOW_ENERGY)
