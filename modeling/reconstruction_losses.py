"""What teaches a network to tell flavour, charm, momenta and vertex of events (arXiv 2604.07037)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from nuzoo.modeling.bounded_kendall import WeightBounds
from nuzoo.modeling.momentum_parametrisation import MomentumScale, ToldMomentum, transverse_part

LOSSES = ("flavour", "charm", "vis", "jet", "lepton", "vertex")
WEIGHTS = dict.fromkeys(LOSSES, WeightBounds(initial=1.0, maximum=5.0))

DIRECTION, COMPONENTS = 0.5, 0.15
"""Weights, within the loss of a momentum, of its transverse direction and of its components."""

CONSISTENT, ABSENT = 0.5, 0.05
"""Weights of the lepton's momentum where there is one, and of what is told where there is none."""


@dataclass(frozen=True)
class LeptonScale:
    """The constants of the lepton's momentum.

    Attributes:
        scatter: of its components along x, y and z, GeV/c.
        low: 5 % of leptons have less, GeV/c.
    """

    scatter: Sequence[float]
    low: float


def momentum_loss(told: ToldMomentum, true: Tensor, scale: MomentumScale, only_forward: bool) -> Tensor:
    """Compute what a told momentum costs: its standardised parts, its direction and its components.

    Args:
        told: by a head.
        true: (events, 3), GeV/c.
        scale: of this momentum.
        only_forward: see `MomentumScale.standardised`.

    Returns:
        (events,)
    """
    transverse = transverse_part(true)
    aligned = (told.direction * true[:, :2]).sum(-1) / transverse
    angle = transverse / (transverse + scale.low_transverse) * (1 - aligned)
    parts = F.huber_loss(told.standardised, scale.standardised(true, only_forward), reduction="none").sum(-1)
    components = _scaled_huber(told.momentum - true, scale.scatter)
    return parts + DIRECTION * angle + COMPONENTS * components


def lepton_loss(told: Tensor, true: Tensor, scale: LeptonScale) -> Tensor:
    """Compute what the momentum of the lepton costs, which is the visible one without that of the jet.

    The less there truly is, the more any that is told costs, wherever it points.

    Args:
        told: (events, 3), GeV/c.
        true: (events, 3), GeV/c; 0 of neutral currents.
        scale: of leptons.

    Returns:
        (events,)
    """
    size = true.norm(dim=-1)
    present = size / (size + scale.low)
    missed = _scaled_huber(told - true, scale.scatter)
    return CONSISTENT * present * missed + ABSENT * (1 - present) * _scaled_huber(told, scale.scatter)


def vertex_loss(told: Tensor, true: Tensor) -> Tensor:
    """Compute the mean squared error of standardised vertices (events, 3), (events,)."""
    return F.mse_loss(told, true, reduction="none").mean(-1)


def _scaled_huber(difference: Tensor, scatter: Sequence[float]) -> Tensor:
    """Sum up the Huber losses of differences (events, 3), in units of the scatter of components."""
    scaled = difference / difference.new_tensor(scatter)
    return F.huber_loss(scaled, scaled.new_zeros(()).expand_as(scaled), reduction="none").sum(-1)
