"""Cubes of scintillator: quenched light that leaks to the next cubes and is counted in photoelectrons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nuzoo.simulation.event_types import Deposits
from nuzoo.simulation.response.crosstalk import leaked
from nuzoo.simulation.response.motifs import Contributions
from nuzoo.simulation.response.quenching import quenched
from nuzoo.simulation.response.voxels import VoxelReadout, Voxels

STOPPED_DEDX = 60.0
"""MeV/cm given to what stops where it is made: an estimate for slow protons."""


@dataclass(frozen=True, kw_only=True)
class CubeReadout(VoxelReadout):
    """The readout of optically separated cubes of plastic scintillator.

    Energies are light in MeV of minimum-ionising particles: quenching is corrected for these alone.

    Attributes:
        birks_cm_per_mev: Birks' constant.
        mip_dedx: MeV/cm at which the light is calibrated.
        crosstalk: Share of the light of a cube that each of its six neighbours gets.
        photoelectrons_per_mev: Light yield, of all fibres of a cube together.
    """

    birks_cm_per_mev: float
    mip_dedx: float
    crosstalk: float
    photoelectrons_per_mev: float

    def simulation_facts(self) -> dict[str, str]:
        """Say what holds of events that nuzoo simulates alone: property and value, with units."""
        return super().simulation_facts() | {
            "quenching": (
                f"Birks' constant {self.birks_cm_per_mev:g} cm/MeV, calibrated at {self.mip_dedx:g} MeV/cm"
            ),
            "optical crosstalk": f"{self.crosstalk:.0%} of the light to each of the six neighbours",
            "light": f"{self.photoelectrons_per_mev:g} photoelectrons per MeV, counted with Poisson's errors",
        }

    def visible(self, deposits: Deposits) -> NDArray[np.floating[Any]]:
        """Return the light of each deposit (n,), in MeV of a minimum-ionising particle."""
        length = np.linalg.norm(deposits.end - deposits.start, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            dedx = np.where(length > 1e-4, deposits.energy / length, STOPPED_DEDX)
        calibration = 1 + self.birks_cm_per_mev * self.mip_dedx
        return calibration * quenched(deposits.energy, dedx, self.birks_cm_per_mev)

    def contributions(self, deposits: Deposits) -> Contributions:
        """Share the light of deposits out to the cubes that they cross and to the next ones."""
        return leaked(super().contributions(deposits), self.shape, self.crosstalk)

    def measured(self, voxels: Voxels, rng: np.random.Generator) -> Voxels:
        """Return the voxels with the light that is counted."""
        counted = rng.poisson(voxels.energy * self.photoelectrons_per_mev)
        return replace(voxels, energy=counted / self.photoelectrons_per_mev)
