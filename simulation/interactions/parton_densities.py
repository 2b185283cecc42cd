"""Densities of quarks in the proton against x and Q²: the formulas of Duke and Owens.

D. W. Duke and J. F. Owens, Phys. Rev. D 30 (1984) 49, set 1 (Λ = 0.2 GeV, Q0² = 4 GeV²): an old, compact fit
at leading order. Its strange quarks are halved, as the charm that neutrinos make asks for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import beta

Array = NDArray[np.float64]

LAMBDA_SQUARED, START_SQUARED = 0.04, 4.0
"""GeV²."""
STRANGE_OVER_LIGHT = 0.5
_MOST_EVOLVED = 2.0


class Densities(NamedTuple):
    """x times the densities in the proton, each (n,).

    Attributes:
        up: u, valence and sea.
        down: d, valence and sea.
        antiquark: ubar, and dbar alike.
        strange: s, and sbar alike.
        charm: c, and cbar alike.
    """

    up: Array
    down: Array
    antiquark: Array
    strange: Array
    charm: Array

    def of_neutron(self) -> Densities:
        """Return those in the neutron."""
        return self._replace(up=self.down, down=self.up)


def densities(x: Array, q_squared: Array) -> Densities:
    """Return x times the densities of quarks in the proton.

    Args:
        x: (n,) share of the momentum, between 0 and 1.
        q_squared: (n,) GeV²; below 4 the densities stay what they are there.
    """
    scale = np.maximum(q_squared, START_SQUARED)
    s = np.log(np.log(scale / LAMBDA_SQUARED) / np.log(START_SQUARED / LAMBDA_SQUARED))
    s = np.minimum(s, _MOST_EVOLVED)
    valence = _valence(
        x,
        3.0,
        0.419 + 0.004 * s - 0.007 * s**2,
        3.46 + 0.724 * s - 0.066 * s**2,
        4.40 - 4.86 * s + 1.33 * s**2,
    )
    down = _valence(
        x,
        1.0,
        0.763 - 0.237 * s + 0.026 * s**2,
        4.00 + 0.627 * s - 0.019 * s**2,
        -0.421 * s + 0.033 * s**2,
    )
    sea = _sea(
        x,
        1.265 - 1.132 * s + 0.293 * s**2,
        -0.372 * s - 0.029 * s**2,
        8.05 + 1.59 * s - 0.153 * s**2,
        (6.31 * s - 0.273 * s**2, -10.5 * s - 3.17 * s**2, 14.7 * s + 9.80 * s**2),
    )
    charm = _sea(
        x,
        0.135 * s - 0.075 * s**2,
        -0.036 - 0.222 * s - 0.058 * s**2,
        6.35 + 3.26 * s - 0.909 * s**2,
        (-3.03 * s + 1.50 * s**2, 17.4 * s - 11.3 * s**2, -17.9 * s + 15.6 * s**2),
    )
    antiquark = np.maximum(sea, 0.0) / 6.0
    return Densities(
        up=valence - down + antiquark,
        down=down + antiquark,
        antiquark=antiquark,
        strange=STRANGE_OVER_LIGHT * antiquark,
        charm=np.maximum(charm, 0.0) / 2.0,
    )


def _valence(x: Array, quarks: float, a: Array, b: Array, gamma: Array) -> Array:
    """N x^a (1 - x)^b (1 + gamma x), whose integral over dx / x is a number of quarks."""
    norm = quarks / (beta(a, b + 1) * (1 + gamma * a / (a + b + 1)))
    density: Array = norm * x**a * (1 - x) ** b * (1 + gamma * x)
    return density


def _sea(x: Array, norm: Array, a: Array, b: Array, rise: tuple[Array, Array, Array]) -> Array:
    density: Array = norm * x**a * (1 - x) ** b * (1 + rise[0] * x + rise[1] * x**2 + rise[2] * x**3)
    return density
