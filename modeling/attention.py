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
    query, key, value = of_parts.permute(2, 0, 3, 1, 4)
    return _attend(module, query, key, value, is_filled, dropout)


def attend_across(
    module: Any,
    query: Tensor,
    key_value: Tensor,
    rows: Tensor,
    read_rows: Tensor,
    is_filled: Tensor,
    heads: int,
) -> tuple[Tensor, Tensor | None]:
    """Attend from the rows of each part to other rows of it; see `attend_rows`.

    Args:
        module: the layer, with its `config`.
        query: (n, channels), head by head.
        key_value: (m, 2 * channels), keys and values, each head by head.
        rows: int64 (parts, length) of the queries.
        read_rows: int64 (parts, other length) of the keys.
        is_filled: bool (parts, other length), which of these take part.
        heads: how many.

    Returns:
        (parts * length, channels), and weights (parts, heads, length, other length), None unless it is
        "eager".
    """
    width = query.shape[1] // heads
    queries = query.index_select(0, rows.flatten()).view(*rows.shape, heads, width).transpose(1, 2)
    read = key_value.index_select(0, read_rows.flatten()).view(*read_rows.shape, 2, heads, width)
    key, value = read.permute(2, 0, 3, 1, 4)
    return _attend(module, queries, key, value, is_filled)


def _attend(
    module: Any, query: Tensor, key: Tensor, value: Tensor, is_filled: Tensor | None, dropout: float = 0.0
) -> tuple[Tensor, Tensor | None]:
    parts = (query, key, value)
    if query.device.type == "cpu":
        query, key, value = (part.float() for part in parts)
    attention: Any = ALL_ATTENTION_FUNCTIONS.get_interface(
        module.config._attn_implementation, eager_attention
    )
    mask = None if is_filled is None else is_filled[:, None, None].expand(-1, -1, query.shape[2], -1)
    with torch.autocast("cpu", enabled=False):
        attended, weights = attention(
            module, query, key, value, mask, dropout=dropout, scaling=query.shape[3] ** -0.5
        )
    return attended.flatten(2).flatten(0, 1).to(parts[0].dtype), weights
