"""Photons: pair production, Compton scattering and the photoelectric effect."""

from __future__ import annotations

import math

from nuzoo.simulation.particles import ELECTRON, POSITRON
from nuzoo.simulation.transport.energy_loss import ELECTRON_MASS
from nuzoo.simulation.transport.kernel import inner
from nuzoo.simulation.transport.ledger import add_child, deposit, knock_out_electron, leave
from nuzoo.simulation.transport.medium import find_place, read
from nuzoo.simulation.transport.vectors import is_inside, turn

PHOTON_TRANSPORT_CUT = 0.1
"""MeV; softer photons are absorbed where they are."""
COULOMB_FROM = 50.0


@inner
def screened_pair(medium, energy, share):
    """Screened Phi1 and Phi2 relative to complete screening (compare `electromagnetic`)."""
    z_third, plain, coulomb, norm = medium.screening
    delta = 136 * z_third * share * ELECTRON_MASS / energy
    offset = coulomb if energy >= COULOMB_FROM else plain
    if delta <= 1:
        first = 20.867 - 3.242 * delta + 0.625 * delta * delta
        second = 20.209 - 1.930 * delta - 0.086 * delta * delta
    else:
        first = second = 21.12 - 4.184 * math.log(delta + 0.952)
    return max(first - offset, 0.0) / norm, max(second - offset, 0.0) / norm


@inner
def radiation_angle(rng, energy):
    """Polar angle of a photon from an electron, or an electron from a photon: a few me/E (Tsai)."""
    width = 1.6 if rng.random() < 0.25 else 0.5333
    u = width * (rng.standard_exponential() + rng.standard_exponential())
    return min(u * ELECTRON_MASS / energy, math.pi)


@inner
def follow_photon(rng, p, medium, box, ledger):
    """Follow a photon until it is absorbed, makes a pair or leaves."""
    while p.t >= PHOTON_TRANSPORT_CUT:
        low, part = find_place(p.t)
        free = rng.standard_exponential() / read(medium.photon_rate, low, part)
        x, y, z = p.x + free * p.ux, p.y + free * p.uy, p.z + free * p.uz
        if not is_inside(box, x, y, z):
            leave(ledger, p, box)
            return
        p.x, p.y, p.z = x, y, z
        draw = rng.random()
        if draw < read(medium.pair_share, low, part) and p.t > 2 * ELECTRON_MASS:
            _make_pair(rng, p, medium, ledger)
            return
        if draw >= read(medium.compton_share, low, part):
            break
        _scatter(rng, p, ledger)
    deposit(ledger, p, p.x, p.y, p.z, p.t)


@inner
def _make_pair(rng, p, medium, ledger):
    lowest = ELECTRON_MASS / p.t
    while True:
        share = lowest + (1 - 2 * lowest) * rng.random()
        first, second = screened_pair(medium, p.t, 1 / (share * (1 - share)))
        shape = (share**2 + (1 - share) ** 2) * first + 2 / 3 * share * (1 - share) * second
        if p.t < 2.5 or rng.random() * 1.1 < shape:
            break
    azimuth = 2 * math.pi * rng.random()
    for species, part, turned in ((ELECTRON, share, 0.0), (POSITRON, 1 - share, math.pi)):
        kinetic = max(part * p.t - ELECTRON_MASS, 0.0)
        angle = radiation_angle(rng, max(part * p.t, ELECTRON_MASS))
        ux, uy, uz = turn(p.ux, p.uy, p.uz, math.cos(angle), azimuth + turned)
        add_child(rng, ledger, p, species, ux, uy, uz, kinetic, p.semantic)


@inner
def _scatter(rng, p, ledger):
    """Compton scattering: Klein and Nishina's spectrum by the composition of Butcher and Messel."""
    a = p.t / ELECTRON_MASS
    lowest = 1 / (1 + 2 * a)
    flat, steep = (1 - lowest**2) / 2, -math.log(lowest)
    while True:
        if rng.random() * (flat + steep) < steep:
            share = lowest ** rng.random()
        else:
            share = math.sqrt(lowest**2 + (1 - lowest**2) * rng.random())
        fall = (1 - share) / (a * share)
        sine2 = fall * (2 - fall)
        if rng.random() < 1 - share * sine2 / (1 + share * share):
            break
    azimuth = 2 * math.pi * rng.random()
    kinetic = (1 - share) * p.t
    if kinetic < PHOTON_TRANSPORT_CUT:
        deposit(ledger, p, p.x, p.y, p.z, kinetic)
    else:
        momentum = math.sqrt(kinetic * (kinetic + 2 * ELECTRON_MASS))
        cosine = kinetic * (1 + 1 / a) / momentum
        ux, uy, uz = turn(p.ux, p.uy, p.uz, min(cosine, 1.0), azimuth + math.pi)
        knock_out_electron(rng, ledger, p, ux, uy, uz, kinetic, p.semantic)
    p.ux, p.uy, p.uz = turn(p.ux, p.uy, p.uz, 1 - fall, azimuth)
    p.t = share * p.t
