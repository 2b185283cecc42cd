"""Deep-inelastic interactions of TeV neutrinos, with charm and taus that decay: what starts where.

Leading order with the densities of `parton_densities`, slow rescaling for charm, W and Z propagators. Pythia
does it better; docs/fasercal.md says how far they are apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.event_types import Interaction, InteractionMode
from nuzoo.simulation.interactions.final_state import cascade
from nuzoo.simulation.interactions.four_vectors import scatter
from nuzoo.simulation.interactions.generator import InteractionError
from nuzoo.simulation.interactions.high_energy_hadrons import CHARMED, Outgoing, hadrons_of
from nuzoo.simulation.interactions.masses import MASSES, NUCLEON, is_nucleon
from nuzoo.simulation.interactions.nucleus import CARBON, Nucleus, draw_nucleon
from nuzoo.simulation.interactions.parton_densities import densities
from nuzoo.simulation.interactions.short_lived import Decayed, decay_all
from nuzoo.simulation.particles import MASS, REST_CONTENT, SPECIES_OF

TUNGSTEN_NUCLEUS = Nucleus(74, 184, 250.0, 280.0, 44.0, 8.0)
"""Fermi momenta of lead, about; removal energy GENIE's of lead."""
HYDROGEN = Nucleus(1, 1, 0.0, 0.0, 0.0, 0.0)

LOWEST_ENERGY = 10_000.0
"""MeV: below, other channels than the deep-inelastic one matter."""
W_MASS, Z_MASS, CHARM_MASS = 80_377.0, 91_188.0, 1_500.0
CHARM_THRESHOLD = 3_200.0
"""MeV of W: a charmed hadron, a nucleon and a little more."""
LOWEST_W = 1_600.0
LOW_Q_SQUARED = 0.35e6
CABIBBO_SQUARED = 0.0506
SIN2_WEINBERG = 0.2312
MOST_ROWS = 160
_TRIES = 400
_BATCH = 512
_UP = (0.5 - 2 / 3 * SIN2_WEINBERG, -2 / 3 * SIN2_WEINBERG)
_DOWN = (-0.5 + 1 / 3 * SIN2_WEINBERG, 1 / 3 * SIN2_WEINBERG)


@dataclass(frozen=True)
class DecayedInteraction(Interaction):
    """An interaction whose short-lived particles have decayed.

    `pdg` and `momentum` hold all of the generator: also what decayed, which is not to be transported.

    Attributes:
        parent: int32 (n,), row of the particle it comes from, -1 for those from the vertex.
        offset: float64 (n, 3), where it starts, cm from the vertex.
        origin: int8 (n,), 0 of the interaction, 1 of the decay of a tau, 2 of charm.
        is_final: bool (n,), whether it did not decay.
        tau_decay_mode: 1 e, 2 mu, 3 one prong, 4 rho, 5 three prongs, 6 other; 0 without a tau.
        weight: nominal events that it stands for.
    """

    parent: NDArray[np.int32]
    offset: NDArray[np.float64]
    origin: NDArray[np.int8]
    is_final: NDArray[np.bool_]
    tau_decay_mode: int
    weight: float = 1.0


class _Hard(NamedTuple):
    """The collision: struck nucleon, hadronic mass, Q² (MeV²), and whether a charm quark comes out."""

    struck: int
    w: float
    q_squared: float
    target: NDArray[np.float64]
    is_charm: bool


def generate_high_energy(
    rng: np.random.Generator,
    neutrino_pdg: int,
    neutrino_energy: float,
    is_cc: bool,
    nucleus: Nucleus = TUNGSTEN_NUCLEUS,
    weight: float = 1.0,
) -> DecayedInteraction:
    """Generate one interaction of a neutrino that comes along +z.

    Args:
        rng: Source of randomness.
        neutrino_pdg: ±12, ±14 or ±16.
        neutrino_energy: MeV, at least 10 GeV.
        is_cc: Charged (True) or neutral (False) current.
        nucleus: Target.
        weight: Nominal events that it stands for.

    Raises:
        InteractionError: Another code, an energy below 10 GeV, or one at which this flavour cannot interact.
    """
    if abs(neutrino_pdg) not in (12, 14, 16) or not neutrino_energy >= LOWEST_ENERGY:
        raise InteractionError(
            f"expected ±12, ±14 or ±16 with at least {LOWEST_ENERGY:g} MeV, got {neutrino_pdg} with "
            f"{neutrino_energy!r}: use `generate_interaction` below"
        )
    sign = 1 if neutrino_pdg > 0 else -1
    lepton_pdg = neutrino_pdg - sign if is_cc else neutrino_pdg
    for _ in range(_TRIES):
        hard = _draw_hard(rng, neutrino_energy, sign < 0, is_cc, nucleus)
        lepton, system = np.empty(4), np.empty(4)
        mass = MASSES[abs(lepton_pdg)]
        if not scatter(rng, neutrino_energy, hard.target, hard.w, hard.q_squared, mass, lepton, system):
            continue
        charge = int(hard.struck == 2212) + (sign if is_cc else 0)
        hadrons = hadrons_of(rng, system, system - hard.target, charge, sign if hard.is_charm else 0)
        if hadrons is not None:
            break
    else:
        raise InteractionError(
            f"expected an energy at which {neutrino_pdg} interacts, got {neutrino_energy:g} MeV: raise it"
        )
    outgoing = _through_nucleus(rng, nucleus, lepton_pdg, lepton, hadrons)
    decayed = decay_all(rng, outgoing, antineutrino=sign < 0)
    return DecayedInteraction(
        neutrino_pdg=int(neutrino_pdg),
        neutrino_energy=float(neutrino_energy),
        is_cc=bool(is_cc),
        mode=InteractionMode.DIS,
        target_pdg=hard.struck,
        inelasticity=float(1 - lepton[3] / neutrino_energy),
        weight=weight,
        **_particles(neutrino_energy, decayed),
    )


def with_decays(rng: np.random.Generator, interaction: Interaction) -> DecayedInteraction:
    """Let taus and charmed hadrons decay that left the nucleus in an interaction of another generator.

    Args:
        rng: Source of randomness.
        interaction: What happened; those that its generator let decay count as what they became.
    """
    mass = MASS[[SPECIES_OF[int(code)] for code in interaction.pdg]]
    energy = np.sqrt((interaction.momentum**2).sum(axis=1) + mass**2)
    outgoing = Outgoing(interaction.pdg, np.column_stack([interaction.momentum, energy]))
    decayed = decay_all(rng, outgoing, antineutrino=interaction.neutrino_pdg < 0)
    return DecayedInteraction(**vars(interaction) | _particles(interaction.neutrino_energy, decayed))


def _draw_hard(
    rng: np.random.Generator, energy: float, antineutrino: bool, is_cc: bool, nucleus: Nucleus
) -> _Hard:
    """Draw x and y for a batch of nucleons, and take the first that is accepted."""
    while True:
        root_x, y = rng.random(_BATCH), rng.random(_BATCH)
        x = root_x**2
        is_proton = rng.random(_BATCH) * nucleus.nucleons < nucleus.protons
        q_squared = 2 * NUCLEON * energy * x * y
        w_squared = NUCLEON**2 + 2 * NUCLEON * energy * y * (1 - x)
        plain, charm = cross_section(x, y, q_squared, w_squared, antineutrino, is_cc, is_proton)
        # x comes as 1 / (2 √x): what is left to accept is bounded
        total = (plain + charm) * root_x
        accepted = np.flatnonzero(rng.random(_BATCH) * _BOUND < total)
        for row in accepted:
            struck = 2212 if is_proton[row] else 2112
            target = draw_nucleon(rng, nucleus, struck, nucleus.removal_energy)
            rest_energy = energy * (target[3] - target[2]) / NUCLEON
            w_here = NUCLEON**2 + 2 * NUCLEON * rest_energy * y[row] * (1 - x[row])
            is_charm = bool(rng.random() * (plain[row] + charm[row]) < charm[row])
            if w_here > (CHARM_THRESHOLD if is_charm else LOWEST_W) ** 2:
                scale = rest_energy / energy
                return _Hard(struck, float(np.sqrt(w_here)), float(q_squared[row] * scale), target, is_charm)


_BOUND = 0.28
"""Largest cross-section times √x, at all energies and for all beams (0.262 was found)."""


def cross_section(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    q_squared: NDArray[np.float64],
    w_squared: NDArray[np.float64],
    antineutrino: bool,
    is_cc: bool,
    is_proton: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return d²σ / dx dy up to one constant: without charm, and with a charm quark that comes out.

    Args:
        x: (n,) Bjorken x.
        y: (n,) inelasticity.
        q_squared: (n,) MeV².
        w_squared: (n,) MeV².
        antineutrino: Whether the beam particle is one.
        is_cc: Charged or neutral current.
        is_proton: (n,) whether a proton is struck.
    """
    up, down, antiquark, strange, sea_charm = _in_nucleon(x, q_squared, is_proton)
    flipped = (1 - y) ** 2
    boson = W_MASS if is_cc else Z_MASS
    common = (1 + q_squared / boson**2) ** -2 * q_squared / (q_squared + LOW_Q_SQUARED)
    common = np.where(w_squared > LOWEST_W**2, common, 0.0)
    if not is_cc:
        quarks = [(up + sea_charm, antiquark + sea_charm, _UP), (down + strange, antiquark + strange, _DOWN)]
        total = np.zeros_like(x)
        for quark, anti, (left, right) in quarks:
            if antineutrino:
                left, right = right, left
            total += left**2 * (quark + anti * flipped) + right**2 * (quark * flipped + anti)
        return common * total, np.zeros_like(x)
    slow = np.minimum(x * (1 + CHARM_MASS**2 / np.maximum(q_squared, 1.0)), 1.0)
    _, down_slow, antiquark_slow, strange_slow, _ = _in_nucleon(slow, q_squared, is_proton)
    if antineutrino:
        plain = (1 - CABIBBO_SQUARED) * antiquark + CABIBBO_SQUARED * strange + (up + sea_charm) * flipped
        source = CABIBBO_SQUARED * antiquark_slow + (1 - CABIBBO_SQUARED) * strange_slow
    else:
        plain = (1 - CABIBBO_SQUARED) * down + CABIBBO_SQUARED * strange
        plain = plain + (antiquark + sea_charm) * flipped
        source = CABIBBO_SQUARED * down_slow + (1 - CABIBBO_SQUARED) * strange_slow
    open_charm = (w_squared > CHARM_THRESHOLD**2) & (slow < 1)
    charm = np.where(open_charm, np.maximum(1 - y + x * y / slow, 0) * source, 0.0)
    return common * plain, common * charm


def _in_nucleon(
    x: NDArray[np.float64], q_squared: NDArray[np.float64], is_proton: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], ...]:
    found = densities(x, q_squared / 1e6)
    up = np.where(is_proton, found.up, found.down)
    down = np.where(is_proton, found.down, found.up)
    return up, down, found.antiquark, found.strange, found.charm


def _through_nucleus(
    rng: np.random.Generator,
    nucleus: Nucleus,
    lepton_pdg: int,
    lepton: NDArray[np.float64],
    hadrons: Outgoing,
) -> Outgoing:
    """Let hadrons that form inside of the nucleus meet nucleons; the lepton comes first."""
    pdg, p = np.zeros(MOST_ROWS, np.int32), np.zeros((MOST_ROWS, 4))
    charmed = np.isin(np.abs(hadrons.pdg), [*CHARMED])
    light = np.flatnonzero(~charmed)
    rows = 1 + len(light)
    pdg[0], p[0] = lepton_pdg, lepton
    pdg[1:rows], p[1:rows] = hadrons.pdg[light], hadrons.p[light]
    if nucleus.nucleons > 1:
        rows = cascade(rng, nucleus, True, rows, pdg, p)
    codes = np.concatenate([pdg[:1], hadrons.pdg[charmed], pdg[1:rows]])
    momenta = np.concatenate([p[:1], hadrons.p[charmed], p[1:rows]])
    return Outgoing(codes, momenta)


def visible_energy(pdg: NDArray[np.int32], energy: NDArray[np.float64]) -> float:
    """Return the kinetic energy of nucleons and the total energy of everything else, MeV."""
    nucleon = np.array([is_nucleon(int(code)) for code in pdg])
    mass = np.array([MASS[SPECIES_OF[int(code)]] for code in pdg])
    return float((energy - np.where(nucleon, mass, 0.0)).sum())


def _particles(neutrino_energy: float, decayed: Decayed) -> dict[str, Any]:
    """Return the fields of an interaction that its particles and their decays decide."""
    final = decayed.is_final
    species = np.array([SPECIES_OF[int(code)] for code in decayed.pdg[final]])
    held = decayed.p[final, 3] - MASS[species] + REST_CONTENT[species]
    return {
        "pdg": decayed.pdg,
        "momentum": decayed.p[:, :3],
        "invisible_energy": float(neutrino_energy - held.sum()),
        "parent": decayed.parent,
        "offset": decayed.offset,
        "origin": decayed.origin,
        "is_final": final,
        "tau_decay_mode": decayed.tau_decay_mode,
    }


def nucleus_of(rng: np.random.Generator, material: str) -> Nucleus:
    """Draw the nucleus that is struck in a material: tungsten, or carbon and hydrogen (CH) by their mass."""
    if material == "tungsten":
        return TUNGSTEN_NUCLEUS
    return CARBON if rng.random() * 13.0 < 12.0 else HYDROGEN
