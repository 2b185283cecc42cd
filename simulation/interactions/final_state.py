"""What happens to hadrons on their way out of the nucleus.

A small intranuclear cascade: hadrons start at a random place of a uniform sphere, go straight, and
meet bound nucleons after exponentially distributed paths. Pions scatter, exchange charge, are absorbed
by pairs of nucleons or make another pion; nucleons scatter and knock others out, Pauli blocking
permitting; kaons escape. Hadrons of inelastic events form only after a while. What excitation is left
boils off as slow neutrons and protons. The free paths are tuned to the fates of 1,000 GENIE events on
carbon and carry over to other nuclei by their size.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nuzoo.simulation.interactions.four_vectors import (
    Codes,
    FourVector,
    boost_to_rest,
    breakup_momentum,
    copy_to,
    direction_about,
    invariant_mass_squared,
    isotropic_direction,
    set_momentum,
    three_body_decay,
    two_body_decay,
)
from nuzoo.simulation.interactions.masses import is_nucleon, mass_of
from nuzoo.simulation.interactions.nucleus import Nucleus, draw_nucleon, draw_species, is_pauli_blocked

RADIUS_PARAMETER = 1.25
"""Radius over A^(1/3), fm."""
DENSITY = 3.0 / (4.0 * np.pi * RADIUS_PARAMETER**3)
"""Nucleons per fm³."""
FORMATION_LENGTH = 0.342
"""Formation length over p/m, fm (SKAT, Z. Phys. C 40 (1988) 483; GENIE's default)."""
NUCLEON_CROSS_SECTION = 1.6
"""Effective cross-section of a nucleon on a bound one, fm²."""
FORWARD_SLOPE = 4.0e-6
"""Slope of exp(b t) in elastic scattering, MeV⁻²."""
EVAPORATION_TEMPERATURE = 2.0
"""MeV."""
COULOMB_CHARGE = 20.0
"""Nuclear charge at which the Coulomb barrier cuts evaporated protons to 1/e."""


@njit(cache=True)
def pion_cross_section(kinetic_energy: float) -> float:
    """Effective cross-section of a pion on a bound nucleon, fm²: the Δ peak over a plateau."""
    return 1.1 + 3.8 / (1.0 + ((kinetic_energy - 190.0) / 110.0) ** 2)


@njit(cache=True)
def _path_to_surface(position, direction, radius):
    along, distance_squared = 0.0, 0.0
    for k in range(3):
        along += position[k] * direction[k]
        distance_squared += position[k] ** 2
    return -along + np.sqrt(max(along**2 + radius**2 - distance_squared, 0.0))


@njit(cache=True)
def _scattering_direction(rng, projectile, total, momentum):
    axis = projectile.copy()
    boost_to_rest(axis, total)
    slope = max(2.0 * momentum**2 * FORWARD_SLOPE, 1e-6)
    cosine = 1.0 + np.log(1.0 - rng.random() * (1.0 - np.exp(-2.0 * slope))) / slope
    return direction_about(rng, axis, max(cosine, -1.0))


@njit(cache=True)
def _two_body(rng, nucleus, projectile, total, first, second, i, rows, pdg, p):
    """Replace row i and add a row; returns the rows in use, unchanged if blocked."""
    s = invariant_mass_squared(total)
    if s <= (mass_of(first) + mass_of(second)) ** 2:
        return rows
    momentum = breakup_momentum(np.sqrt(s), mass_of(first), mass_of(second))
    direction = _scattering_direction(rng, projectile, total, momentum)
    a, b = np.empty(4), np.empty(4)
    two_body_decay(total, mass_of(first), mass_of(second), direction, a, b)
    if is_pauli_blocked(nucleus, first, a) or is_pauli_blocked(nucleus, second, b):
        return rows
    pdg[i], pdg[rows] = first, second
    copy_to(p[i], a)
    copy_to(p[rows], b)
    return rows + 1


@njit(cache=True)
def _absorb(rng, nucleus, i, rows, pdg, p):
    """Let two nucleons take a pion's energy: π+ np → pp, π+ nn → pn and so on."""
    pion = int(pdg[i])
    charge = 0 if pion == 111 else (1 if pion > 0 else -1)
    mixed = rng.random() < 0.83
    first = 2112 if charge > 0 else 2212
    if charge == 0:
        first = draw_species(rng, nucleus)
    second = 4324 - first if mixed else first
    protons = charge + (1 if first == 2212 else 0) + (1 if second == 2212 else 0)
    total = p[i] + draw_nucleon(rng, nucleus, first, nucleus.separation_energy)
    total += draw_nucleon(rng, nucleus, second, nucleus.separation_energy)
    out_first = 2212 if protons >= 1 else 2112
    out_second = 2212 if protons == 2 else 2112
    return _two_body(rng, nucleus, p[i].copy(), total, out_first, out_second, i, rows, pdg, p)


@njit(cache=True)
def _exchange(pion: int, nucleon: int) -> tuple[int, int]:
    """Charge exchange of a pion on a nucleon; the same pair where there is none."""
    if pion == 111:
        return (211, 2112) if nucleon == 2212 else (-211, 2212)
    if (pion == 211) == (nucleon == 2112):
        return 111, 4324 - nucleon
    return pion, nucleon


@njit(cache=True)
def _make_pion(rng, nucleus, total, first, second, i, rows, pdg, p):
    """X N → X N π by phase space; the nucleon pays the charge of the pion."""
    pion = 111
    if rng.random() < 0.6:
        pion = 211 if second == 2212 else -211
        second = 4324 - second
    masses = np.array([mass_of(first), mass_of(second), mass_of(pion)])
    if invariant_mass_squared(total) <= (masses[0] + masses[1] + masses[2] + 20.0) ** 2:
        return rows
    a, b, c = np.empty(4), np.empty(4), np.empty(4)
    three_body_decay(rng, total, masses, a, b, c)
    if is_pauli_blocked(nucleus, first, a) or is_pauli_blocked(nucleus, second, b):
        return rows
    pdg[i], pdg[rows], pdg[rows + 1] = first, second, pion
    copy_to(p[i], a)
    copy_to(p[rows], b)
    copy_to(p[rows + 1], c)
    return rows + 2


@njit(cache=True)
def _interact(rng, nucleus, i, rows, pdg, p):
    """One collision of row i with a bound nucleon; returns the rows in use."""
    projectile_pdg = int(pdg[i])
    kinetic = p[i, 3] - mass_of(pdg[i])
    struck = draw_species(rng, nucleus)
    projectile = p[i].copy()
    total = projectile + draw_nucleon(rng, nucleus, struck, nucleus.separation_energy)
    choice = rng.random()
    if is_nucleon(pdg[i]):
        if kinetic > 600.0 and choice < 0.5:
            return _make_pion(rng, nucleus, total, projectile_pdg, struck, i, rows, pdg, p)
        first, second = projectile_pdg, struck
        if rng.random() < 0.5:
            first, second = second, first
        return _two_body(rng, nucleus, projectile, total, first, second, i, rows, pdg, p)
    if choice < absorption_share(kinetic):
        return _absorb(rng, nucleus, i, rows, pdg, p)
    choice = rng.random()
    if kinetic > 400.0 and choice < 0.5:
        return _make_pion(rng, nucleus, total, projectile_pdg, struck, i, rows, pdg, p)
    first, second = projectile_pdg, struck
    if choice > 0.55:
        first, second = _exchange(projectile_pdg, struck)
    return _two_body(rng, nucleus, projectile, total, first, second, i, rows, pdg, p)


@njit(cache=True)
def absorption_share(kinetic_energy: float) -> float:
    """Share of a pion's collisions that are absorptions."""
    return 0.26 / (1.0 + (kinetic_energy / 450.0) ** 4)


@njit(cache=True)
def cascade(
    rng: np.random.Generator, nucleus: Nucleus, forms_late: bool, rows: int, pdg: Codes, p: FourVector
) -> int:
    """Take the hadrons (rows 1 and up) through the nucleus.

    Args:
        rng: Source of randomness.
        nucleus: The target.
        forms_late: Whether the hadrons have a formation length (inelastic events).
        rows: Rows in use.
        pdg: int32 (m,). Changed and extended in place.
        p: float64 (m, 4). Changed and extended in place.

    Returns:
        Rows in use afterwards.
    """
    radius = RADIUS_PARAMETER * nucleus.nucleons ** (1.0 / 3.0)
    position = np.zeros((pdg.shape[0], 4))
    start, depth = isotropic_direction(rng), radius * rng.random() ** (1.0 / 3.0)
    for i in range(rows):
        set_momentum(position[i], depth, start, 0.0)
    primaries, most = rows, min(pdg.shape[0] - 4, rows + nucleus.nucleons // 2)
    i = 1
    while i < rows:
        free = 0.0
        if forms_late and i < primaries:
            momentum = np.sqrt(p[i, 0] ** 2 + p[i, 1] ** 2 + p[i, 2] ** 2)
            free = FORMATION_LENGTH * momentum / mass_of(pdg[i])
        while rows < most:
            nucleon = is_nucleon(pdg[i])
            if not nucleon and abs(pdg[i]) != 211 and pdg[i] != 111:
                break
            size = np.sqrt(p[i, 0] ** 2 + p[i, 1] ** 2 + p[i, 2] ** 2)
            kinetic = p[i, 3] - mass_of(pdg[i])
            area = NUCLEON_CROSS_SECTION if nucleon else pion_cross_section(kinetic)
            path = free + rng.exponential() / (DENSITY * area)
            free = 0.0
            direction = np.array([p[i, 0] / size, p[i, 1] / size, p[i, 2] / size])
            if path > _path_to_surface(position[i], direction, radius):
                break
            for k in range(3):
                position[i, k] += path * direction[k]
            before = rows
            rows = _interact(rng, nucleus, i, rows, pdg, p)
            for new in range(before, rows):
                copy_to(position[new], position[i])
        i += 1
    return rows


@njit(cache=True)
def evaporate(
    rng: np.random.Generator, nucleus: Nucleus, excitation: float, rows: int, pdg: Codes, p: FourVector
) -> int:
    """Boil off slow nucleons while the excitation lasts.

    Args:
        rng: Source of randomness.
        nucleus: The target; each nucleon costs its separation energy.
        excitation: MeV.
        rows: Rows in use.
        pdg: int32 (m,). Extended in place.
        p: float64 (m, 4). Extended in place.

    Returns:
        Rows in use afterwards.
    """
    while rows < pdg.shape[0]:
        kinetic = EVAPORATION_TEMPERATURE * rng.standard_gamma(2.0)
        proton = rng.random() < 0.5 * np.exp(-nucleus.protons / COULOMB_CHARGE)
        kinetic += nucleus.protons / 6.0 if proton else 0.0
        excitation -= kinetic + nucleus.separation_energy
        if excitation < 0.0:
            return rows
        pdg[rows] = 2212 if proton else 2112
        mass = mass_of(pdg[rows])
        momentum = np.sqrt(kinetic * (kinetic + 2.0 * mass))
        set_momentum(p[rows], momentum, isotropic_direction(rng), mass)
        rows += 1
    return rows
