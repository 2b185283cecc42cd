"""Orders of cells along curves that fill space: Morton's and Hilbert's, as codes of 64 bits."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

Order = Literal["z", "z-trans", "hilbert", "hilbert-trans"]

ORDERS: tuple[Order, ...] = ("hilbert", "hilbert-trans", "z", "z-trans")
"""The curves; those with "-trans" run with x and y exchanged."""

CODE_BITS = 63


def codes_of(cells: Tensor, order: Order, bits: int) -> Tensor:
    """Give the place of cells along a curve.

    Args:
        cells: int64 (n, 3), from 0 to below 2**bits.
        order: the curve.
        bits: of each axis. A curve of fewer bits is that of cells twice as large: `code >> 3`.

    Returns:
        int64 (n,), below 2**(3 * bits).
    """
    axes = cells.unbind(1)
    if order.endswith("-trans"):
        axes = (axes[1], axes[0], axes[2])
    return _interleaved(_hilbert_axes(axes, bits) if order.startswith("hilbert") else axes, bits)


def _interleaved(axes: Sequence[Tensor], bits: int) -> Tensor:
    """Put the bits of three numbers together, those of the first foremost."""
    code = torch.zeros_like(axes[0])
    for bit in range(bits):
        for place, axis in enumerate(reversed(axes)):
            code |= ((axis >> bit) & 1) << (3 * bit + place)
    return code


def _hilbert_axes(axes: Sequence[Tensor], bits: int) -> list[Tensor]:
    """Give the transposed Hilbert index of cells, by the algorithm of Skilling (AIP Conf. Proc. 707, 381).

    Args:
        axes: three of (n,).
        bits: of each.
    """
    x = [axis.clone() for axis in axes]
    for bit in range(bits - 1, 0, -1):
        below = (1 << bit) - 1
        for axis in range(3):
            is_set = -((x[axis] >> bit) & 1)  # all bits, or none
            exchanged = (x[0] ^ x[axis]) & below & ~is_set
            x[0] ^= (below & is_set) ^ exchanged
            if axis:
                x[axis] ^= exchanged
    x[1] ^= x[0]
    x[2] ^= x[1]
    flips = torch.zeros_like(x[0])
    for bit in range(bits - 1, 0, -1):
        flips ^= -((x[2] >> bit) & 1) & ((1 << bit) - 1)
    return [axis ^ flips for axis in x]
