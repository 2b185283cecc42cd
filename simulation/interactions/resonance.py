"""Single- and double-pion production by baryon resonances, W < 1.8 GeV.

A parametrisation, not the Rein–Sehgal model: Breit–Wigner line shapes of the Δ(1232) and of the
second and third resonance regions, a dipole transition form factor with mass 1.2 GeV, and
the polarisation states of the exchanged boson with the helicity weights u², v² and 2uv.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nuzoo.simulation.interactions.four_vectors import (
    Codes,
    FourVector,
    boost_to_rest,
    breakup_momentum,
    direction_about,
    invariant_mass_squared,
    isotropic_direction,
    q_squared_limits,
    scatter,
    three_body_decay,
    two_body_decay,
)
from nuzoo.simulation.interactions.masses import CHARGED_PION, DELTA, NUCLEON, mass_of
from nuzoo.simulation.interactions.nucleus import Nucleus, Probe, draw_nucleon, draw_species, is_pauli_blocked
from nuzoo.simulation.interactions.quasi_elastic import MAX_TRIES, draw_dipole

MAXIMUM_W = 1800.0
MINIMUM_W = NUCLEON + CHARGED_PION + 1.0
DELTA_WIDTH = 117.0
TRANSITION_MASS_SQUARED = 1.2e3**2
LOW_Q_SQUARED = 0.02e6
RIGHT_HANDED = 0.35
"""Strength of the right-handed boson relative to the left-handed one (the other way round for
antineutrinos)."""
SCALAR = 0.3
"""Strength of the scalar boson relative to the left-handed one."""

# Isospin-1/2 resonances: mass, width (MeV), strength relative to the Δ at its peak.
_NUCLEON_RESONANCES = np.array(
    [[1440.0, 300.0, 0.25], [1520.0, 115.0, 0.75], [1535.0, 150.0, 0.45], [1680.0, 130.0, 1.40]]
)
_DELTA_RESONANCES = np.array([[1620.0, 140.0, 0.15], [1700.0, 300.0, 0.15]])
_DELTA_MOMENTUM = float(np.sqrt((DELTA**2 - 1078.5**2) * (DELTA**2 - 799.3**2)) / (2.0 * DELTA))
DIPOLE_SCALE = 1.0e6


@njit(cache=True)
def _threshold(w: float) -> float:
    momentum = breakup_momentum(w, NUCLEON, CHARGED_PION)
    return momentum / (momentum + 200.0)


@njit(cache=True)
def _breit_wigner(w: float, mass: float, width: float) -> float:
    half = 0.25 * width**2
    return half / ((w - mass) ** 2 + half)


@njit(cache=True)
def delta_strength(w: float) -> float:
    """Isospin-3/2 line shape: the Δ(1232), P-wave width, peak near 1, and weak higher states."""
    ratio = breakup_momentum(w, NUCLEON, CHARGED_PION) / _DELTA_MOMENTUM
    width = DELTA_WIDTH * ratio**3 * 2.2 / (1.0 + 1.2 * ratio**2)
    line = 0.25 * DELTA_WIDTH * width / ((w - DELTA) ** 2 + 0.25 * width**2)
    for i in range(_DELTA_RESONANCES.shape[0]):
        line += _DELTA_RESONANCES[i, 2] * _breit_wigner(w, _DELTA_RESONANCES[i, 0], _DELTA_RESONANCES[i, 1])
    return line


@njit(cache=True)
def nucleon_resonance_strength(w: float) -> float:
    """Isospin-1/2 line shapes, in units of the Δ's."""
    line = 0.0
    for i in range(_NUCLEON_RESONANCES.shape[0]):
        mass, width = _NUCLEON_RESONANCES[i, 0], _NUCLEON_RESONANCES[i, 1]
        line += _NUCLEON_RESONANCES[i, 2] * _breit_wigner(w, mass, width)
    return line * _threshold(w)


@njit(cache=True)
def isospin_strengths(w: float, antineutrino: bool, is_cc: bool, hit: int) -> tuple[float, float]:
    """Strength of the isospin-3/2 and isospin-1/2 states for a struck nucleon.

    A charged current makes Δ++ : Δ+ = 3 : 1 from p and n (mirrored for antineutrinos); the charge-2
    state has no isospin-1/2 partner.
    """
    if not is_cc:
        return 2.0 * delta_strength(w), nucleon_resonance_strength(w)
    if (hit == 2212) != antineutrino:
        return 3.0 * delta_strength(w), 0.0
    return delta_strength(w), 2.0 * nucleon_resonance_strength(w)


@njit(cache=True)
def helicity_weight(energy: float, lepton_energy: float, q_squared: float, antineutrino: bool) -> float:
    """Flux of left, right and scalar bosons times the form factor, up to a constant.

    Args:
        energy: Neutrino energy in the nucleon's rest frame, MeV.
        lepton_energy: Outgoing lepton's energy there, MeV.
        q_squared: MeV².
        antineutrino: Whether the beam particle is an antineutrino.
    """
    transfer = energy - lepton_energy
    q2 = transfer**2 + q_squared
    q = np.sqrt(q2)
    u = (energy + lepton_energy + q) / (2.0 * energy)
    v = (energy + lepton_energy - q) / (2.0 * energy)
    left, right = u * u, v * v * RIGHT_HANDED
    if antineutrino:
        left, right = v * v, u * u * RIGHT_HANDED
    form = 1.0 / (1.0 + q_squared / TRANSITION_MASS_SQUARED) ** 2
    transverse = (q_squared + LOW_Q_SQUARED) / q2 * (left + right) * (1.0 + q2 / NUCLEON**2)
    return form**2 * (transverse + 2.0 * u * v * SCALAR)


@njit(cache=True)
def charges(rng: np.random.Generator, total: int, spin_three_half: bool) -> tuple[int, int]:
    """Charges of nucleon and pion from a resonance of given charge and isospin.

    The squares of the Clebsch–Gordan coefficients: Δ+ → p π0 : n π+ = 2 : 1, N*+ → 1 : 2.

    Returns:
        (PDG code of the nucleon, PDG code of the pion).
    """
    if total == 2:
        return 2212, 211
    if total == -1:
        return 2112, -211
    neutral = 2.0 / 3.0 if spin_three_half else 1.0 / 3.0
    if total == 1:
        return (2212, 111) if rng.random() < neutral else (2112, 211)
    return (2112, 111) if rng.random() < neutral else (2212, -211)


@njit(cache=True)
def draw_cos_delta(rng: np.random.Generator) -> float:
    """Cosine of the decay pion to the boson in the Δ's rest frame: 1 - ½ P2(cos θ)."""
    while True:
        cosine = 2.0 * rng.random() - 1.0
        if rng.random() * 1.25 < 1.25 - 0.75 * cosine**2:
            return cosine


@njit(cache=True)
def two_pion_share(w: float) -> float:
    """Share of decays with two pions: none at the Δ, half in the third resonance region."""
    return min(max((w - 1300.0) / 700.0, 0.0), 0.55)


@njit(cache=True)
def two_pion_charges(rng: np.random.Generator, total: int) -> tuple[int, int, int]:
    """Nucleon and two pions of a given total charge; π+ π- twice as often as π0 π0."""
    proton = rng.random() < (2.0 / 3.0 if total >= 1 else 1.0 / 3.0)
    pions = total - 1 if proton else total
    nucleon = 2212 if proton else 2112
    if pions == 0:
        return (nucleon, 111, 111) if rng.random() < 1.0 / 3.0 else (nucleon, 211, -211)
    charged = 211 if pions > 0 else -211
    return nucleon, charged, charged if abs(pions) == 2 else 111


@njit(cache=True)
def decay(
    rng: np.random.Generator,
    state: FourVector,
    boson: FourVector,
    charge: int,
    spin_three_half: bool,
    pdg: Codes,
    p: FourVector,
) -> int:
    """Let a resonance decay to a nucleon and one or two pions.

    Args:
        rng: Source of randomness.
        state: Four-momentum of the resonance.
        boson: Four-momentum of the exchanged boson, the axis of the decay angle.
        charge: Charge of the resonance.
        spin_three_half: Whether its isospin is 3/2.
        pdg: int32 (m,). Written from row 1.
        p: float64 (m, 4). Written from row 1.

    Returns:
        Rows in use.
    """
    w = np.sqrt(invariant_mass_squared(state))
    if rng.random() < two_pion_share(w):
        nucleon, first, second = two_pion_charges(rng, charge)
        masses = np.array([mass_of(nucleon), mass_of(first), mass_of(second)])
        three_body_decay(rng, state, masses, p[1], p[2], p[3])
        pdg[1], pdg[2], pdg[3] = nucleon, first, second
        return 4
    nucleon, pion = charges(rng, charge, spin_three_half)
    axis = boson.copy()
    boost_to_rest(axis, state)
    direction = (
        direction_about(rng, axis, draw_cos_delta(rng)) if spin_three_half else isotropic_direction(rng)
    )
    two_body_decay(state, mass_of(pion), mass_of(nucleon), direction, p[2], p[1])
    pdg[1], pdg[2] = nucleon, pion
    return 3


@njit(cache=True)
def _weight(energy, w, q_squared, antineutrino, is_cc, hit):
    transfer = (w**2 - NUCLEON**2 + q_squared) / (2.0 * NUCLEON)
    if transfer >= energy:
        return 0.0
    three, one = isospin_strengths(w, antineutrino, is_cc, hit)
    flux = helicity_weight(energy, energy - transfer, q_squared, antineutrino)
    return (three + one) * flux * (DIPOLE_SCALE + q_squared) ** 2 / DIPOLE_SCALE**2


@njit(cache=True)
def _bound(energy, antineutrino, is_cc):
    largest = 0.0
    for i in range(14):
        w = 1130.0 + 50.0 * i
        for j in range(8):
            q_squared = 0.01e6 * 2.3**j
            for hit in (2212, 2112):
                largest = max(largest, _weight(energy, w, q_squared, antineutrino, is_cc, hit))
    return 1.3 * largest


@njit(cache=True)
def resonance(
    rng: np.random.Generator, probe: Probe, nucleus: Nucleus, pdg: Codes, p: FourVector
) -> tuple[int, int]:
    """Make one resonance event before final-state interactions; see `quasi_elastic`."""
    energy, antineutrino, is_cc, lepton_mass = probe
    bound = max(_bound(energy, antineutrino, is_cc), _bound(1.3 * energy, antineutrino, is_cc))
    step = (-1 if antineutrino else 1) if is_cc else 0
    for _ in range(MAX_TRIES):
        hit = draw_species(rng, nucleus)
        target = draw_nucleon(rng, nucleus, hit, nucleus.removal_energy)
        rest_energy = energy * (target[3] - target[2]) / np.sqrt(invariant_mass_squared(target))
        w = MINIMUM_W + (MAXIMUM_W - MINIMUM_W) * rng.random()
        low, high = q_squared_limits(energy, target, w, lepton_mass)
        if low >= high:
            continue
        q_squared = draw_dipole(rng, low, high, DIPOLE_SCALE)
        share = 1.0 / (DIPOLE_SCALE + low) - 1.0 / (DIPOLE_SCALE + high)
        weight = _weight(rest_energy, w, q_squared, antineutrino, is_cc, hit)
        if rng.random() * bound > weight * share * DIPOLE_SCALE:
            continue
        state = np.empty(4)
        if not scatter(rng, energy, target, w, q_squared, lepton_mass, p[0], state):
            continue
        three, one = isospin_strengths(w, antineutrino, is_cc, hit)
        charge = (1 if hit == 2212 else 0) + step
        is_three_half = rng.random() * (three + one) < three
        rows = decay(rng, state, state - target, charge, is_three_half, pdg, p)
        if is_pauli_blocked(nucleus, pdg[1], p[1]):
            continue
        return rows, hit
    return 0, 0
