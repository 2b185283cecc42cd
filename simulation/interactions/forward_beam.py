"""The neutrinos of the LHC that go straight forward: which flavours interact, and with which energies.

Polynomials fitted by us to the logarithm of the charged-current interactions in FASERnu (150/fb, bins of one
width in log E) as a fast flux simulation tabulates them (F. Kling and L. J. Nevay, Phys. Rev. D 104 (2021)
113008).
Beyond 5.7 TeV there is nothing in the tables, nor here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import polynomial
from numpy.typing import NDArray

LOWEST_GEV, HIGHEST_GEV = 10.1, 6390.0
"""Edges of the tables."""
POINTS = 400

# ln of charged-current interactions in a bin, as a polynomial of ln(E / TeV).
_COEFFICIENTS: dict[int, tuple[float, ...]] = {
    12: (
        4.686643,
        0.5461671,
        -0.01277514,
        0.07699045,
        -0.2108319,
        -0.1701779,
        -0.05759692,
        -0.009874126,
        -0.0006944451,
    ),
    -12: (
        3.8618,
        -0.07800002,
        -0.2862614,
        -0.002865905,
        -0.2352288,
        -0.1217389,
        -0.01703731,
        0.000817767,
        0.0002443483,
    ),
    14: (
        5.898738,
        -0.1762754,
        -0.293396,
        0.07500115,
        -0.06568375,
        -0.1313427,
        -0.06469051,
        -0.01320053,
        -0.0009774488,
    ),
    -14: (
        4.661461,
        -0.4098812,
        -0.5012173,
        -0.1357217,
        -0.1230007,
        -0.0785193,
        -0.02608168,
        -0.004246922,
        -0.0002674083,
    ),
    16: (0.9569571, 0.276566, -0.03668806, 0.09028175, -0.2842311, -0.1913215, -0.04340632, -0.003350347),
    -16: (0.1942373, 0.5448563, 0.2401492, -0.02067354, -0.557377, -0.3253105, -0.06994994, -0.005240878),
}
INTERACTIONS = {12: 1230.6, -12: 480.0, 14: 4452.5, -14: 1329.8, 16: 27.56, -16: 12.97}
"""Charged-current interactions of each flavour in 150/fb."""

NEUTRAL_OVER_CHARGED = (0.31, 0.37)
"""Cross-section of the neutral over the charged current, of neutrinos and antineutrinos (Pythia at 100 GeV;
world average 0.31 and 0.38)."""


def charged_current_rate(neutrino_pdg: int, energy_gev: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the charged-current interactions of a flavour in a bin of the tables, against energy.

    Args:
        neutrino_pdg: ±12, ±14 or ±16.
        energy_gev: (n,) GeV, between the edges of the tables.

    Returns:
        (n,) interactions for each 0.2332 of ln E in 150/fb.
    """
    rate: NDArray[np.float64] = np.exp(
        polynomial.polyval(np.log(np.asarray(energy_gev) / 1000.0), _COEFFICIENTS[neutrino_pdg])
    )
    return rate


@dataclass(frozen=True)
class ForwardBeam:
    """What interacts, and how often.

    Attributes:
        tau_share: Share of tau neutrinos among charged currents; None keeps the beam's 0.5 %.
    """

    tau_share: float | None = None

    def draw(self, rng: np.random.Generator) -> tuple[int, float, bool, float]:
        """Draw one neutrino.

        Returns:
            (PDG code, energy in MeV, whether the current is charged, how many nominal events it stands for).
        """
        flavours, rates = [*INTERACTIONS], np.array([*INTERACTIONS.values()])
        neutral = rates * [NEUTRAL_OVER_CHARGED[code < 0] for code in flavours]
        nominal = np.concatenate([rates, neutral]) / (rates.sum() + neutral.sum())
        simulated = self._simulated(flavours, nominal)
        choice = int(rng.choice(len(nominal), p=simulated))
        flavour, is_cc = flavours[choice % len(flavours)], choice < len(flavours)
        weight = float(nominal[choice] / simulated[choice])
        return flavour, 1000.0 * _draw_energy(rng, flavour), is_cc, weight

    def _simulated(self, flavours: list[int], nominal: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.tau_share is None:
            return nominal
        charged = np.arange(len(nominal)) < len(flavours)
        tau = charged & np.tile(np.abs(flavours) == 16, 2)
        other = charged & ~tau
        simulated = nominal.copy()
        simulated[tau] *= self.tau_share * nominal[charged].sum() / nominal[tau].sum()
        simulated[other] *= (1 - self.tau_share) * nominal[charged].sum() / nominal[other].sum()
        return simulated


def _draw_energy(rng: np.random.Generator, flavour: int) -> float:
    log_energy = np.linspace(np.log(LOWEST_GEV), np.log(HIGHEST_GEV), POINTS)
    cumulative = np.cumsum(charged_current_rate(flavour, np.exp(log_energy)))
    cumulative -= cumulative[0]
    return float(np.exp(np.interp(rng.random() * cumulative[-1], cumulative, log_energy)))
