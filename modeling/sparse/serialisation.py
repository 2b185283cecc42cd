"""Orders of cells along curves that fill space: Morton's and Hilbert's, as codes of 64 bits."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

Order = Literal["z", "z-trans", "hilbert", "hilbert-trans"]

ORDERS: tuple[Order, ...] = ("hilbert", "hilbert-trans", "z", "z-trans")
"""The curves; those with "-trans" run with x and y exchanged."""

CODE_BITS = 63

SPREADING = (
    (32, 0x1F00000000FFFF),
    (16, 0x1F0000FF0000FF),
    (8, 0x100F00F00F00F00F),
    (4, 0x10C30C30C30C30C3),
    (2, 0x1249249249249249),
)
"""How far bits of a number of 21 move in each step, and where they are then."""


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
    return _interleaved(_hilbert_axes(axes, bits) if order.startswith("hilbert") else axes)


def _interleaved(axes: Sequence[Tensor]) -> Tensor:
    """Put the bits of three numbers together, those of the first foremost."""
    x, y, z = (_spread(axis) for axis in axes)
    return x << 2 | y << 1 | z


def _spread(axis: Tensor) -> Tensor:
    """Put two zeros before each bit: halves move apart, then their halves, and so on."""
    for shift, kept in SPREADING:
        axis = (axis | axis << shift) & kept
    return axis


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
