"""Taus and charmed hadrons: how far they fly, and what they decay into.

Branching ratios of the Particle Data Group, leading channels; taus are fully polarised where two-body decays
and leptons show it. Daughters share the phase space otherwise.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.interactions.high_energy_hadrons import Outgoing
from nuzoo.simulation.particles import (
    CTAU,
    DECAY_CUMULATIVE,
    DECAY_DAUGHTERS,
    DECAY_FIRST,
    MASS,
    PDG,
    SPECIES_OF,
)

Array = NDArray[np.float64]
FROM_TAU, FROM_CHARM = 1, 2

_TAU_MODES: tuple[tuple[float, int, tuple[int, ...]], ...] = (
    (0.1782, 1, (16, 11, -12)),
    (0.1739, 2, (16, 13, -14)),
    (0.1152, 3, (16, -211)),
    (0.2549, 4, (16, -211, 111)),
    (0.0926, 6, (16, -211, 111, 111)),
    (0.1000, 5, (16, -211, -211, 211)),
    (0.0462, 5, (16, -211, -211, 211, 111)),
    (0.0390, 6, (16, -321)),
)
"""Share, `tau_decay_mode` and daughters of a tau-."""
MODE_OTHER = 6
_RHO = (775.3, 149.0)

SEMILEPTONIC = {421: (0.0649, 0.068), 411: (0.1607, 0.176), 431: (0.0633, 0.063), 4122: (0.0395, 0.035)}
"""Inclusive branching ratios into an electron and into a muon."""


class Decayed(NamedTuple):
    """Particles of the generator with those that they decayed into; see `DecayedInteraction`."""

    pdg: NDArray[np.int32]
    p: Array
    parent: NDArray[np.int32]
    offset: Array
    origin: NDArray[np.int8]
    is_final: NDArray[np.bool_]
    tau_decay_mode: int


def decay_all(rng: np.random.Generator, outgoing: Outgoing, *, antineutrino: bool) -> Decayed:
    """Let taus and charmed hadrons fly and decay, and neutral kaons become K_S or K_L.

    Args:
        rng: Source of randomness.
        outgoing: What leaves the nucleus.
        antineutrino: Whether the beam particle is one: a tau from it is right-handed.
    """
    pdg = [int(code) for code in outgoing.pdg]
    p = [row.copy() for row in outgoing.p]
    parent, origin = [-1] * len(pdg), [0] * len(pdg)
    offset = [np.zeros(3) for _ in pdg]
    final = [True] * len(pdg)
    mode = 0
    row = 0
    while row < len(pdg):
        code = pdg[row]
        if abs(code) == 311:
            pdg[row] = 310 if rng.random() < 0.5 else 130
        elif abs(code) == 15 or abs(code) in SEMILEPTONIC:
            kind = FROM_TAU if abs(code) == 15 else FROM_CHARM
            if abs(code) == 15 and row == 0:
                mode, products, momenta = decay_tau(rng, code, p[row])
            elif abs(code) == 15:
                _, products, momenta = decay_tau(rng, code, p[row])
            else:
                products, momenta = decay_charmed(rng, code, p[row])
            end = offset[row] + _flight(rng, code, p[row])
            final[row] = False
            pdg += products
            p += [*momenta]
            parent += [row] * len(products)
            origin += [origin[row] or kind] * len(products)
            offset += [end] * len(products)
            final += [True] * len(products)
        row += 1
    return Decayed(
        np.array(pdg, np.int32),
        np.array(p).reshape(-1, 4),
        np.array(parent, np.int32),
        np.array(offset).reshape(-1, 3),
        np.array(origin, np.int8),
        np.array(final, bool),
        mode,
    )


def _flight(rng: np.random.Generator, code: int, p: Array) -> Array:
    """Draw where a particle decays, cm from where it starts."""
    species = SPECIES_OF[code]
    way: Array = p[:3] / MASS[species] * CTAU[species] * rng.standard_exponential()
    return way


def decay_tau(rng: np.random.Generator, code: int, p: Array) -> tuple[int, list[int], Array]:
    """Decay a left-handed tau-, or a right-handed tau+.

    Returns:
        (`tau_decay_mode`, PDG codes, (n, 4) momenta in MeV).
    """
    shares = np.array([share for share, _, _ in _TAU_MODES])
    _, mode, products = _TAU_MODES[int(rng.choice(len(shares), p=shares / shares.sum()))]
    sign = 1 if code > 0 else -1
    codes = [_conjugate(product, sign) for product in products]
    masses = np.array([MASS[SPECIES_OF[each]] for each in codes])
    if mode in (1, 2):
        rest = _leptonic(rng, MASS[SPECIES_OF[15]], masses)
    elif mode == 4:
        rest = _through_rho(rng, masses)
    else:
        rest = phase_space(rng, float(MASS[SPECIES_OF[15]]), masses)
        if len(codes) == 2:
            rest = _along(rng, rest, 1, polarisation=1.0)
    return mode, codes, _to_laboratory(rest, p)


def _along(rng: np.random.Generator, rest: Array, hadron: int, polarisation: float) -> Array:
    """Turn a two-body decay so that the hadron's cosine to the flight is spread as 1 - P cos."""
    while True:
        cosine = 2 * rng.random() - 1
        if 2 * rng.random() < 1 - polarisation * cosine:
            break
    size = np.linalg.norm(rest[hadron, :3])
    sine, phi = np.sqrt(1 - cosine**2), 2 * np.pi * rng.random()
    turned = rest.copy()
    turned[hadron, :3] = size * np.array([sine * np.cos(phi), sine * np.sin(phi), cosine])
    turned[1 - hadron, :3] = -turned[hadron, :3]
    return turned


def _leptonic(rng: np.random.Generator, mass: float, masses: Array) -> Array:
    """V-A spectrum of the charged lepton (row 1) of a polarised tau, the neutrinos as a pair."""
    highest = (mass**2 + masses[1] ** 2) / (2 * mass)
    while True:
        x, cosine = rng.random(), 2 * rng.random() - 1
        energy = x * highest
        if energy > masses[1] and 2 * rng.random() < x**2 * (3 - 2 * x + cosine * (2 * x - 1)):
            break
    size = np.sqrt(energy**2 - masses[1] ** 2)
    sine, phi = np.sqrt(1 - cosine**2), 2 * np.pi * rng.random()
    lepton = np.array([size * sine * np.cos(phi), size * sine * np.sin(phi), size * cosine, energy])
    pair_mass = np.sqrt(max((mass - energy) ** 2 - size**2, 1e-2))
    pair = np.array([*-lepton[:3], np.sqrt(size**2 + pair_mass**2)])
    neutrinos = _to_laboratory(phase_space(rng, float(pair_mass), np.zeros(2)), pair)
    return np.array([neutrinos[0], lepton, neutrinos[1]])


def _through_rho(rng: np.random.Generator, masses: Array) -> Array:
    """Decay into a rho of some mass, whose own polarisation shows in its direction alone, and a neutrino."""
    tau = float(MASS[SPECIES_OF[15]])
    while True:
        mass = _RHO[0] + 0.5 * _RHO[1] * np.tan(np.pi * (rng.random() - 0.5))
        if masses[1] + masses[2] + 5.0 < mass < tau - 50.0:
            break
    pair = phase_space(rng, tau, np.array([0.0, mass]))
    pair = _along(rng, pair, 1, polarisation=0.45)
    pions = _to_laboratory(phase_space(rng, float(mass), masses[1:]), pair[1])
    return np.array([pair[0], *pions])


def decay_charmed(rng: np.random.Generator, code: int, p: Array) -> tuple[list[int], Array]:
    """Decay a charmed hadron: first into an electron, a muon or hadrons, then by the channel.

    Returns:
        (PDG codes, (n, 4) momenta in MeV).
    """
    species = SPECIES_OF[code]
    rows = np.arange(DECAY_FIRST[species], DECAY_FIRST[species + 1])
    shares = np.diff(DECAY_CUMULATIVE[rows], prepend=0.0)
    products = [[int(PDG[each]) for each in DECAY_DAUGHTERS[row] if each >= 0] for row in rows]
    electron, muon = SEMILEPTONIC[abs(code)]
    draw = rng.random()
    wanted = 11 if draw < electron else (13 if draw < electron + muon else 0)
    of_kind = np.array([_lepton_in(each) == wanted for each in products])
    chosen = int(rng.choice(len(rows), p=np.where(of_kind, shares, 0.0) / shares[of_kind].sum()))
    masses = np.array([MASS[SPECIES_OF[each]] for each in products[chosen]])
    rest = phase_space(rng, float(MASS[species]), masses)
    return products[chosen], _to_laboratory(rest, p)


def _lepton_in(products: list[int]) -> int:
    return next((abs(code) for code in products if abs(code) in (11, 13)), 0)


def _conjugate(code: int, sign: int) -> int:
    return code if sign > 0 or code in (111, 22, 221) else -code


def phase_space(rng: np.random.Generator, mass: float, masses: Array) -> Array:
    """Share a mass at rest out uniformly in phase space (Raubold and Lynch, CERN 68-15).

    Args:
        rng: Source of randomness.
        mass: MeV, above the sum of the masses.
        masses: (n,) MeV, n at least 2.

    Returns:
        (n, 4) px, py, pz, E.
    """
    n, free = len(masses), mass - masses.sum()
    below = np.cumsum(masses)
    bound = np.prod([_breakup(below[i] + free, below[i - 1], masses[i]) for i in range(1, n)])
    while True:
        cut = np.concatenate([[0.0], np.sort(rng.random(n - 2)), [1.0]])
        clusters = below + free * cut
        momenta = [_breakup(clusters[i], clusters[i - 1], masses[i]) for i in range(1, n)]
        if rng.random() * bound <= np.prod(momenta):
            break
    p = np.empty((0, 4))
    for i, size in enumerate(momenta, start=1):
        cosine, phi = 2 * rng.random() - 1, 2 * np.pi * rng.random()
        sine = np.sqrt(1 - cosine**2)
        way = size * np.array([sine * np.cos(phi), sine * np.sin(phi), cosine])
        cluster = np.array([*way, np.sqrt(size**2 + clusters[i - 1] ** 2)])
        before = cluster[None] if i == 1 else _to_laboratory(p, cluster)
        p = np.concatenate([before, [[*-way, np.sqrt(size**2 + masses[i] ** 2)]]])
    return p


def _breakup(mass: float, first: float, second: float) -> float:
    product = (mass**2 - (first + second) ** 2) * (mass**2 - (first - second) ** 2)
    return float(np.sqrt(max(product, 0.0)) / (2 * mass))


def _to_laboratory(rest: Array, frame: Array) -> Array:
    """Take momenta from the rest frame of `frame`, +z along its flight for those that are polarised."""
    mass = np.sqrt(max(frame[3] ** 2 - frame[:3] @ frame[:3], 0.0))
    size = np.linalg.norm(frame[:3])
    if size == 0:
        return rest
    turned = rest[:, :3] @ _to_axis(frame[:3] / size).T
    along = turned @ frame[:3]
    energy = (rest[:, 3] * frame[3] + along) / mass
    factor = (rest[:, 3] + energy) / (frame[3] + mass)
    moved = turned + factor[:, None] * frame[:3]
    return np.column_stack([moved, energy])


def _to_axis(axis: Array) -> Array:
    """Return the matrix that takes +z to a direction."""
    x, y, z = axis
    across = np.hypot(x, y)
    cos_phi, sin_phi = (1.0, 0.0) if across < 1e-12 else (x / across, y / across)
    return np.array([[cos_phi * z, -sin_phi, x], [sin_phi * z, cos_phi, y], [-across, 0.0, z]])
