"""Neutrino interactions with nuclei, 0.1 to 50 GeV: a fast parametrised generator.

One event is: a channel by energy (`channels`), its kinematics (`quasi_elastic`, `two_nucleon`,
`resonance`, `deep_inelastic`, `coherent`), and the way of the hadrons out of the nucleus
(`final_state`). It is not GENIE; docs/interactions.md says how far it is from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nuzoo.simulation.errors import SimulationError
from nuzoo.simulation.event_types import Interaction, InteractionMode
from nuzoo.simulation.interactions.channels import fractions
from nuzoo.simulation.interactions.coherent import coherent
from nuzoo.simulation.interactions.deep_inelastic import deep_inelastic
from nuzoo.simulation.interactions.final_state import cascade, evaporate
from nuzoo.simulation.interactions.masses import MASSES, NUCLEON, is_nucleon, mass_of
from nuzoo.simulation.interactions.nucleus import ARGON, Nucleus, Probe
from nuzoo.simulation.interactions.quasi_elastic import quasi_elastic
from nuzoo.simulation.interactions.resonance import resonance
from nuzoo.simulation.interactions.two_nucleon import two_nucleon

NEUTRINOS = (12, 14, 16)
MOST_PARTICLES = 64
_ANY_MODE = -1


class InteractionError(SimulationError):
    """A neutrino, an energy or a spectrum that cannot make an interaction."""


@njit(cache=True)
def _primary(mode, rng, probe, nucleus, pdg, p):
    if mode == 0:
        return quasi_elastic(rng, probe, nucleus, pdg, p)
    if mode == 1:
        return two_nucleon(rng, probe, nucleus, pdg, p)
    if mode == 2:
        return resonance(rng, probe, nucleus, pdg, p)
    if mode == 3:
        return deep_inelastic(rng, probe, nucleus, pdg, p)
    return coherent(rng, probe, nucleus, pdg, p)


@njit(cache=True)
def _visible_energy(rows, pdg, p):
    total = 0.0
    for i in range(rows):
        total += p[i, 3]
        if is_nucleon(pdg[i]):
            total -= mass_of(pdg[i])
    return total


@njit(cache=True)
def _excitation(left, nucleus, rows, pdg):
    """Say what the energy left in the nucleus exceeds the binding of the nucleons that are out by."""
    for i in range(rows):
        if is_nucleon(pdg[i]):
            left -= nucleus.separation_energy
    return left


@njit(cache=True)
def _event(rng, probe, lepton, wanted_mode, nucleus, final_state):
    """(mode, struck nucleon, rows, pdg, four-momenta); no rows if the phase space is closed."""
    pdg = np.zeros(MOST_PARTICLES, np.int32)
    p = np.zeros((MOST_PARTICLES, 4))
    mode = wanted_mode
    if mode < 0:
        share = fractions(probe.energy, probe.antineutrino, probe.lepton_mass)
        mode, left = 0, rng.random() - share[0]
        while left > 0.0 and mode < 4:
            mode += 1
            left -= share[mode]
    rows, hit = _primary(mode, rng, probe, nucleus, pdg, p)
    if rows == 0 and wanted_mode < 0:
        mode = 0
        rows, hit = _primary(mode, rng, probe, nucleus, pdg, p)
    if rows == 0:
        return mode, hit, 0, pdg, p
    pdg[0] = lepton
    if final_state and mode != 4:
        rows = cascade(rng, nucleus, mode == 3, rows, pdg, p)
        left = probe.energy - _visible_energy(rows, pdg, p)
        excitation = rng.random() * _excitation(left, nucleus, rows, pdg)
        rows = evaporate(rng, nucleus, excitation, rows, pdg, p)
    return mode, hit, rows, pdg, p


def minimum_energy(neutrino_pdg: int, is_cc: bool, nucleus: Nucleus = ARGON) -> float:
    """Lowest neutrino energy that this generator handles, in MeV.

    The threshold on a nucleon at rest, plus the removal energy, the Fermi energy (the nucleon must
    leave the occupied states) and 15 MeV of phase space. Below, reactions to nuclear levels take
    over, which are not modelled.

    Args:
        neutrino_pdg: ±12, ±14 or ±16.
        is_cc: Charged or neutral current.
        nucleus: Target.
    """
    mass = MASSES[abs(neutrino_pdg) - 1] if is_cc else 0.0
    threshold = ((NUCLEON + mass) ** 2 - NUCLEON**2) / (2.0 * NUCLEON)
    highest = max(nucleus.fermi_momentum_proton, nucleus.fermi_momentum_neutron)
    return threshold + nucleus.removal_energy + highest**2 / (2.0 * NUCLEON) + 15.0


def _check_neutrino(neutrino_pdg: int) -> None:
    if abs(neutrino_pdg) not in NEUTRINOS:
        raise InteractionError(f"expected the PDG code of a neutrino (±12, ±14, ±16), got {neutrino_pdg!r}")


def _check_energy(neutrino_pdg: int, energy: float, is_cc: bool, nucleus: Nucleus) -> None:
    least = minimum_energy(neutrino_pdg, is_cc, nucleus)
    if not (np.isfinite(energy) and energy >= least):
        current = "charged" if is_cc else "neutral"
        raise InteractionError(
            f"expected a neutrino energy of at least {least:.1f} MeV for a {current} current of "
            f"{neutrino_pdg}, got {energy!r}; energies are in MeV, and `minimum_energy` tells the threshold"
        )


def generate_interaction(
    rng: np.random.Generator,
    neutrino_pdg: int,
    neutrino_energy: float,
    is_cc: bool,
    nucleus: Nucleus = ARGON,
    mode: InteractionMode | None = None,
    final_state: bool = True,
) -> Interaction:
    """Generate one interaction of a neutrino that comes along +z.

    Args:
        rng: Source of randomness.
        neutrino_pdg: ±12, ±14 or ±16.
        neutrino_energy: MeV.
        is_cc: Charged (True) or neutral (False) current.
        nucleus: Target.
        mode: Channel; drawn by energy if None.
        final_state: Whether hadrons interact on their way out and the nucleus de-excites.

    Returns:
        The interaction. K0 come as K0_L or K0_S; π0, K and τ are left to the transport.

    Raises:
        InteractionError: If the code is not a neutrino's, or the energy is not finite, below
            `minimum_energy`, or below the threshold of the wanted channel.
    """
    _check_neutrino(neutrino_pdg)
    energy = float(neutrino_energy)
    _check_energy(neutrino_pdg, energy, is_cc, nucleus)
    sign = 1 if neutrino_pdg > 0 else -1
    lepton = neutrino_pdg - sign if is_cc else neutrino_pdg
    probe = Probe(energy, sign < 0, bool(is_cc), MASSES[abs(lepton)])
    wanted = _ANY_MODE if mode is None else int(mode)
    drawn, hit, rows, pdg, p = _event(rng, probe, lepton, wanted, nucleus, final_state)
    if rows == 0:
        raise InteractionError(
            f"expected an energy above the threshold of {InteractionMode(drawn).name}, got {energy} MeV; "
            "raise the energy or leave the channel open"
        )
    return Interaction(
        neutrino_pdg=int(neutrino_pdg),
        neutrino_energy=energy,
        is_cc=bool(is_cc),
        mode=InteractionMode(drawn),
        target_pdg=int(hit),
        inelasticity=float(1.0 - p[0, 3] / energy),
        pdg=pdg[:rows].copy(),
        momentum=p[:rows, :3].copy(),
        invisible_energy=float(energy - _visible_energy(rows, pdg, p)),
    )


@dataclass(frozen=True)
class Spectrum:
    """Which neutrinos come, and with which energies.

    Attributes:
        flavours: PDG codes.
        fractions: Share of each flavour, summing to 1.
        energy_range: MeV; the spectrum is flat between them unless a table is given.
        energy_table: (energies, weights), a piecewise linear density at increasing energies in MeV.
        cc_fraction: Share of charged-current interactions.

    Raises:
        InteractionError: If one of them makes no sense.
    """

    flavours: tuple[int, ...] = (12, 14)
    fractions: tuple[float, ...] = (0.5, 0.5)
    energy_range: tuple[float, float] = (0.0, 10_000.0)
    energy_table: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    cc_fraction: float = 0.74

    def __post_init__(self) -> None:
        for flavour in self.flavours:
            _check_neutrino(flavour)
        if len(self.flavours) != len(self.fractions) or not self.flavours:
            raise InteractionError(
                f"expected one fraction per flavour, got {len(self.fractions)} for {len(self.flavours)}"
            )
        if min(self.fractions) < 0.0 or abs(sum(self.fractions) - 1.0) > 1e-6:
            raise InteractionError(f"expected fractions, none negative, that sum to 1, got {self.fractions}")
        if not 0.0 <= self.cc_fraction <= 1.0:
            raise InteractionError(f"expected a cc_fraction between 0 and 1, got {self.cc_fraction}")
        energies, weights = self._table()
        if not (
            energies.shape == weights.shape
            and energies.size >= 2
            and np.all(np.isfinite(energies))
            and np.all(np.diff(energies) > 0.0)
            and energies[0] >= 0.0
            and np.all(weights >= 0.0)
            and weights.max() > 0.0
        ):
            raise InteractionError(
                "expected increasing energies in MeV, none negative, and as many weights, none "
                f"negative and not all 0; got energies {energies} and weights {weights}"
            )

    def _table(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        table = self.energy_table or (self.energy_range, (1.0, 1.0))
        return np.asarray(table[0], np.float64), np.asarray(table[1], np.float64)

    def draw_energy(self, rng: np.random.Generator, minimum: float = 0.0) -> float:
        """Draw an energy in MeV, of the part of the spectrum above a minimum (MeV).

        Raises:
            InteractionError: If the spectrum has nothing above it.
        """
        energies, weights = self._table()
        if minimum > energies[0]:
            above = energies > minimum
            at_minimum = np.interp(minimum, energies, weights)
            energies = np.concatenate(([minimum], energies[above]))
            weights = np.concatenate(([at_minimum], weights[above]))
        area = 0.5 * (weights[1:] + weights[:-1]) * np.diff(energies)
        if area.sum() <= 0.0:
            raise InteractionError(
                f"expected a spectrum that reaches above the threshold of {minimum:.1f} MeV, got one that "
                f"ends at {energies[-1]:.1f} MeV; raise its upper end"
            )
        cumulative = np.cumsum(area)
        target = rng.random() * cumulative[-1]
        i = min(int(np.searchsorted(cumulative, target, side="right")), area.size - 1)
        rest = target - (cumulative[i] - area[i])
        low, high = weights[i], weights[i + 1]
        width = energies[i + 1] - energies[i]
        root = np.sqrt(low**2 + 2.0 * rest * (high - low) / width)
        return float(min(energies[i] + 2.0 * rest / (low + root), energies[i + 1]))


def sample_interaction(rng: np.random.Generator, spectrum: Spectrum, nucleus: Nucleus = ARGON) -> Interaction:
    """Draw flavour, current and energy from a spectrum and generate the interaction.

    Flavour and current are drawn first and kept; the energy is then drawn from the part of the
    spectrum above their threshold, so the mixture of classes is as asked.

    Raises:
        InteractionError: If the spectrum ends below the threshold.
    """
    choice = np.searchsorted(np.cumsum(spectrum.fractions), rng.random(), side="right")
    neutrino = spectrum.flavours[min(int(choice), len(spectrum.flavours) - 1)]
    is_cc = bool(rng.random() < spectrum.cc_fraction)
    energy = spectrum.draw_energy(rng, minimum_energy(neutrino, is_cc, nucleus))
    return generate_interaction(rng, neutrino, energy, is_cc, nucleus)
