"""Neutral hadrons: neutrons, K0, Lambda and the like, and those that decay at once (pi0, eta, tau, charm)."""

from __future__ import annotations

import math

from nuzoo.simulation.particles import CTAU, MASS, NEUTRON
from nuzoo.simulation.transport.decays import decay
from nuzoo.simulation.transport.hadrons import deexcite, hadronic_rate, interact
from nuzoo.simulation.transport.kernel import inner
from nuzoo.simulation.transport.ledger import INVISIBLE, LOW_ENERGY, deposit, leave
from nuzoo.simulation.transport.medium import look_up
from nuzoo.simulation.transport.vectors import is_inside, turn

NEUTRON_CUT = 0.5
"""MeV; slower neutrons are invisible."""
LEVEL = 1.46
"""MeV of the first excited state of Ar-40, the commonest photon of inelastic neutron scattering."""
LEVEL_BELOW = 25.0
"""MeV; slower neutrons scatter inelastically off levels, faster ones off nucleons."""


@inner
def follow_neutral(rng, p, medium, settings, box, ledger):
    """Follow a neutral hadron from vertex to vertex."""
    while True:
        if p.species == NEUTRON and p.t < NEUTRON_CUT:
            ledger.energy[INVISIBLE] += p.t
            return
        mass = MASS[p.species]
        beta_gamma = math.sqrt(p.t * (p.t + 2 * mass)) / mass
        flight = CTAU[p.species] * beta_gamma
        hadronic = hadronic_rate(medium, p.species, p.t) if settings.hadronic else 0.0
        elastic = 0.0
        if settings.hadronic and p.species == NEUTRON:
            elastic = look_up(medium.elastic_rate, p.t)
        if settings.decays and flight <= 0:
            decay(rng, p, ledger)
            return
        decaying = 1 / flight if settings.decays else 0.0
        total = hadronic + elastic + decaying
        free = rng.standard_exponential() / total if total > 0 else math.inf
        if free > 1e6 or not is_inside(box, p.x + free * p.ux, p.y + free * p.uy, p.z + free * p.uz):
            leave(ledger, p, box)
            return
        p.x, p.y, p.z = p.x + free * p.ux, p.y + free * p.uy, p.z + free * p.uz
        draw = rng.random() * total
        if draw < decaying:
            decay(rng, p, ledger)
            return
        if draw < decaying + elastic:
            _scatter_elastically(rng, p, medium, ledger)
        elif p.species == NEUTRON and p.t < LEVEL_BELOW:
            _excite_level(rng, p, ledger)
        else:
            interact(rng, p, medium, ledger)
            return


@inner
def _scatter_elastically(rng, p, medium, ledger):
    """Isotropic in the centre of mass up to a few MeV, forward above (diffraction)."""
    a = medium.mass_number
    sharpness = p.t / 3.0
    reach = max(2 * sharpness, 1e-3)
    cosine = 1 + 2 * math.log1p(-rng.random() * (1 - math.exp(-reach))) / reach
    recoil = p.t * 2 * a / (1 + a) ** 2 * (1 - cosine)
    p.semantic = LOW_ENERGY
    deposit(ledger, p, p.x, p.y, p.z, recoil)
    p.t -= recoil
    p.ux, p.uy, p.uz = turn(p.ux, p.uy, p.uz, max(cosine, -1.0), 2 * math.pi * rng.random())


@inner
def _excite_level(rng, p, ledger):
    """Excite the nucleus by a neutron, which goes on slower; below the level it is captured in place."""
    if p.t < 1.03 * LEVEL:
        ledger.energy[INVISIBLE] += p.t
        p.t = 0.0
        return
    spent = LEVEL + (p.t - LEVEL) * 0.5 * rng.random()
    deexcite(rng, p, ledger, spent)
    p.t -= spent
    cosine = 2 * rng.random() - 1
    p.ux, p.uy, p.uz = turn(p.ux, p.uy, p.uz, cosine, 2 * math.pi * rng.random())
