"""The blocks of a Perceiver: tokens that attend to each other, and latents that read tokens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer

from nuzoo.configuration.perceiver_config import PerceiverConfig
from nuzoo.modeling.attention import attend_across, attend_rows
from nuzoo.modeling.drop_path import DropPath
from nuzoo.modeling.sparse.padded_rows import EventRows, in_order, rows_by_event


@dataclass(frozen=True)
class Reading:
    """Rows of events that read other rows of the same events.

    Attributes:
        counts: int64 (events,), rows of each event that read.
        read_counts: int64 (events,), rows of each that are read.
    """

    counts: Tensor
    read_counts: Tensor

    @cached_property
    def can_read(self) -> Tensor:
        """Which events have both, bool (events,)."""
        return (self.counts > 0) & (self.read_counts > 0)

    @cached_property
    def rows(self) -> EventRows:
        """The rows that read, of events that have both."""
        return rows_by_event(self.counts, self.can_read)

    @cached_property
    def read_rows(self) -> EventRows:
        """The rows that are read, of events that have both."""
        return rows_by_event(self.read_counts, self.can_read)


class HeadedAttention(nn.Module):
    """What attention of rows has, whatever it reads.

    Args:
        config: the network's configuration.
        channels: of a row.
        heads: how many.
    """

    is_causal = False

    def __init__(self, config: PerceiverConfig, channels: int, heads: int):
        super().__init__()
        self.config, self.heads = config, heads
        self.num_key_value_groups = 1
        self.proj = nn.Linear(channels, channels)


class SelfAttention(HeadedAttention):
    """Attention of the rows of a group to each other; see `HeadedAttention`, and `dropout` of `SelfBlock`."""

    def __init__(self, config: PerceiverConfig, channels: int, heads: int, dropout: float = 0.0):
        super().__init__(config, channels, heads)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.dropout = dropout

    def forward(self, rows: Tensor, groups: Sequence[EventRows]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Map (n, channels) to the same shape; if "eager" weights of each, (groups, heads, longest, longest).

        Args:
            rows: of group after group.
            groups: all of them, in one or in several.
        """
        qkv = self.qkv(rows)
        if not len(rows):
            return self.proj(rows), ()
        dropout = self.dropout if self.training else 0.0
        found = [attend_rows(self, qkv, one.rows, one.is_filled, self.heads, dropout) for one in groups]
        attended = self.proj(in_order([values for values, _ in found], groups))
        return attended, tuple(weights for _, weights in found if weights is not None)


class CrossAttention(HeadedAttention):
    """Attention of rows to other rows of their event; see `HeadedAttention`."""

    def __init__(self, config: PerceiverConfig, channels: int, heads: int):
        super().__init__(config, channels, heads)
        self.q = nn.Linear(channels, channels)
        self.kv = nn.Linear(channels, 2 * channels)

    def forward(self, rows: Tensor, read: Tensor, reading: Reading) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Map (n, channels), and what is read, (m, channels), to (n, channels); 0 where nothing is read."""
        query, key_value = self.q(rows), self.kv(read)
        own, other = reading.rows, reading.read_rows
        attended, weights = torch.zeros_like(query), None
        if len(own.rows):
            found, weights = attend_across(
                self, query, key_value, own.rows, other.rows, other.is_filled, self.heads
            )
            filled = own.is_filled.flatten()
            attended = attended.index_copy(0, own.rows.flatten()[filled], found[filled])
        return self.proj(attended), () if weights is None else (weights,)


class SelfBlock(GradientCheckpointingLayer):
    """Adds to rows what the others of their group, and they themselves tell.

    Args:
        config: the network's configuration.
        channels: of a row.
        heads: of the attention.
        drop_path: probability, in training, that a group skips what is added.
        dropout: probability, in training, that a weight of the attention, a hidden number of the perceptron,
            or a number that is added is 0.
    """

    def __init__(
        self,
        config: PerceiverConfig,
        channels: int,
        heads: int,
        drop_path: float = 0.0,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.norm_attention = nn.LayerNorm(channels, config.layer_norm_eps)
        self.attention = SelfAttention(config, channels, heads, dropout)
        self.norm_mlp = nn.LayerNorm(channels, config.layer_norm_eps)
        self.mlp = perceptron(channels, config.mlp_ratio, dropout)
        self.drop_path = DropPath(drop_path)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, rows: Tensor, counts: Tensor, groups: Sequence[EventRows]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Map (n, channels) to the same shape; `counts` are the rows of each group; see `SelfAttention`."""
        attended, weights = self.attention(self.norm_attention(rows), groups)
        rows = rows + self.drop_path(self.dropout(attended), counts)
        return rows + self.drop_path(self.dropout(self.mlp(self.norm_mlp(rows))), counts), weights


class CrossBlock(GradientCheckpointingLayer):
    """Adds to rows what they read, and what they themselves tell.

    Args:
        config: the network's configuration.
        channels: of a row, and of what is read.
        heads: of the attention.
        drop_path: probability, in training, that an event skips what is added.
    """

    def __init__(self, config: PerceiverConfig, channels: int, heads: int, drop_path: float = 0.0):
        super().__init__()
        self.norm_query = nn.LayerNorm(channels, config.layer_norm_eps)
        self.norm_read = nn.LayerNorm(channels, config.layer_norm_eps)
        self.attention = CrossAttention(config, channels, heads)
        self.norm_mlp = nn.LayerNorm(channels, config.layer_norm_eps)
        self.mlp = perceptron(channels, config.mlp_ratio)
        self.drop_path = DropPath(drop_path)

    def forward(self, rows: Tensor, read: Tensor, reading: Reading) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Map (n, channels), and what is read, (m, channels), to (n, channels); see `CrossAttention`."""
        attended, weights = self.attention(self.norm_query(rows), self.norm_read(read), reading)
        rows = rows + self.drop_path(attended, reading.counts)
        return rows + self.drop_path(self.mlp(self.norm_mlp(rows)), reading.counts), weights


def perceptron(channels: int, ratio: float, dropout: float = 0.0) -> nn.Sequential:
    """Make a perceptron whose hidden layer has so many times the channels."""
    hidden = int(channels * ratio)
    activation = nn.Sequential(nn.GELU(), nn.Dropout(dropout)) if dropout else nn.GELU()
    return nn.Sequential(nn.Linear(channels, hidden), activation, nn.Linear(hidden, channels))


@dataclass(frozen=True)
class ReadLatents:
    """Latents that have read tokens.

    Attributes:
        latents: (latents, channels), those of event after event.
        hidden_states: after each block the latents.
        attentions: of each block, if the attention is "eager".
    """

    latents: Tensor
    hidden_states: list[Tensor]
    attentions: list[Tensor]


def read_by_turns(
    reads: Iterable[Any],
    blocks: Iterable[Any],
    latents: Tensor,
    counts: Tensor,
    tokens: Tensor,
    token_counts: Tensor,
) -> ReadLatents:
    """Let latents read the tokens of their event, then attend to each other, and so on.

    Args:
        reads: `CrossBlock`s.
        blocks: as many `SelfBlock`s.
        latents: (latents, channels), those of event after event.
        counts: int64 (events,), latents of each.
        tokens: (tokens, channels), those of event after event.
        token_counts: int64 (events,), tokens of each.
    """
    states: list[Tensor] = []
    attentions: list[Tensor] = []
    reading, groups = Reading(counts, token_counts), [rows_by_event(counts)]
    for read, block in zip(reads, blocks, strict=True):
        latents, weights = read(latents, tokens, reading)
        attentions += weights
        states.append(latents)
        latents, weights = block(latents, counts, groups)
        attentions += weights
        states.append(latents)
    return ReadLatents(latents, states, attentions)
