"""The colour scale of energies, which all displays share: logarithmic, pale to dark on white."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, ListedColormap, to_hex
from numpy.typing import NDArray

ENERGY_DECADES = 3.0
"""Largest dynamic range of the colour scale."""

BRIGHTEST_FRACTION = 0.999
"""Quantile of the energies at the top of the colour scale: single hits do not set it."""

WITHOUT_ENERGY = (0.1, 10.0)
"""Ends of the scale of an event without energy, MeV."""

SHADES = 64
"""Of the colour scale on a page."""


def scale_of(energy: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """Give the ends of a logarithmic colour scale of energies, in their unit."""
    energy = energy[energy > 0]
    if len(energy) == 0:
        return WITHOUT_ENERGY
    high = float(np.quantile(energy, BRIGHTEST_FRACTION))
    low = max(float(np.quantile(energy, 0.02)), high / 10**ENERGY_DECADES)
    return min(low, high / 3), high


def energy_colours() -> Colormap:
    """Give perceptually uniform colours, from pale (little energy) to dark, visible on white."""
    return ListedColormap(matplotlib.colormaps["inferno_r"](np.linspace(0.12, 1, 256)))


def colours_on_dark() -> list[str]:
    """Give the colours of the scale on a dark page, hexadecimal, dim (little energy) to bright."""
    return [to_hex(shade) for shade in matplotlib.colormaps["inferno"](np.linspace(0.25, 1, SHADES))]
