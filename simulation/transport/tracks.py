"""Muons, charged hadrons and light nuclei: step by step until they stop, leave, decay or interact.

The mean loss is Bethe's with the density effect. Collisions with electrons above a small transfer are
drawn one by one from the 1/T² spectrum (those above the delta cut become electrons of their own), the
softer ones are a Gaussian around the restricted mean: so Landau's distribution comes out, the mean is
exact, and every MeV is accounted for.
"""

from __future__ import annotations

import math

from nuzoo.simulation.particles import ANTIPROTON, CHARGE, CTAU, K_MINUS, MASS, PI_MINUS, SIGMA_MINUS
from nuzoo.simulation.transport.decays import decay, decay_at_rest
from nuzoo.simulation.transport.energy_loss import ELECTRON_MASS
from nuzoo.simulation.transport.hadrons import capture_star, hadronic_rate, interact
from nuzoo.simulation.transport.kernel import inner
from nuzoo.simulation.transport.ledger import (
    DELTA,
    deposit,
    escape,
    is_short,
    knock_out_electron,
    put_back,
    stop_here,
)
from nuzoo.simulation.transport.stepping import COLLISIONS, bend, density_effect, scatter
from nuzoo.simulation.transport.vectors import distance_to_wall, is_inside, turn

SHORTEST_STEP = 0.03
"""cm; a particle with less range than this ends in one step."""
RANGE_EXPONENT = 1.8
"""Below the minimum of ionisation the range is about T / (1.8 dE/dx)."""


@inner
def track(rng, p, medium, settings, box, ledger):
    """Follow a charged particle that is not an electron."""
    mass, charge = MASS[p.species], abs(CHARGE[p.species])
    while True:
        if is_short(ledger):
            put_back(ledger, p)
            return
        if p.t < 0.02:
            _end(rng, p, medium, settings, ledger)
            return
        gamma = 1 + p.t / mass
        bg2 = gamma * gamma - 1
        beta2 = bg2 / (gamma * gamma)
        ratio = ELECTRON_MASS / mass
        largest = 2 * ELECTRON_MASS * bg2 / (1 + 2 * gamma * ratio + ratio * ratio)
        xi_per_cm = medium.xi_per_cm * charge * charge / beta2
        logs = math.log(2 * ELECTRON_MASS * bg2 / medium.excitation**2)
        logs -= density_effect(medium, math.sqrt(bg2))
        loss = xi_per_cm * max(logs + math.log(largest) - 2 * beta2, 1.0)
        left = p.t / (RANGE_EXPONENT * loss)
        if left < SHORTEST_STEP:
            _last_step(p, box, ledger, left)
            _end(rng, p, medium, settings, ledger)
            return

        step = min(settings.max_step, max(SHORTEST_STEP, 0.15 * left))
        hadronic = hadronic_rate(medium, p.species, p.t) if settings.hadronic else 0.0
        decaying = 1 / (CTAU[p.species] * math.sqrt(bg2)) if settings.decays else 0.0
        free = math.inf
        if hadronic + decaying > 0:
            free = rng.standard_exponential() / (hadronic + decaying)
        happens = free < step
        step = min(step, free)
        leaves = not is_inside(box, p.x + step * p.ux, p.y + step * p.uy, p.z + step * p.uz)
        if leaves:
            step = distance_to_wall(box, p.x, p.y, p.z, p.ux, p.uy, p.uz)

        slowing = 1 + 0.85 * loss * step / (p.t * gamma * (gamma + 1))
        lost = _collide(
            rng, p, settings, ledger, xi_per_cm * step * slowing, logs, beta2, largest, gamma, mass
        )
        lost = min(lost, p.t)
        p.t -= lost
        deposit(ledger, p, p.x + step * p.ux, p.y + step * p.uy, p.z + step * p.uz, lost)
        if leaves:
            escape(ledger, p)
            return
        beta_p = (p.t + 1e-3) * (p.t + 2 * mass) / (p.t + mass)
        scatter(rng, p, medium, beta_p, charge, step)
        bend(p, settings, CHARGE[p.species], math.sqrt((p.t + 1e-3) * (p.t + 2 * mass)), step)
        if happens and rng.random() * (hadronic + decaying) < hadronic:
            interact(rng, p, medium, ledger)
            return
        if happens:
            decay(rng, p, ledger)
            return


@inner
def _collide(rng, p, settings, ledger, xi, logs, beta2, largest, gamma, mass):
    """Energy given to electrons below the delta cut on a step of Landau width `xi` MeV.

    Transfers T above xi / COLLISIONS are a Poisson process, uniform in 1/T, thinned by the spin-0 factor.
    """
    soft = min(xi / COLLISIONS, largest)
    mean = xi * max(logs + math.log(soft) - beta2 * (1 + soft / largest), 0.0)
    spread = math.sqrt(xi * soft * (1 - beta2 * soft / (2 * largest)))
    lost = max(mean + spread * rng.standard_normal(), 0.0)
    inverse = 1 / largest + rng.standard_exponential() / xi
    while inverse < 1 / soft:
        transfer = 1 / inverse
        inverse += rng.standard_exponential() / xi
        if rng.random() < beta2 * transfer / largest:
            continue
        if transfer < settings.delta_cut:
            lost += transfer
        elif transfer < p.t - lost:
            _delta_ray(rng, p, ledger, transfer, largest)
    return lost


@inner
def _delta_ray(rng, p, ledger, energy, largest):
    momentum = math.sqrt(energy * (energy + 2 * ELECTRON_MASS))
    highest = math.sqrt(largest * (largest + 2 * ELECTRON_MASS))
    cosine = energy / momentum * highest / largest
    ux, uy, uz = turn(p.ux, p.uy, p.uz, min(cosine, 1.0), 2 * math.pi * rng.random())
    p.t -= energy
    knock_out_electron(rng, ledger, p, ux, uy, uz, energy, DELTA)


@inner
def _last_step(p, box, ledger, length):
    length = min(length, distance_to_wall(box, p.x, p.y, p.z, p.ux, p.uy, p.uz))
    deposit(ledger, p, p.x + length * p.ux, p.y + length * p.uy, p.z + length * p.uz, p.t)
    p.path += length
    p.t = 0.0


@inner
def _end(rng, p, medium, settings, ledger):
    """Say what happens to a particle at rest."""
    deposit(ledger, p, p.x, p.y, p.z, p.t)
    p.t = 0.0
    captured = p.species in (PI_MINUS, K_MINUS, SIGMA_MINUS, ANTIPROTON)
    if captured and settings.hadronic:
        capture_star(rng, p, medium, ledger)
    elif CTAU[p.species] < math.inf and settings.decays:
        decay_at_rest(rng, p, medium, ledger)
    else:
        stop_here(ledger, p)
