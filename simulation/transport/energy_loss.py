"""What the loss of charged particles in a material has of constants, and the density effect.

Source: Particle Data Group, "Passage of particles through matter" (2024).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nuzoo.simulation.materials import Material

ELECTRON_MASS = 0.51099895
"""MeV."""
BETHE_K = 0.307075
"""4 pi N_A r_e² m_e c², MeV cm²/mol."""

Floats = NDArray[np.float64]


def landau_width_per_cm(material: Material) -> float:
    """K/2 <Z/A> rho in MeV/cm: the Landau width xi of a thin layer is this times z² x / beta²."""
    return 0.5 * BETHE_K * material.z_over_a * material.density


def density_effect(material: Material, beta_gamma: ArrayLike) -> Floats:
    """Sternheimer's density correction delta for each beta*gamma."""
    a, k, x0, x1, cbar, delta0 = material.sternheimer
    x = np.log10(np.maximum(np.asarray(beta_gamma, dtype=float), 1e-12))
    rise = 2 * np.log(10) * x - cbar
    between = rise + a * np.maximum(x1 - x, 0.0) ** k
    below = delta0 * 10 ** (2 * np.minimum(x - x0, 0.0))
    return np.where(x >= x1, rise, np.where(x >= x0, between, below))
