"""Quenching of scintillation light by Birks' law."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

POLYSTYRENE_BIRKS = 0.0126
"""cm/MeV: kB of polystyrene, 0.126 mm/MeV."""


def quenched(
    energy: NDArray[np.floating[Any]],
    loss_per_cm: NDArray[np.floating[Any]],
    birks_cm_per_mev: float = POLYSTYRENE_BIRKS,
) -> NDArray[np.floating[Any]]:
    """Return the light of deposits (n,) in MeV: E / (1 + kB dE/dx).

    Args:
        energy: (n,) MeV.
        loss_per_cm: (n,) dE/dx, MeV/cm.
        birks_cm_per_mev: kB.
    """
    return energy / (1 + birks_cm_per_mev * loss_per_cm)
