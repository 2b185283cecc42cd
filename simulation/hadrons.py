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
from numba import njit

from nuzoo.simulation.ledger import INVISIBLE, LOW_ENERGY, REST, TRACK, add_child
from nuzoo.simulation.medium import look_up
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
from nuzoo.simulation.phase_space import boost, share_out, two_body_momentum
from nuzoo.simulation.vectors import isotropic, turn

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


@njit(cache=True)
def is_pion(species):  # type: ignore[no-untyped-def]
    """Whether the species is a pion of any charge."""
    return species in (PI_PLUS, PI_MINUS, PI_ZERO)


@njit(cache=True)
def is_nucleon(species):  # type: ignore[no-untyped-def]
    """Whether the species is a proton or neutron."""
    return species in (PROTON, NEUTRON)


@njit(cache=True)
def hadronic_rate(medium, species, kinetic):  # type: ignore[no-untyped-def]
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


@njit(cache=True)
def interact(rng, p, medium, ledger):  # type: ignore[no-untyped-def]
    """Replace `p` by the products of its inelastic interaction with a nucleus."""
    kinds = np.empty(BANK, np.int64)
    four = np.empty((BANK, 4))
    momentum = math.sqrt(p.t * (p.t + 2 * MASS[p.species]))
    kinds[0] = p.species
    if p.species == K_LONG:
        kinds[0] = K_ZERO if rng.random() < 0.5 else ANTI_K_ZERO
    four[0, 0] = p.t + MASS[p.species]
    four[0, 1], four[0, 2], four[0, 3] = momentum * p.ux, momentum * p.uy, momentum * p.uz
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


@njit(cache=True)
def capture_star(rng, p, medium, ledger):  # type: ignore[no-untyped-def]
    """What follows when a negative hadron at rest is captured by a nucleus."""
    p.t = 0.0
    if p.species == SIGMA_MINUS:
        _convert_sigma(rng, p, ledger)
        return
    interact(rng, p, medium, ledger)


@njit(cache=True)
def _convert_sigma(rng, p, ledger):  # type: ignore[no-untyped-def]
    """Sigma- p -> Lambda n at rest, the Lambda's mass excess shared by the two."""
    energy = MASS[SIGMA_MINUS] - MASS[LAMBDA] - REMOVAL_ENERGY
    part = MASS[NEUTRON] / (MASS[NEUTRON] + MASS[LAMBDA])
    ux, uy, uz = isotropic(rng)
    add_child(rng, ledger, p, LAMBDA, ux, uy, uz, part * energy, TRACK)
    add_child(rng, ledger, p, NEUTRON, -ux, -uy, -uz, (1 - part) * energy, LOW_ENERGY)
    ledger.energy[INVISIBLE] += REMOVAL_ENERGY


@njit(cache=True)
def _settle(rng, p, ledger, kinds, four, n, holes):  # type: ignore[no-untyped-def]
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


@njit(cache=True)
def deexcite(rng, p, ledger, excitation):  # type: ignore[no-untyped-def]
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


@njit(cache=True)
def absorption_probability(kinetic):  # type: ignore[no-untyped-def]
    """Chance that a pion's collision is an absorption (after Ashery et al., 1981)."""
    return 0.35 / (1 + (kinetic / 350) ** 2)


@njit(cache=True)
def _collide(rng, kinds, four, i, n, proton_share):  # type: ignore[no-untyped-def]
    """Let hadron i of the bank hit a nucleon; products go to the bank from row n on.

    Returns:
        How many products, and how many nucleons they used up (0: nothing happened).
    """
    kind = kinds[i]
    kinetic = four[i, 0] - MASS[kind]
    if is_pion(kind) and (kinetic <= 0 or rng.random() < absorption_probability(kinetic)):
        return _absorb(rng, kinds, four, i, n, proton_share)
    if kind in (ANTIPROTON, ANTINEUTRON):
        return _annihilate(rng, kinds, four, i, n, proton_share)
    for _ in range(10):
        added = _scatter(rng, kinds, four, i, n, proton_share)
        if added > 0:
            return added, 1
    return 0, 0


@njit(cache=True)
def _target(rng, kind, kinetic, proton_share):  # type: ignore[no-untyped-def]
    """Proton or neutron; at the Delta, a pi+ prefers protons (and a pi- neutrons) three to one."""
    weight = 1.0
    if kinetic < 500 and kind == PI_PLUS:
        weight = 3.0
    elif kinetic < 500 and kind == PI_MINUS:
        weight = 1 / 3
    protons = proton_share * weight
    return PROTON if rng.random() * (protons + 1 - proton_share) < protons else NEUTRON


@njit(cache=True)
def _scatter(rng, kinds, four, i, n, proton_share):  # type: ignore[no-untyped-def]
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
    _name_products(rng, kinds, n, kind, target, pions, strange)
    forward = 0
    for _ in range(pions):
        forward += rng.random() < 0.5
    if strange and kinds[n + 1] != PROTON and kinds[n + 1] != NEUTRON:
        forward = 0
    total = 0.0
    for j in range(n, n + 2 + pions):
        total += MASS[kinds[j]]
    if total >= w:
        return 0
    incoming = four[i].copy()
    boost(incoming, -px / energy, -py / energy, -pz / energy)
    _clusters(rng, kinds, four, n, pions, forward, w, w - total, incoming)
    for j in range(n, n + 2 + pions):
        boost(four[j], px / energy, py / energy, pz / energy)
        if is_nucleon(kinds[j]):
            momentum2 = four[j, 1] ** 2 + four[j, 2] ** 2 + four[j, 3] ** 2
            if momentum2 < PAULI_MOMENTUM**2:
                return 0
    return 2 + pions


@njit(cache=True)
def _name_products(rng, kinds, n, kind, target, pions, strange):  # type: ignore[no-untyped-def]
    """Choose the charges: hadron in row n, baryon in row n + 1, pions after them."""
    charge = CHARGE[kind] + CHARGE[target]
    kinds[n], kinds[n + 1] = kind, target
    if strange and rng.random() < 0.7:
        _name_hyperon(rng, kinds, n, charge)
        for j in range(n + 2, n + 2 + pions):
            kinds[j] = PI_ZERO
        return
    if is_pion(kind) and pions == 0:
        _exchange_charge(rng, kinds, n, charge)
        return
    for _ in range(100):
        kinds[n] = _partner(rng, kind)
        kinds[n + 1] = PROTON if rng.random() < 0.5 else NEUTRON
        total = CHARGE[kinds[n]] + CHARGE[kinds[n + 1]]
        for j in range(n + 2, n + 2 + pions):
            kinds[j] = _any_pion(rng)
            total += CHARGE[kinds[j]]
        if total == charge:
            return
    kinds[n], kinds[n + 1] = kind, target
    for j in range(n + 2, n + 2 + pions):
        kinds[j] = PI_ZERO


@njit(cache=True)
def _any_pion(rng):  # type: ignore[no-untyped-def]
    draw = rng.random() * 3
    return PI_PLUS if draw < 1 else (PI_MINUS if draw < 2 else PI_ZERO)


@njit(cache=True)
def _partner(rng, kind):  # type: ignore[no-untyped-def]
    """The hadron itself or one that differs from it by charge exchange."""
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


@njit(cache=True)
def _exchange_charge(rng, kinds, n, charge):  # type: ignore[no-untyped-def]
    """Elastic or charge exchange through the Delta: for I3 = ±1/2 the isospin weights are 5:4."""
    if charge == 2 or charge == -1:
        return
    if rng.random() < 4 / 9:
        swapped = PROTON if kinds[n + 1] == NEUTRON else NEUTRON
        change = charge - CHARGE[swapped]
        if abs(change) > 1:
            return
        kinds[n + 1] = swapped
        kinds[n] = PI_PLUS if change == 1 else (PI_MINUS if change == -1 else PI_ZERO)


@njit(cache=True)
def _name_hyperon(rng, kinds, n, charge):  # type: ignore[no-untyped-def]
    """Antikaon and nucleon become pion and hyperon."""
    if charge == 0:
        draw = rng.random()
        if draw < 0.4:
            kinds[n], kinds[n + 1] = PI_ZERO, LAMBDA
        elif draw < 0.7:
            kinds[n], kinds[n + 1] = PI_MINUS, SIGMA_PLUS
        else:
            kinds[n], kinds[n + 1] = PI_PLUS, SIGMA_MINUS
    elif charge < 0:
        kinds[n], kinds[n + 1] = PI_MINUS, LAMBDA
    else:
        kinds[n], kinds[n + 1] = PI_PLUS, LAMBDA


@njit(cache=True)
def _clusters(rng, kinds, four, n, pions, forward, w, free, incoming):  # type: ignore[no-untyped-def]
    """Fill the four-momenta in the rest frame of the collision."""
    backward = pions - forward
    inner = _inner_energy(rng, forward, 0.5 * free)
    outer = _inner_energy(rng, backward, 0.5 * free)
    first = np.empty(1 + forward, np.int64)
    second = np.empty(1 + backward, np.int64)
    first[0], second[0] = n, n + 1
    for j in range(forward):
        first[1 + j] = n + 2 + j
    for j in range(backward):
        second[1 + j] = n + 2 + forward + j
    mass1, mass2 = inner, outer
    for j in first:
        mass1 += MASS[kinds[j]]
    for j in second:
        mass2 += MASS[kinds[j]]
    p = two_body_momentum(w, mass1, mass2)
    size = math.sqrt(incoming[1] ** 2 + incoming[2] ** 2 + incoming[3] ** 2)
    ux, uy, uz = isotropic(rng)
    if size > 0:
        reach = 4 * SLOPE * p * max(p, 1.0)
        cosine = 1 + 2 * math.log1p(-rng.random() * (1 - math.exp(-reach))) / reach
        ux, uy, uz = turn(
            incoming[1] / size,
            incoming[2] / size,
            incoming[3] / size,
            max(cosine, -1.0),
            2 * math.pi * rng.random(),
        )
    _open_cluster(rng, kinds, four, first, mass1, p * ux, p * uy, p * uz)
    _open_cluster(rng, kinds, four, second, mass2, -p * ux, -p * uy, -p * uz)


@njit(cache=True)
def _inner_energy(rng, pions, limit):  # type: ignore[no-untyped-def]
    energy = 0.0
    for _ in range(pions):
        energy += CLUSTER_ENERGY * rng.standard_exponential()
    return min(energy, limit * rng.random() ** 0.5) if pions > 0 else 0.0


@njit(cache=True)
def _open_cluster(rng, kinds, four, rows, mass, px, py, pz):  # type: ignore[no-untyped-def]
    energy = math.sqrt(mass * mass + px * px + py * py + pz * pz)
    if len(rows) == 1:
        out = four[rows[0]]
        out[0], out[1], out[2], out[3] = energy, px, py, pz
        return
    masses = np.empty(len(rows))
    for j in range(len(rows)):
        masses[j] = MASS[kinds[rows[j]]]
    products = np.empty((len(rows), 4))
    share_out(rng, mass, masses, products)
    for j in range(len(rows)):
        boost(products[j], px / energy, py / energy, pz / energy)
        four[rows[j]] = products[j]


@njit(cache=True)
def _absorb(rng, kinds, four, i, n, proton_share):  # type: ignore[no-untyped-def]
    """A pion absorbed by two nucleons, mostly by an unlike pair."""
    kind = kinds[i]
    unlike = rng.random() < 0.8
    if kind == PI_PLUS:
        kinds[n], kinds[n + 1] = PROTON, PROTON if unlike else NEUTRON
    elif kind == PI_MINUS:
        kinds[n], kinds[n + 1] = NEUTRON, NEUTRON if unlike else PROTON
    else:
        kinds[n], kinds[n + 1] = PROTON, NEUTRON
    energy = four[i, 0] + 2 * MASS[PROTON] - 2 * REMOVAL_ENERGY
    return _back_to_back(rng, kinds, four, i, n, energy)


@njit(cache=True)
def _back_to_back(rng, kinds, four, i, n, energy):  # type: ignore[no-untyped-def]
    px, py, pz = four[i, 1], four[i, 2], four[i, 3]
    w = math.sqrt(max(energy * energy - px * px - py * py - pz * pz, 0.0))
    masses = np.array([MASS[kinds[n]], MASS[kinds[n + 1]]])
    if w <= masses.sum():
        return 0, 0
    products = np.empty((2, 4))
    share_out(rng, w, masses, products)
    for j in range(2):
        boost(products[j], px / energy, py / energy, pz / energy)
        four[n + j] = products[j]
    return 2, 2


@njit(cache=True)
def _annihilate(rng, kinds, four, i, n, proton_share):  # type: ignore[no-untyped-def]
    """An antinucleon and a nucleon become four to six pions."""
    target = PROTON if rng.random() < proton_share else NEUTRON
    charge = CHARGE[kinds[i]] + CHARGE[target]
    energy = four[i, 0] + MASS[target] - REMOVAL_ENERGY
    px, py, pz = four[i, 1], four[i, 2], four[i, 3]
    w = math.sqrt(energy * energy - px * px - py * py - pz * pz)
    pions = 4 + int(3 * rng.random())
    masses = np.empty(pions)
    while True:
        total = 0.0
        for j in range(pions):
            kinds[n + j] = _any_pion(rng)
            total += CHARGE[kinds[n + j]]
            masses[j] = MASS[kinds[n + j]]
        if total == charge:
            break
    products = np.empty((pions, 4))
    share_out(rng, w, masses, products)
    for j in range(pions):
        boost(products[j], px / energy, py / energy, pz / energy)
        four[n + j] = products[j]
    return pions, 1
