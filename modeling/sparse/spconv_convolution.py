"""The submanifold convolution of spconv (github.com/traveller59/spconv), for GPUs."""

from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from nuzoo.modeling.sparse.point_level import PointLevel
from nuzoo.modeling.sparse.submanifold_convolution import SubmanifoldConv3d

DEVICES = ("cuda",)
KEY = "cells"


class SpconvError(RuntimeError):
    """spconv cannot be used here."""


def spconv_convolution(layer: SubmanifoldConv3d, rows: Tensor, level: PointLevel) -> Tensor:
    """Give what a layer gives, (n, out_channels), of (n, in_channels).

    Raises:
        SpconvError: rows are not on a GPU, or spconv is not installed.
    """
    if rows.device.type not in DEVICES:
        raise SpconvError(
            f'conv_implementation="spconv" is for GPUs, got rows on {rows.device}: on CPUs spconv leaves out '
            'the bias, and its sums depend on threads. Take "torch"'
        )
    if not len(rows):
        return layer(rows, level.neighbours)
    operator, points = _operator(layer.in_channels, layer.out_channels), _sparse(rows, level)
    out: Tensor = functional_call(operator, {"weight": layer.weight}, (points,)).features
    return out if layer.bias is None else out + layer.bias


@cache
def _operator(in_channels: int, out_channels: int) -> Any:
    """Make a layer of spconv without weights of its own."""
    with torch.device("meta"):
        return _spconv().SubMConv3d(in_channels, out_channels, 3, bias=False, indice_key=KEY)


def _sparse(rows: Tensor, level: PointLevel) -> Any:
    """Give rows as spconv's tensor; those of a level share their neighbours."""
    if not level.for_spconv:
        event = torch.repeat_interleave(level.counts)
        level.for_spconv["points"] = _spconv().SparseConvTensor(
            rows,
            torch.cat([event[:, None], level.cells], dim=1).int(),
            (level.cells.amax(0) + 1).tolist(),  # no more than is in use: spconv's keys can overflow
            len(level.counts),
        )
    return level.for_spconv["points"].replace_feature(rows)


def _spconv() -> Any:
    try:
        import spconv.pytorch
    except ImportError as error:
        raise SpconvError(
            'conv_implementation="spconv" needs spconv: install the wheel for your CUDA, such as '
            '`pip install spconv-cu126`, or take "torch"'
        ) from error
    return spconv.pytorch
