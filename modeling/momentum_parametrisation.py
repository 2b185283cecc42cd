"""How heads tell a momentum: logarithms of its transverse part and of that along z, and an angle."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

SMALL = 1e-8
"""Added under square roots, so that they have a slope at 0."""

LEAST_RATIO = -0.999999
"""Of a momentum along z to its scale, where a logarithm is taken of 1 and it."""

RAW = 4
"""Numbers that a head gives for a momentum."""


@dataclass(frozen=True)
class MomentumScale:
    """The constants of one kind of momentum, those of training events (arXiv 2604.07037).

    A part p of it, transverse or along z, is told as z = (log(1 + p / k) - mu) / sigma.

    Attributes:
        k: of the transverse part and of that along z, GeV/c.
        mu: of the two, without unit.
        sigma: of the two, without unit.
        scatter: of its components along x, y and z, GeV/c.
        low_transverse: 5 % of events have less, GeV/c.
    """

    k: tuple[float, float]
    mu: tuple[float, float]
    sigma: tuple[float, float]
    scatter: tuple[float, ...]
    low_transverse: float

    @classmethod
    def of(cls, statistics: Mapping[str, Any]) -> Self:
        """Read constants as `nuzoo.processors.detector_events.momentum_statistics` measures them."""
        pairs = {name: (statistics[f"{key}T"], statistics[f"{key}Z"]) for name, key in _KEYS.items()}
        return cls(**pairs, scatter=tuple(statistics["s_xyz"]), low_transverse=statistics["tau_pt"])

    def told(self, raw: Tensor) -> "ToldMomentum":
        """Read what a head tells, (events, 4): transverse part, two parts of a direction, part along z.

        Transverse parts below 0 are not moved to 0.
        """
        transverse, a, b, along = raw.unbind(-1)
        norm = torch.sqrt(a * a + b * b + SMALL)
        direction = torch.stack([a / norm, b / norm], dim=-1)
        size, longitudinal = (
            k * torch.expm1(mu + sigma * z)
            for k, mu, sigma, z in zip(self.k, self.mu, self.sigma, (transverse, along), strict=True)
        )
        momentum = torch.cat([size[:, None] * direction, longitudinal[:, None]], dim=-1)
        return ToldMomentum(torch.stack([transverse, along], dim=-1), direction, momentum)

    def standardised(self, momentum: Tensor, only_forward: bool) -> Tensor:
        """Give the parts of momenta (events, 3), GeV/c, as they are told, (events, 2).

        Args:
            momentum: true ones.
            only_forward: take those along z for 0 that are below.
        """
        along = momentum[:, 2].clamp(min=0) if only_forward else momentum[:, 2]
        ratios = (
            transverse_part(momentum) / self.k[0],
            (along / self.k[1]).clamp(min=LEAST_RATIO),
        )
        parts = [
            (torch.log1p(ratio) - mu) / sigma
            for ratio, mu, sigma in zip(ratios, self.mu, self.sigma, strict=True)
        ]
        return torch.stack(parts, dim=-1)


@dataclass(frozen=True)
class ToldMomentum:
    """What a head says of a momentum.

    Attributes:
        standardised: (events, 2), its transverse part and that along z, by `MomentumScale`.
        direction: (events, 2), of its transverse part, of length 1 but near 0.
        momentum: (events, 3), GeV/c.
    """

    standardised: Tensor
    direction: Tensor
    momentum: Tensor


def transverse_part(momentum: Tensor) -> Tensor:
    """Give the transverse size of momenta (events, 3), (events,), with a slope at 0."""
    return torch.sqrt(momentum[:, 0] ** 2 + momentum[:, 1] ** 2 + SMALL)


_KEYS = {"k": "k_", "mu": "mu_u", "sigma": "sigma_u"}
