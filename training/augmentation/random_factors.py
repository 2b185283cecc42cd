"""Random factors on energies."""

import torch
from torch import Tensor


def factors(like: Tensor, width: float) -> Tensor:
    """Draw log-normal factors of mean 1, of a shape.

    Args:
        like: Of the shape, type and device that they shall have.
        width: Standard deviation of their logarithm; of 0 they are 1.
    """
    return torch.exp(width * torch.randn_like(like) - width**2 / 2) if width else torch.ones_like(like)
