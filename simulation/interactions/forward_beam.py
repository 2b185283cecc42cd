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
    12: (4.6866, 0.5462, -0.0128, 0.0770, -0.2108, -0.1702, -0.0576, -0.0099, -0.0007),
    -12: (3.8618, -0.0780, -0.2863, -0.0029, -0.2352, -0.1217, -0.0170, 0.0008, 0.0002),
    14: (5.8987, -0.1763, -0.2934, 0.0750, -0.0657, -0.1313, -0.0647, -0.0132, -0.0010),
    -14: (4.6615, -0.4099, -0.5012, -0.1357, -0.1230, -0.0785, -0.0261, -0.0042, -0.0003),
    16: (0.9570, 0.2766, -0.0367, 0.0903, -0.2842, -0.1913, -0.0434, -0.0034),
    -16: (0.1942, 0.5449, 0.2401, -0.0207, -0.5574, -0.3253, -0.0699, -0.0052),
}
INTERACTIONS = {12: 1230.6, -12: 480.0, 14: 4452.5, -14: 1329.8, 16: 27.6, -16: 13.0}
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
