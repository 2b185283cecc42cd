"""Random turns and reflections of events, as matrices."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor


def turns(events: int, axes: Sequence[str], probability: float, quarter: bool, like: Tensor) -> Tensor:
    """Draw turns about axes, one after the other.

    Args:
        events: How many to draw.
        axes: "x", "y", "z".
        probability: Of a turn about each axis.
        quarter: By 0, 90, 180 or 270 degrees, exactly; else by any angle.
        like: Of the type and device that the matrices shall have.

    Returns:
        (events, 3, 3), orthogonal, of determinant 1.
    """
    matrix = torch.eye(3, dtype=like.dtype, device=like.device).expand(events, 3, 3)
    for axis in axes:
        turned = torch.rand(events, device=like.device) < probability
        angle = 2 * math.pi * torch.rand(events, device=like.device)
        if quarter:
            angle = torch.floor(angle / (math.pi / 2)) * (math.pi / 2)
        about = _about("xyz".index(axis), torch.where(turned, angle, 0.0).to(like.dtype))
        matrix = (about.round() if quarter else about) @ matrix
    return matrix


def mirrors(events: int, axes: Sequence[str], probability: float, like: Tensor) -> Tensor:
    """Draw reflections along axes: diagonal matrices (events, 3, 3); see `turns`."""
    signs = torch.ones(events, 3, dtype=like.dtype, device=like.device)
    for axis in axes:
        mirrored = torch.rand(events, device=like.device) < probability
        signs[:, "xyz".index(axis)] = torch.where(mirrored, -1.0, 1.0).to(like.dtype)
    return torch.diag_embed(signs)


def _about(axis: int, angle: Tensor) -> Tensor:
    """Give the matrices (events, 3, 3) of turns about an axis by angles (events,) in rad, right-handed."""
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = torch.eye(3, dtype=angle.dtype, device=angle.device).repeat(len(angle), 1, 1)
    matrix[:, first, first] = matrix[:, second, second] = angle.cos()
    matrix[:, second, first] = angle.sin()
    matrix[:, first, second] = -angle.sin()
    return matrix
