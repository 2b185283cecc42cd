"""Attention in windows of several lengths, packed one after the other: the "varlen" attention, for GPUs."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention.varlen import varlen_attn

NAME = "varlen"
DEVICES = ("cuda",)
DTYPES = (torch.bfloat16, torch.float16)


class AttentionError(ValueError):
    """An attention that there is not for such tensors."""


def varlen_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attend without what windows are padded with; shapes are those of transformers' attention functions.

    Raises:
        AttentionError: the tensors are not on a GPU, or not of 16 bits, or weights shall be dropped.
    """
    if dropout:
        raise AttentionError(
            f'the attention "{NAME}" drops no weights, got attention_dropout {dropout}: set it to 0, or take '
            'the attention "sdpa"'
        )
    if query.device.type not in DEVICES or query.dtype not in DTYPES:
        raise AttentionError(
            f'the attention "{NAME}" is for GPUs and numbers of 16 bits, got {query.dtype} on '
            f'{query.device}: load the network in torch.bfloat16, or take the attention "sdpa"'
        )
    windows, heads, length, width = query.shape
    if mask is None:
        mask = query.new_ones(windows, 1, 1, length, dtype=torch.bool)
    is_filled = mask[:, 0, 0]
    packed = (part.transpose(1, 2)[is_filled] for part in (query, key, value))
    ends = F.pad(is_filled.sum(dim=1).cumsum(0), (1, 0)).int()
    attend: Any = varlen_attn
    attended = attend(*packed, ends, ends, length, length, scale=scaling)
    out = query.new_zeros(windows, length, heads, width)
    return out.masked_scatter(is_filled[:, :, None, None], attended), None
