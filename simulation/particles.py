"""The particle species that can be transported: masses, charges, lifetimes and decay channels.

Values: Particle Data Group 2024 (checked against the `particle` package in the tests). The arrays are
indexed by species, a small integer; `SPECIES_OF[pdg]` gives it. Branching ratios are the leading ones
of each species, scaled to one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Species(NamedTuple):
    """One kind of particle.

    Attributes:
        pdg: PDG code.
        mass: MeV.
        charge: In units of e.
        ctau: cm; infinite where it is longer than any detector.
        baryon: Baryon number.
    """

    pdg: int
    mass: float
    charge: int
    ctau: float
    baryon: int = 0


STABLE = np.inf

_KINDS = (
    Species(22, 0.0, 0, STABLE),
    Species(11, 0.51099895, -1, STABLE),
    Species(12, 0.0, 0, STABLE),
    Species(14, 0.0, 0, STABLE),
    Species(16, 0.0, 0, STABLE),
    Species(13, 105.6583755, -1, 65863.8),
    Species(15, 1776.93, -1, 0.008703),
    Species(111, 134.9768, 0, 2.53e-6),
    Species(211, 139.57039, 1, 780.45),
    Species(221, 547.862, 0, 1.5e-8),
    Species(130, 497.611, 0, 1533.7),
    Species(310, 497.611, 0, 2.6844),
    Species(311, 497.611, 0, 0.0),
    Species(321, 493.677, 1, 371.1),
    Species(2212, 938.27208816, 1, STABLE, 1),
    Species(2112, 939.5654205, 0, STABLE, 1),
    Species(3122, 1115.683, 0, 7.845, 1),
    Species(3222, 1189.37, 1, 2.404, 1),
    Species(3212, 1192.642, 0, 2.2e-9, 1),
    Species(3112, 1197.449, -1, 4.434, 1),
    Species(3322, 1314.86, 0, 8.71, 1),
    Species(3312, 1321.71, -1, 4.91, 1),
    Species(3334, 1672.45, -1, 2.461, 1),
    Species(411, 1869.66, 1, 0.03097),
    Species(421, 1864.84, 0, 0.012298),
    Species(431, 1968.35, 1, 0.01502),
    Species(4122, 2286.46, 1, 0.00607, 1),
    Species(1000010020, 1875.61294, 1, STABLE, 2),
    Species(1000010030, 2808.92113, 1, STABLE, 3),
    Species(1000020030, 2808.39161, 2, STABLE, 3),
    Species(1000020040, 3727.37941, 2, STABLE, 4),
)
_WITH_ANTIPARTICLE = {11, 12, 14, 16, 13, 15, 211, 311, 321, 2212, 2112, 3122, 411, 421, 431}
_LIST = [
    species
    for kind in _KINDS
    for species in (kind, kind._replace(pdg=-kind.pdg, charge=-kind.charge, baryon=-kind.baryon))
    if species.pdg > 0 or kind.pdg in _WITH_ANTIPARTICLE
]

PDG = np.array([s.pdg for s in _LIST], np.int32)
MASS = np.array([s.mass for s in _LIST])
CHARGE = np.array([float(s.charge) for s in _LIST])
CTAU = np.array([s.ctau for s in _LIST])
BARYON = np.array([s.baryon for s in _LIST])
SPECIES_OF: dict[int, int] = {s.pdg: i for i, s in enumerate(_LIST)}

PHOTON = SPECIES_OF[22]
ELECTRON, POSITRON = SPECIES_OF[11], SPECIES_OF[-11]
FIRST_NEUTRINO, LAST_NEUTRINO = SPECIES_OF[12], SPECIES_OF[-16]
MUON, ANTIMUON = SPECIES_OF[13], SPECIES_OF[-13]
PI_ZERO, PI_PLUS, PI_MINUS = SPECIES_OF[111], SPECIES_OF[211], SPECIES_OF[-211]
K_LONG, K_SHORT = SPECIES_OF[130], SPECIES_OF[310]
K_ZERO, ANTI_K_ZERO = SPECIES_OF[311], SPECIES_OF[-311]
K_PLUS, K_MINUS = SPECIES_OF[321], SPECIES_OF[-321]
PROTON, ANTIPROTON = SPECIES_OF[2212], SPECIES_OF[-2212]
NEUTRON, ANTINEUTRON = SPECIES_OF[2112], SPECIES_OF[-2112]
LAMBDA = SPECIES_OF[3122]
SIGMA_PLUS, SIGMA_MINUS = SPECIES_OF[3222], SPECIES_OF[3112]
DEUTERON, ALPHA = SPECIES_OF[1000010020], SPECIES_OF[1000020040]

REST_CONTENT = np.where(np.isin(PDG, [2212, 2112]) | (PDG > 1_000_000_000), 0.0, MASS)
"""What a particle at rest counts for in the energy budget: nothing for nucleons and nuclei, else its mass."""

_CHANNELS: dict[int, list[tuple[float, tuple[int, ...]]]] = {
    -15: [
        (0.1782, (-11, 12, -16)),
        (0.1739, (-13, 14, -16)),
        (0.1082, (211, -16)),
        (0.2549, (211, 111, -16)),
        (0.0926, (211, 111, 111, -16)),
        (0.0931, (211, 211, -211, -16)),
        (0.0462, (211, 211, -211, 111, -16)),
        (0.0104, (211, 111, 111, 111, -16)),
        (0.0070, (321, -16)),
    ],
    111: [(0.98823, (22, 22)), (0.01174, (11, -11, 22))],
    211: [(0.99988, (-13, 14)), (0.000123, (-11, 12))],
    221: [
        (0.3936, (22, 22)),
        (0.3257, (111, 111, 111)),
        (0.2302, (211, -211, 111)),
        (0.0428, (211, -211, 22)),
    ],
    130: [
        (0.2028, (211, 11, -12)),
        (0.2028, (-211, -11, 12)),
        (0.1352, (211, 13, -14)),
        (0.1352, (-211, -13, 14)),
        (0.1952, (111, 111, 111)),
        (0.1254, (211, -211, 111)),
    ],
    310: [(0.6920, (211, -211)), (0.3069, (111, 111))],
    321: [
        (0.6356, (-13, 14)),
        (0.2067, (211, 111)),
        (0.05583, (211, 211, -211)),
        (0.01760, (211, 111, 111)),
        (0.0507, (111, -11, 12)),
        (0.03352, (111, -13, 14)),
    ],
    3122: [(0.641, (2212, -211)), (0.359, (2112, 111))],
    3222: [(0.5147, (2212, 111)), (0.4843, (2112, 211))],
    3212: [(1.0, (3122, 22))],
    3112: [(1.0, (2112, -211))],
    3322: [(1.0, (3122, 111))],
    3312: [(1.0, (3122, -211))],
    3334: [(0.678, (3122, -321)), (0.243, (3322, -211)), (0.0855, (3312, 111))],
    411: [
        (0.09, (-311, -11, 12)),
        (0.09, (-311, -13, 14)),
        (0.10, (-321, 211, 211)),
        (0.07, (-321, 211, 211, 111)),
        (0.15, (-311, 211, 111)),
        (0.07, (-311, 211, 211, -211)),
        (0.04, (211, 211, -211, 111)),
    ],
    421: [
        (0.035, (-321, -11, 12)),
        (0.034, (-321, -13, 14)),
        (0.03, (-311, -211, -11, 12)),
        (0.03, (-311, -211, -13, 14)),
        (0.04, (-321, 211)),
        (0.144, (-321, 211, 111)),
        (0.082, (-321, 211, 211, -211)),
        (0.10, (-311, 211, -211, 111)),
        (0.09, (-321, 211, 111, 111)),
    ],
    431: [
        (0.055, (221, -11, 12)),
        (0.055, (221, -13, 14)),
        (0.054, (321, -321, 211)),
        (0.055, (321, -321, 211, 111)),
        (0.09, (221, 211, 111)),
        (0.055, (-15, 16)),
        (0.03, (321, -311)),
    ],
    4122: [
        (0.036, (3122, -11, 12)),
        (0.035, (3122, -13, 14)),
        (0.064, (2212, -321, 211)),
        (0.045, (2212, -321, 211, 111)),
        (0.071, (3122, 211, 111)),
        (0.036, (3122, 211, 211, -211)),
        (0.032, (2212, -311)),
        (0.045, (3222, 211, -211)),
        (0.033, (2212, -311, 111)),
    ],
}
_SELF_CONJUGATE = {22, 111, 221, 130, 310}
MAX_DAUGHTERS = 5


def _conjugate(pdg: int) -> int:
    return pdg if pdg in _SELF_CONJUGATE else -pdg


def _decay_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    first = np.zeros(len(_LIST) + 1, np.int64)
    cumulative: list[float] = []
    daughters: list[list[int]] = []
    for row, species in enumerate(_LIST):
        channels = _CHANNELS.get(species.pdg)
        if channels is None and _conjugate(species.pdg) in _CHANNELS:
            channels = [
                (ratio, tuple(_conjugate(p) for p in products))
                for ratio, products in _CHANNELS[_conjugate(species.pdg)]
            ]
        total = sum(ratio for ratio, _ in channels or [])
        reached = 0.0
        for ratio, products in channels or []:
            reached += ratio / total
            cumulative.append(reached)
            codes = [SPECIES_OF[p] for p in products]
            daughters.append(codes + [-1] * (MAX_DAUGHTERS - len(codes)))
        first[row + 1] = len(cumulative)
    return first, np.array(cumulative), np.array(daughters)


DECAY_FIRST, DECAY_CUMULATIVE, DECAY_DAUGHTERS = _decay_table()
"""Channels of species s are rows DECAY_FIRST[s] to DECAY_FIRST[s + 1] of the other two arrays."""
