"""Weights of several losses, learnt within bounds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from transformers import initialization as init


@dataclass(frozen=True)
class WeightBounds:
    """Where the weight of a loss starts, and what it stays below.

    Attributes:
        initial: between the least weight and `maximum`.
        maximum: of the weight.
    """

    initial: float
    maximum: float


class BoundedKendall(nn.Module):
    """Adds up losses as w L - log(w) / 2, with weights w that are learnt.

    A weight is 1 / sigma^2 of the noise of what its loss measures (arXiv 1705.07115). Within bounds, as here
    (the public code of arXiv 2604.07037), w = least + (maximum - least) sigmoid(u), no loss can be given up
    or rule the others; u is learnt.

    Args:
        bounds: by name of the loss.
        least: what every weight stays above.

    Raises:
        ValueError: a weight does not start within its bounds.

    Attributes:
        rate_factor: on the learning rate of what is learnt here, wherever it is in a network.
    """

    rate_factor: ClassVar[float] = 0.1

    def __init__(self, bounds: Mapping[str, WeightBounds], least: float = 0.01):
        super().__init__()
        for name, bound in bounds.items():
            if not 0 < least < bound.initial < bound.maximum:
                raise ValueError(
                    f"weight of {name}: expected 0 < least < initial < maximum, got {least}, {bound.initial} "
                    f"and {bound.maximum}"
                )
        self.bounds, self.least = dict(bounds), least
        self.unbounded = nn.Parameter(torch.empty(len(bounds)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Give all weights their initial values."""
        parts = [(one.initial - self.least) / (one.maximum - self.least) for one in self.bounds.values()]
        start = [math.log(part / (1 - part)) for part in parts]
        init.copy_(self.unbounded, self.unbounded.new_tensor(start))

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weight of each loss by its name, numbers."""
        shares = torch.sigmoid(self.unbounded.float()).unbind()
        return {
            name: self.least + (bound.maximum - self.least) * share
            for (name, bound), share in zip(self.bounds.items(), shares, strict=True)
        }

    def forward(self, losses: Mapping[str, Tensor]) -> Tensor:
        """Add up losses, numbers, each by its name; of those that are not there the weight does not count.

        Raises:
            ValueError: there is no weight for one of them.
        """
        if unknown := losses.keys() - self.bounds.keys():
            raise ValueError(f"expected losses among {', '.join(self.bounds)}, got {', '.join(unknown)}")
        weights = self.weights
        weighted = [weights[name] * loss - weights[name].log() / 2 for name, loss in losses.items()]
        return torch.stack(weighted).sum()
