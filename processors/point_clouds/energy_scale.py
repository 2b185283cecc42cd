"""The logarithmic scale of energies that Panda's networks read."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class LogEnergyScale:
    """From no energy, -1, to `maximum`, +1, in the logarithm; nothing is clipped.

    z = 2 [log10(E + offset) - log10(offset)] / [log10(maximum + offset) - log10(offset)] - 1, as in Panda
    (arXiv 2512.01324) and PoLAr-MAE (arXiv 2502.02558).

    Attributes:
        offset: MeV, what keeps the logarithm finite.
        maximum: MeV.
    """

    offset: float
    maximum: float

    @property
    def _half_span(self) -> float:
        return math.log(1 + self.maximum / self.offset) / 2

    def forward(self, energy: Tensor) -> Tensor:
        """Scale energies in MeV, of any shape."""
        return torch.log1p(energy / self.offset) / self._half_span - 1

    def inverse(self, scaled: Tensor) -> Tensor:
        """Undo `forward`: energies in MeV."""
        return self.offset * torch.expm1((scaled + 1) * self._half_span)
