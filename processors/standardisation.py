"""Robust standardisation: quantities that span decades become numbers around 0 with a scatter of about 1."""

import math
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nuzoo.processors.input_errors import MissingStatisticsError, ProcessorSettingError

Transform = Literal["identity", "log1p", "sqrt", "asinh"]

MADN_PER_MAD = 1.482602218505602
"""1 / (the third quartile of a normal distribution): it makes the median deviation its standard deviation."""

FEWEST_VALUES = 3
"""Fewer have no scatter worth the name."""

_FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "identity": (lambda x: x, lambda u: u),
    "log1p": (torch.log1p, torch.expm1),
    "sqrt": (torch.sqrt, torch.square),
    "asinh": (torch.asinh, torch.sinh),
}
"""Each transform with its inverse; log1p and sqrt are for values that are not negative."""


@dataclass(frozen=True)
class RobustStandardisation:
    """z = (f(x / k) - mu) / sigma, with constants that outliers do not move (arXiv 2604.07037).

    k = MADN(x), and with u = f(x / k) mu = median(u) and sigma = MADN(u), where MADN is 1.4826 times the
    median distance to the median. A factor on all x changes nothing.

    Attributes:
        transform: f.
        k: in the unit of x, above 0.
        mu: dimensionless.
        sigma: dimensionless, above 0.

    Raises:
        ProcessorSettingError: an unknown transform, or constants that are no such numbers.
    """

    transform: Transform
    k: float
    mu: float
    sigma: float

    def __post_init__(self) -> None:
        check_transform(self.transform)
        numbers = (self.k, self.mu, self.sigma)
        is_number = all(isinstance(one, int | float) and math.isfinite(one) for one in numbers)
        if not is_number or min(self.k, self.sigma) <= 0:
            raise ProcessorSettingError(
                f"expected finite constants k, mu and sigma, k and sigma above 0, got {numbers}: "
                "fit them on training events"
            )

    @classmethod
    def fit_parts(cls, parts: Iterable[NDArray[Any]], transform: Transform, quantity: str = "values") -> Self:
        """Measure the constants of values that come in parts, held in single precision; see `fit`."""
        held = [np.asarray(part, dtype=np.float32) for part in parts]
        return cls.fit(np.concatenate([np.empty(0, dtype=np.float32), *held]), transform, quantity)

    @classmethod
    def fit(cls, values: NDArray[Any], transform: Transform, quantity: str = "values") -> Self:
        """Measure the constants.

        Args:
            values: (n,) of the training events.
            transform: f.
            quantity: what they are, for messages.

        Raises:
            MissingStatisticsError: they are too few, not finite, outside of what f takes, or so alike that
                they have no scatter.
        """
        check_transform(transform)
        values = np.asarray(values, dtype=np.float64)
        if len(values) < FEWEST_VALUES or not np.isfinite(values).all():
            raise MissingStatisticsError(
                f"{quantity}: expected at least {FEWEST_VALUES} finite values to measure their scatter, got "
                f"{len(values)} of which {int(np.isfinite(values).sum())} are finite: fit on training events "
                "with hits"
            )
        if transform in ("log1p", "sqrt") and values.min() < 0:
            raise MissingStatisticsError(
                f"{quantity}: expected values of 0 or more for {transform}, got {values.min():g}: take asinh "
                "or identity"
            )
        k = _scatter(values, quantity)
        transformed = _FUNCTIONS[transform][0](torch.from_numpy(values / k)).numpy()
        return cls(transform, k, float(np.median(transformed)), _scatter(transformed, quantity))

    @property
    def constants(self) -> dict[str, float]:
        """k, mu and sigma, as JSON holds them."""
        return {name: value for name, value in asdict(self).items() if name != "transform"}

    def forward(self, values: Tensor) -> Tensor:
        """Standardise values of any shape, in the unit that they were fitted in."""
        return (_FUNCTIONS[self.transform][0](values / self.k) - self.mu) / self.sigma

    def inverse(self, standardised: Tensor) -> Tensor:
        """Undo `forward`."""
        return self.k * _FUNCTIONS[self.transform][1](standardised * self.sigma + self.mu)


def check_transform(transform: Any) -> None:
    """Raise `ProcessorSettingError` unless there is a transform of this name."""
    if transform not in get_args(Transform):
        raise ProcessorSettingError(f"expected a transform among {get_args(Transform)}, got {transform!r}")


def madn(values: NDArray[Any]) -> float:
    """Return 1.4826 times the median distance of values (n,) to their median."""
    return MADN_PER_MAD * float(np.median(np.abs(values - np.median(values))))


def _scatter(values: NDArray[Any], quantity: str) -> float:
    if (scatter := madn(values)) > 0:
        return scatter
    raise MissingStatisticsError(
        f"{quantity}: expected values with a scatter, got more than half of {len(values)} equal to "
        f"{float(np.median(values)):g}: fit on more and other events, or take another normalisation"
    )
