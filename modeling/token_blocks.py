"""The blocks of a transformer of tokens, of which events have different numbers: a vision transformer's."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer

from nuzoo.configuration.configuration_nu_point_mae import NormOver, NuPointMaeConfig
from nuzoo.modeling.attention import attend_rows
from nuzoo.modeling.drop_path import DropPath
from nuzoo.modeling.sparse.padded_rows import EventRows, rows_by_event

TINY = 1e-13
"""Added to the variance over a batch, and to its root, as published."""


def standardised(tokens: Tensor, over: NormOver, eps: float) -> Tensor:
    """Shift and scale tokens (n, channels) to mean 0 and variance 1.

    Args:
        tokens: all that there are, without padding.
        over: "token" for each by itself; "batch" by one mean and one variance of all numbers of all tokens.
        eps: added to the variance of "token".
    """
    if over == "token":
        return F.layer_norm(tokens, tokens.shape[1:], eps=eps)
    if not len(tokens):
        return tokens
    values = tokens.to(torch.promote_types(tokens.dtype, torch.float32))
    centred = values - values.mean()
    scale = (centred.square().mean() + TINY).sqrt() + TINY
    return (centred / scale).to(tokens.dtype)


class TokenNorm(nn.Module):
    """Standardises tokens, then scales and shifts each channel.

    Args:
        config: the network's configuration.
    """

    def __init__(self, config: NuPointMaeConfig):
        super().__init__()
        self.over, self.eps = config.norm_over, config.layer_norm_eps
        self.weight = nn.Parameter(torch.ones(config.hidden_size))
        self.bias = nn.Parameter(torch.zeros(config.hidden_size))

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (tokens, channels) to the same shape."""
        return standardised(tokens, self.over, self.eps) * self.weight + self.bias


class TokenAttention(nn.Module):
    """Attention of the tokens of an event to each other."""

    is_causal = False

    def __init__(self, config: NuPointMaeConfig):
        super().__init__()
        self.config = config
        self.num_key_value_groups = 1
        self.attention_dropout = config.attention_dropout
        self.qkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.proj = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, tokens: Tensor, events: EventRows) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Map (tokens, channels) to the same shape; weights (events, heads, longest, longest) if "eager"."""
        qkv = self.qkv(tokens)
        if not len(tokens):
            return self.proj(tokens), ()
        dropout = self.attention_dropout if self.training else 0.0
        attended, weights = attend_rows(
            self, qkv, events.rows, events.is_filled, self.config.num_attention_heads, dropout
        )
        attended = self.proj(attended[events.is_filled.flatten()])
        return attended, () if weights is None else (weights,)


class TokenBlock(GradientCheckpointingLayer):
    """Adds to tokens what their event, and they themselves tell.

    Args:
        config: the network's configuration.
        drop_path: probability, in training, that a token skips what is added.
    """

    def __init__(self, config: NuPointMaeConfig, drop_path: float):
        super().__init__()
        channels, hidden = config.hidden_size, int(config.hidden_size * config.mlp_ratio)
        self.norm_attention = TokenNorm(config)
        self.attention = TokenAttention(config)
        self.norm_mlp = TokenNorm(config)
        self.mlp = nn.Sequential(nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, channels))
        self.drop_path = DropPath(drop_path)

    def forward(
        self, tokens: Tensor, positions: Tensor, events: EventRows
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Map tokens (tokens, channels), at positions of that shape, to the same; see `TokenAttention`."""
        tokens = tokens + positions
        attended, weights = self.attention(self.norm_attention(tokens), events)
        tokens = tokens + self.drop_path(attended)
        return tokens + self.drop_path(self.mlp(self.norm_mlp(tokens))), weights


class TokenBlocks(nn.ModuleList):
    """Blocks, each of which is told where tokens are.

    Args:
        config: the network's configuration.
        number: of blocks.
    """

    def __init__(self, config: NuPointMaeConfig, number: int):
        last = max(number - 1, 1)
        super().__init__(TokenBlock(config, config.drop_path_rate * block / last) for block in range(number))

    def forward(self, tokens: Tensor, positions: Tensor, counts: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Give what each block makes of tokens, (tokens, channels), and the weights of attention.

        Args:
            tokens: those of event after event.
            positions: of the same shape.
            counts: int64 (events,), tokens of each.
        """
        events = rows_by_event(counts)
        states: list[Tensor] = []
        attentions: list[Tensor] = []
        for block in self:
            tokens, weights = block(tokens, positions, events)
            states.append(tokens)
            attentions += weights
        return states, attentions
