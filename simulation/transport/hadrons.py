"""Hadrons meeting nuclei: a small cascade of hadron-nucleon collisions, absorption and evaporation.

Model, not data: a hadron hits a nucleon that moves with a Fermi momentum and is bound by
`REMOVAL_ENERGY`; the two become a forward and a backward cluster that decay in phase space into
hadron, nucleon and a Poisson number of pions; products may collide again; pions may be absorbed by a pair
of nucleons; what the holes leave as excitation evaporates nucleons and photons. Energy is conserved
exactly, momentum up to the recoil of the nucleus.
"""

from __future__ import annotations

import math

import numpy as np

from nuzoo.simulation.particles import (
    ALPHA,
    ANTI_K_ZERO,
    ANTINEUTRON,
    ANTIPROTON,
    BARYON,
    CHARGE,
    K_LONG,
    K_MINUS,
    K_PLUS,
    K_ZERO,
    LAMBDA,
    MASS,
    NEUTRON,
    PHOTON,
    PI_MINUS,
    PI_PLUS,
    PI_ZERO,
    PROTON,
    REST_CONTENT,
    SIGMA_MINUS,
    SIGMA_PLUS,
)
from nuzoo.simulation.transport.kernel import inner
from nuzoo.simulation.transport.ledger import INVISIBLE, LOW_ENERGY, REST, TRACK, add_child
from nuzoo.simulation.transport.medium import look_up
from nuzoo.simulation.transport.phase_space import boost, set_row, share_out, two_body_momentum
from nuzoo.simulation.transport.vectors import isotropic, turn

FERMI_MOMENTUM = 240.0
"""MeV/c (Ar: 242 and 259 for protons and neutrons; C: 221)."""
REMOVAL_ENERGY = 25.0
"""MeV to take a bound nucleon away, of which `SEPARATION_ENERGY` is binding and the rest excites."""
SEPARATION_ENERGY = 8.0
PAULI_MOMENTUM = 200.0
"""MeV/c; nucleons slower than this find no free state."""
RESCATTERING = 0.35
"""Chance that a product of a collision collides again before it leaves the nucleus."""
SLOPE = 6e-6
"""Slope b of exp(b t) in (MeV/c)^-2."""
CLUSTER_ENERGY = 350.0
"""Mean internal energy in MeV that a pion adds to its cluster."""
BANK = 64
MAX_PIONS = 10


@inner
def is_pion(species):
    """Whether the species is a pion of any charge."""
    return species in (PI_PLUS, PI_MINUS, PI_ZERO)


@inner
def is_nucleon(species):
    """Whether the species is a proton or neutron."""
    return species in (PROTON, NEUTRON)


@inner
def hadronic_rate(medium, species, kinetic):
    """Interactions with nuclei per cm."""
    if species in (PI_PLUS, PI_MINUS):
        return look_up(medium.pion_rate, kinetic)
    if is_nucleon(species) or species in (K_MINUS, ANTI_K_ZERO):
        return look_up(medium.nucleon_rate, kinetic)
    if species in (K_PLUS, K_ZERO):
        return 0.53 * look_up(medium.nucleon_rate, max(kinetic, 50.0))
    if species == K_LONG:
        return 0.75 * look_up(medium.nucleon_rate, max(kinetic, 50.0))
    if species in (ANTIPROTON, ANTINEUTRON):
        return 1.5 * look_up(medium.nucleon_rate, max(kinetic, 50.0))
    if abs(BARYON[species]) == 1:
        return 0.85 * look_up(medium.nucleon_rate, max(kinetic, 50.0))
    return 0.0


@inner
def interact(rng, p, medium, ledger):
    """Replace `p` by the products of its inelastic interaction with a nucleus."""
    kinds = np.empty(BANK, np.int64)
    four = np.empty((BANK, 4))
    momentum = math.sqrt(p.t * (p.t + 2 * MASS[p.species]))
    kinds[0] = p.species
    if p.species == K_LONG:
        kinds[0] = K_ZERO if rng.random() < 0.5 else ANTI_K_ZERO
    set_row(four, 0, p.t + MASS[p.species], momentum * p.ux, momentum * p.uy, momentum * p.uz)
    proton_share = medium.atomic_number / medium.mass_number
    holes, n, i = 0, 1, 0
    while i < n:
        again = i == 0 or rng.random() < RESCATTERING
        if again and n + MAX_PIONS + 3 < BANK and holes < medium.mass_number - 2:
            added, used = _collide(rng, kinds, four, i, n, proton_share)
            if used > 0:
                n += added
                holes += used
                kinds[i] = -1
        i += 1
    _settle(rng, p, ledger, kinds, four, n, holes)


@inner
def capture_star(rng, p, medium, ledger):
    """Say what follows when a negative hadron at rest is captured by a nucleus."""
    p.t = 0.0
    if p.species == SIGMA_MINUS:
        _convert_sigma(rng, p, ledger)
        return
    interact(rng, p, medium, ledger)


@inner
def _convert_sigma(rng, p, ledger):
    """Sigma- p -> Lambda n at rest, the Lambda's mass excess shared by the two."""
    energy = MASS[SIGMA_MINUS] - MASS[LAMBDA] - REMOVAL_ENERGY
    part = MASS[NEUTRON] / (MASS[NEUTRON] + MASS[LAMBDA])
    ux, uy, uz = isotropic(rng)
    add_child(rng, ledger, p, LAMBDA, ux, uy, uz, part * energy, TRACK)
    add_child(rng, ledger, p, NEUTRON, -ux, -uy, -uz, (1 - part) * energy, LOW_ENERGY)
    ledger.energy[INVISIBLE] += REMOVAL_ENERGY


@inner
def _settle(rng, p, ledger, kinds, four, n, holes):
    """Send out what left the cascade and close the books with the nucleus."""
    left = p.t + REST_CONTENT[p.species]
    heavy = -BARYON[p.species] if REST_CONTENT[p.species] > 0 else 0
    slow = 0.0
    for i in range(n):
        kind = kinds[i]
        if kind < 0:
            continue
        momentum = math.sqrt(four[i, 1] ** 2 + four[i, 2] ** 2 + four[i, 3] ** 2)
        kinetic = max(four[i, 0] - MASS[kind], 0.0)
        if is_nucleon(kind) and kinetic < (5.0 if kind == PROTON else 0.5):
            slow += kinetic
            continue
        if REST_CONTENT[kind] > 0:
            heavy += BARYON[kind]
        semantic = LOW_ENERGY if is_nucleon(kind) and kinetic < 10 else TRACK
        ux, uy, uz = p.ux, p.uy, p.uz
        if momentum > 0:
            ux, uy, uz = four[i, 1] / momentum, four[i, 2] / momentum, four[i, 3] / momentum
        add_child(rng, ledger, p, kind, ux, uy, uz, kinetic, semantic)
        left -= kinetic + REST_CONTENT[kind]
    ledger.energy[REST] -= heavy * MASS[PROTON]
    left += heavy * MASS[PROTON]
    excitation = min(slow + holes * (REMOVAL_ENERGY - SEPARATION_ENERGY), left)
    if holes == 0:
        excitation = left
    if excitation > 0:
        deexcite(rng, p, ledger, excitation)
        left -= excitation
    ledger.energy[INVISIBLE] += left


@inner
def deexcite(rng, p, ledger, excitation):
    """Spend the excitation of a nucleus (MeV) on evaporated nucleons, alphas and photons."""
    left = excitation
    while left > SEPARATION_ENERGY + 4:
        draw = rng.random()
        kinetic = 1.3 * (rng.standard_exponential() + rng.standard_exponential())
        species = NEUTRON
        if draw > 0.9:
            species = ALPHA
            kinetic += 5.0
        elif draw > 0.65:
            species = PROTON
            kinetic += 3.0
        if kinetic + SEPARATION_ENERGY > left:
            break
        ux, uy, uz = isotropic(rng)
        add_child(rng, ledger, p, species, ux, uy, uz, kinetic, LOW_ENERGY)
        ledger.energy[INVISIBLE] += SEPARATION_ENERGY
        left -= kinetic + SEPARATION_ENERGY
    while left > 0.1:
        energy = min(left, 1.0 + 1.5 * rng.standard_exponential())
        ux, uy, uz = isotropic(rng)
        add_child(rng, ledger, p, PHOTON, ux, uy, uz, energy, LOW_ENERGY)
        left -= energy
    ledger.energy[INVISIBLE] += left


@inner
def absorption_probability(kinetic):
    """Chance that a pion's collision is an absorption (after Ashery et al., 1981)."""
    return 0.35 / (1 + (kinetic / 350) ** 2)


@inner
def _collide(rng, kinds, four, i, n, proton_share):
    """Let hadron i of the bank hit a nucleon; products go to the bank from row n on.

    Returns:
        How many products, and how many nucleons they used up (0: nothing happened).
    """
    kind = kinds[i]
    kinetic = four[i, 0] - MASS[kind]
    if is_pion(kind) and (kinetic <= 0 or rng.random() < absorption_probability(kinetic)):
        return _absorb(rng, kinds, four, i, n)
    if kind in (ANTIPROTON, ANTINEUTRON):
        return _annihilate(rng, kinds, four, i, n, proton_share)
    for _ in range(10):
        added = _scatter(rng, kinds, four, i, n, proton_share)
        if added > 0:
            return added, 1
    return 0, 0


@inner
def _target(rng, kind, kinetic, proton_share):
    """Proton or neutron; at the Delta, a pi+ prefers protons (and a pi- neutrons) three to one."""
    weight = 1.0
    if kinetic < 500 and kind == PI_PLUS:
        weight = 3.0
    elif kinetic < 500 and kind == PI_MINUS:
        weight = 1 / 3
    protons = proton_share * weight
    return PROTON if rng.random() * (protons + 1 - proton_share) < protons else NEUTRON


@inner
def _scatter(rng, kinds, four, i, n, proton_share):
    """One hadron-nucleon collision; 0 products if it is kinematically or Pauli forbidden."""
    kind = kinds[i]
    target = _target(rng, kind, four[i, 0] - MASS[kind], proton_share)
    fermi = FERMI_MOMENTUM * rng.random() ** (1 / 3)
    ux, uy, uz = isotropic(rng)
    px, py, pz = four[i, 1] + fermi * ux, four[i, 2] + fermi * uy, four[i, 3] + fermi * uz
    energy = four[i, 0] + MASS[target] - REMOVAL_ENERGY
    square = energy * energy - px * px - py * py - pz * pz
    if square <= 0:
        return 0
    w = math.sqrt(square)
    free = w - MASS[kind] - MASS[target]
    pions = 0
    if free > 145:
        pions = rng.poisson(2.2 * math.log1p(0.0007 * free))
        pions = min(pions, int(free / 160), MAX_PIONS)
    strange = kind in (K_MINUS, ANTI_K_ZERO)
    last = n + 2 + pions
    nucleon = n + 1 + int(rng.random() * (pions + 1))
    _name_products(rng, kinds, n, nucleon, last, kind, target, strange)
    free_energy = w
    for j in range(n, last):
        free_energy -= MASS[kinds[j]]
    if free_energy <= 0:
        return 0
    _send_out(rng, kinds, four, i, n, nucleon, last, w, free_energy, px, py, pz)
    momentum2 = four[nucleon, 1] ** 2 + four[nucleon, 2] ** 2 + four[nucleon, 3] ** 2
    if is_nucleon(kinds[nucleon]) and momentum2 < PAULI_MOMENTUM**2:
        return 0
    return 2 + pions


@inner
def _name_products(rng, kinds, n, nucleon, last, kind, target, strange):
    """Choose the charges: hadron in row n, baryon in row `nucleon`, pions in the rows between and after."""
    charge = CHARGE[kind] + CHARGE[target]
    for _ in range(100):
        total = 0.0
        for j in range(n, last):
            kinds[j] = _any_pion(rng)
            if j == n:
                kinds[j] = _partner(rng, kind)
            elif j == nucleon:
                kinds[j] = PROTON if rng.random() < 0.5 else NEUTRON
            total += CHARGE[kinds[j]]
        if total == charge:
            break
    if total != charge or last == n + 2:
        for j in range(n, last):
            kinds[j] = PI_ZERO
        kinds[n], kinds[nucleon] = kind, target
        if is_pion(kind):
            _exchange_charge(rng, kinds, n, nucleon, charge)
        elif is_nucleon(kind) and rng.random() < 0.5:
            kinds[n], kinds[nucleon] = target, kind
    if strange and rng.random() < 0.7:
        _name_hyperon(rng, kinds, n, nucleon)


@inner
def _any_pion(rng):
    draw = rng.random() * 3
    return PI_PLUS if draw < 1 else (PI_MINUS if draw < 2 else PI_ZERO)


@inner
def _partner(rng, kind):
    """Draw the hadron itself or one that differs from it by charge exchange."""
    if is_pion(kind):
        return _any_pion(rng)
    other = rng.random() < 0.5
    if is_nucleon(kind):
        return PROTON if other else NEUTRON
    if kind in (K_PLUS, K_ZERO):
        return K_PLUS if other else K_ZERO
    if kind in (K_MINUS, ANTI_K_ZERO):
        return K_MINUS if other else ANTI_K_ZERO
    return kind


@inner
def _exchange_charge(rng, kinds, n, nucleon, charge):
    """Elastic or charge exchange through the Delta: for I3 = ±1/2 the isospin weights are 5:4."""
    if rng.random() > 4 / 9:
        return
    swapped = PROTON if kinds[nucleon] == NEUTRON else NEUTRON
    change = charge - CHARGE[swapped]
    if abs(change) <= 1:
        kinds[nucleon] = swapped
        kinds[n] = PI_PLUS if change == 1 else (PI_MINUS if change == -1 else PI_ZERO)


@inner
def _name_hyperon(rng, kinds, n, nucleon):
    """Antikaon and nucleon become pion and hyperon of the same charge."""
    charge = CHARGE[kinds[n]] + CHARGE[kinds[nucleon]]
    kinds[nucleon] = LAMBDA
    kinds[n] = PI_PLUS if charge > 0 else (PI_MINUS if charge < 0 else PI_ZERO)
    if charge == 0 and rng.random() < 0.3:
        kinds[n], kinds[nucleon] = PI_MINUS, SIGMA_PLUS
    elif charge == 0 and rng.random() < 0.4:
        kinds[n], kinds[nucleon] = PI_PLUS, SIGMA_MINUS


@inner
def _send_out(rng, kinds, four, i, n, nucleon, last, w, free, px, py, pz):
    """Two clusters, rows n to nucleon and nucleon to last, back to back in the rest frame of mass w."""
    energy = math.sqrt(w * w + px * px + py * py + pz * pz)
    mass1 = _inner_energy(rng, nucleon - n - 1, 0.5 * free)
    mass2 = _inner_energy(rng, last - nucleon - 1, 0.5 * free)
    for j in range(n, nucleon):
        mass1 += MASS[kinds[j]]
    for j in range(nucleon, last):
        mass2 += MASS[kinds[j]]
    p = two_body_momentum(w, mass1, mass2)
    ux, uy, uz = _cluster_direction(rng, four, i, p, px / energy, py / energy, pz / energy)
    share_out(rng, mass1, p * ux, p * uy, p * uz, kinds, four, n, nucleon)
    share_out(rng, mass2, -p * ux, -p * uy, -p * uz, kinds, four, nucleon, last)
    boost(four, n, last, px / energy, py / energy, pz / energy)


@inner
def _cluster_direction(rng, four, i, p, bx, by, bz):
    """Direction with exp(b t) about the incoming hadron, seen from a frame of velocity (bx, by, bz)."""
    seen = np.empty((1, 4))
    set_row(seen, 0, four[i, 0], four[i, 1], four[i, 2], four[i, 3])
    boost(seen, 0, 1, -bx, -by, -bz)
    size = math.sqrt(seen[0, 1] ** 2 + seen[0, 2] ** 2 + seen[0, 3] ** 2)
    if size <= 0:
        return isotropic(rng)
    reach = 4 * SLOPE * max(p, 1.0) ** 2
    cosine = 1 + 2 * math.log1p(-rng.random() * (1 - math.exp(-reach))) / reach
    azimuth = 2 * math.pi * rng.random()
    return turn(seen[0, 1] / size, seen[0, 2] / size, seen[0, 3] / size, max(cosine, -1.0), azimuth)


@inner
def _inner_energy(rng, pions, limit):
    energy = 0.0
    for _ in range(pions):
        energy += CLUSTER_ENERGY * rng.standard_exponential()
    return min(energy, limit * rng.random() ** 0.5) if pions > 0 else 0.0


@inner
def _absorb(rng, kinds, four, i, n):
    """Absorb a pion on two nucleons, mostly on an unlike pair."""
    kind = kinds[i]
    unlike = rng.random() < 0.8
    if kind == PI_PLUS:
        kinds[n], kinds[n + 1] = PROTON, PROTON if unlike else NEUTRON
    elif kind == PI_MINUS:
        kinds[n], kinds[n + 1] = NEUTRON, NEUTRON if unlike else PROTON
    else:
        kinds[n], kinds[n + 1] = PROTON, NEUTRON
    return _merge(rng, kinds, four, i, n, n + 2, four[i, 0] + 2 * (MASS[PROTON] - REMOVAL_ENERGY), 2)


@inner
def _merge(rng, kinds, four, i, n, last, energy, used):
    """Hadron i and what it meets become one cluster that decays into the rows n to last."""
    px, py, pz = four[i, 1], four[i, 2], four[i, 3]
    w = math.sqrt(max(energy * energy - px * px - py * py - pz * pz, 0.0))
    masses = 0.0
    for j in range(n, last):
        masses += MASS[kinds[j]]
    if w <= masses:
        return 0, 0
    share_out(rng, w, px, py, pz, kinds, four, n, last)
    return last - n, used


@inner
def _annihilate(rng, kinds, four, i, n, proton_share):
    """Turn an antinucleon and a nucleon into four to six pions."""
    target = PROTON if rng.random() < proton_share else NEUTRON
    charge = CHARGE[kinds[i]] + CHARGE[target]
    pions = 4 + int(3 * rng.random())
    total = 99.0
    while total != charge:
        total = 0.0
        for j in range(n, n + pions):
            kinds[j] = _any_pion(rng)
            total += CHARGE[kinds[j]]
    energy = four[i, 0] + MASS[target] - REMOVAL_ENERGY
    return _merge(rng, kinds, four, i, n, n + pions, energy, 1)
