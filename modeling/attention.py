"""Attention of rows to each other, in parts of several lengths."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from nuzoo.modeling.sparse.varlen_attention import NAME, varlen_attention

ALL_ATTENTION_FUNCTIONS.register(NAME, varlen_attention)


def eager_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, Tensor]:
    """Attend with weights that can be looked at; shapes are those of transformers' attention functions.

    A mask of other numbers than true and false is added to the scores.
    """
    scores = scaling * query @ key.transpose(-1, -2)
    if mask is not None and mask.is_floating_point():
        scores = scores + mask
    elif mask is not None:
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    weights = scores.softmax(dim=-1, dtype=torch.float32).to(query.dtype)
    used = F.dropout(weights, dropout) if dropout else weights
    return (used @ value).transpose(1, 2), weights


def attend_rows(
    module: Any, qkv: Tensor, rows: Tensor, is_filled: Tensor | None, heads: int, dropout: float = 0.0
) -> tuple[Tensor, Tensor | None]:
    """Attend among the rows of each part, by the attention that the configuration of a module names.

    On a CPU it is in 32 bits: the gradient of PyTorch's attention in 16 takes 8 times as long there.

    Args:
        module: the layer, with its `config`.
        qkv: (n, 3 * channels), queries, keys and values, each head by head.
        rows: int64 (parts, length) of these.
        is_filled: bool (parts, length), which of them take part; None has all.
        heads: how many.
        dropout: of the weights.

    Returns:
        (parts * length, channels), and weights (parts, heads, length, length), None unless it is "eager".
    """
    width = qkv.shape[1] // (3 * heads)
    of_parts = qkv.index_select(0, rows.flatten()).view(*rows.shape, 3, heads, width)
    is_on_cpu = qkv.device.type == "cpu"
    query, key, value = (of_parts.float() if is_on_cpu else of_parts).permute(2, 0, 3, 1, 4)
    attention: Any = ALL_ATTENTION_FUNCTIONS.get_interface(
        module.config._attn_implementation, eager_attention
    )
    mask = None if is_filled is None else is_filled[:, None, None].expand(-1, -1, rows.shape[1], -1)
    with torch.autocast("cpu", enabled=False):
        attended, weights = attention(module, query, key, value, mask, dropout=dropout, scaling=width**-0.5)
    return attended.flatten(2).flatten(0, 1).to(qkv.dtype), weights
