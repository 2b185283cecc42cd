"""From standardised energies back to energies."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

INVERSES: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda u: u,
    "log1p": torch.expm1,
    "sqrt": torch.square,
    "asinh": torch.sinh,
}


def energy_of(standardised: Tensor, transform: str, constants: Mapping[str, float]) -> Tensor:
    """Undo the robust standardisation of a processor: x = k f^-1(z sigma + mu).

    Args:
        standardised: of any shape.
        transform: f, a name in `INVERSES`.
        constants: `k`, `mu` and `sigma`.

    Returns:
        Energies, in the unit that the constants were measured in.
    """
    return constants["k"] * INVERSES[transform](standardised * constants["sigma"] + constants["mu"])
