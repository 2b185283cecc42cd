"""The query decoder of Panda (arXiv 2512.01324): queries of an event look for instances among its points."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from nuzoo.configuration.query_decoder_config import HEAD_DIM, QueryDecoderConfig
from nuzoo.modeling.attention import eager_attention

LEAST_PROBABILITY = 1e-6
"""Added to the probability that a point is of a query's mask, before its logarithm steers the attention."""


@dataclass(frozen=True)
class DecodedBlock:
    """What a block of the decoder tells.

    Attributes:
        queries: (events, queries, channels), normalised.
        masks: (points, queries), logits that a point is of the instance of a query of its event.
    """

    queries: Tensor
    masks: Tensor


@dataclass(frozen=True)
class PointsToAttend:
    """The points that queries attend to, event after event.

    Attributes:
        rows: (things,) their rows among all points.
        position: (things, channels), what tells where they are.
        counts: of each event.
    """

    rows: Tensor
    position: Tensor
    counts: list[int]


def perceptron(in_channels: int, hidden: int, out_channels: int) -> nn.Sequential:
    """Make a perceptron of one hidden layer."""
    return nn.Sequential(nn.Linear(in_channels, hidden), nn.GELU(), nn.Linear(hidden, out_channels))


class QueryAttention(nn.Module):
    """Attention of the queries of events to rows of the same event, with heads of 16 channels.

    Memory grows with the rows of all events, not with the longest or with their product.
    """

    is_causal = False

    def __init__(self, config: QueryDecoderConfig):
        super().__init__()
        channels = config.query_channels
        self.config = config
        self.heads = channels // HEAD_DIM
        self.num_key_value_groups = 1
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.projection = nn.Linear(channels, channels)

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, counts: list[int], bias: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Attend.

        Args:
            queries: (events, queries, channels).
            keys: (rows, channels), event after event.
            values: (rows, channels).
            counts: rows of each event.
            bias: (rows, queries), added to the scores of all heads.

        Returns:
            (events, queries, channels), 0 before the last projection where an event has no rows; and if
            "eager" the weights of events with rows, (1, heads, queries, rows of the event) each.
        """
        parts = (self.query(queries), self.key(keys), self.value(values))
        if len(set(counts)) == 1:
            events = [_of_equal_length(*parts, bias, len(counts))]
        else:
            events = list(_one_by_one(*parts, bias, counts))
        attended = [self._attend(*event) for event in events]
        weights = [weight for _, weight in attended if weight is not None]
        return self.projection(torch.cat([values for values, _ in attended])), weights

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Attend in events of equal length: (events, queries, channels), and weights or None."""
        if not key.shape[1]:
            return torch.zeros_like(query), None
        by_head = (part.unflatten(-1, (self.heads, HEAD_DIM)).transpose(1, 2) for part in (query, key, value))
        attention: Any = ALL_ATTENTION_FUNCTIONS.get_interface(
            self.config._attn_implementation, eager_attention
        )
        attended, weights = attention(self, *by_head, bias, dropout=0.0, scaling=HEAD_DIM**-0.5)
        return attended.flatten(2), weights


def _of_equal_length(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, events: int) -> Any:
    def apart(rows: Tensor) -> Tensor:
        return rows.unflatten(0, (events, len(rows) // events))

    return query, apart(key), apart(value), None if bias is None else apart(bias).transpose(1, 2)[:, None]


def _one_by_one(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, counts: list[int]) -> Any:
    biases = [None] * len(counts) if bias is None else [part.T[None, None] for part in bias.split(counts)]
    keys, values = ([part[None] for part in rows.split(counts)] for rows in (key, value))
    return zip(query.split(1), keys, values, biases, strict=True)


class QueryBlock(GradientCheckpointingLayer):
    """Queries attend to the points of their event, where they expect their mask, and to each other."""

    def __init__(self, config: QueryDecoderConfig):
        super().__init__()
        channels = config.query_channels
        self.masks_from = config.masks_from
        self.norm_points = nn.LayerNorm(channels)
        self.mask_embedding = perceptron(channels, channels, channels)
        self.norm_cross = nn.LayerNorm(channels)
        self.cross_attention = QueryAttention(config)
        self.norm_self = nn.LayerNorm(channels)
        self.self_attention = QueryAttention(config)
        self.norm_mlp = nn.LayerNorm(channels)
        self.mlp = perceptron(channels, int(channels * config.query_mlp_ratio), channels)

    def forward(
        self, queries: Tensor, position: Tensor, points: Tensor, things: PointsToAttend, counts: list[int]
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Map queries (events, queries, channels) to the same shape.

        Args:
            queries: what they know.
            position: of the same shape, learnt.
            points: (points, channels), event after event.
            things: which of them are attended to.
            counts: points of each event.

        Returns:
            Queries, masks (points, queries), and the weights of the attention if "eager".
        """
        points = self.norm_points(points)
        masks = self._masks(queries, points, counts)
        attended_to = points[things.rows]
        bias = (masks.detach()[things.rows].sigmoid() + LEAST_PROBABILITY).log()
        attended, weights = self.cross_attention(
            self.norm_cross(queries) + position,
            attended_to + things.position,
            attended_to,
            things.counts,
            bias,
        )
        queries = queries + attended
        known = self.norm_self(queries)
        rows = known.flatten(0, 1)
        attended, of_self = self.self_attention(known + position, rows, rows, [known.shape[1]] * len(known))
        queries = queries + attended
        queries = queries + self.mlp(self.norm_mlp(queries))
        if self.masks_from == "leaving":
            masks = self._masks(queries, points, counts)
        return queries, masks, weights + of_self

    def _masks(self, queries: Tensor, points: Tensor, counts: list[int]) -> Tensor:
        """Compute the masks (points, queries) that queries tell."""
        events = zip(points.split(counts), self.mask_embedding(queries), strict=True)
        return torch.cat([rows @ embedded.T for rows, embedded in events])


class QueryDecoder(nn.Module):
    """Learnt queries, the same for every event, that become its instances.

    Args:
        config: of the network.
        feature_size: numbers of a point that the network gives.
    """

    def __init__(self, config: QueryDecoderConfig, feature_size: int):
        super().__init__()
        channels = config.query_channels
        self.content = nn.Embedding(config.queries, channels)
        self.position = nn.Embedding(config.queries, channels)
        self.point_position = perceptron(3, channels, channels)
        self.point_projection = (
            perceptron(feature_size, channels, channels)
            if config.deep_projections
            else nn.Linear(feature_size, channels)
        )
        self.blocks = nn.ModuleList(QueryBlock(config) for _ in range(config.query_blocks))
        self.norm = nn.LayerNorm(channels)
        sizes = {"momentum": 1, "start": 3}
        self.regressors = nn.ModuleDict(
            {name: perceptron(channels, channels, sizes[name]) for name in config.regressed}
        )

    def forward(
        self, features: Tensor, coordinates: Tensor, is_thing: Tensor, counts: Tensor
    ) -> tuple[list[DecodedBlock], list[Tensor]]:
        """Decode the events of a batch, each by itself.

        Args:
            features: (points, feature_size).
            coordinates: (points, 3).
            is_thing: bool (points,), which points queries attend to.
            counts: int64 (events,), points of each event.

        Returns:
            What each block tells, the last one last, and the weights of attention if "eager".
        """
        points = self.point_projection(features)
        things = _things(self.point_position, coordinates, is_thing, counts)
        queries, position = (
            table.weight.expand(len(counts), -1, -1) for table in (self.content, self.position)
        )
        of_events = counts.tolist()
        blocks, attentions = list[DecodedBlock](), list[Tensor]()
        for block in self.blocks:
            queries, masks, weights = block(queries, position, points, things, of_events)
            blocks.append(DecodedBlock(self.norm(queries), masks))
            attentions += weights
        return blocks, attentions

    def regressed(self, queries: Tensor) -> dict[str, Tensor]:
        """Tell of each query (…, channels) what is asked for beside mask and class, by name."""
        return {name: regressor(queries) for name, regressor in self.regressors.items()}


def _things(where: nn.Module, coordinates: Tensor, is_thing: Tensor, counts: Tensor) -> PointsToAttend:
    rows = torch.nonzero(is_thing)[:, 0]
    event = torch.repeat_interleave(counts)
    of_events: Sequence[int] = torch.bincount(event[rows], minlength=len(counts)).tolist()
    return PointsToAttend(rows, where(coordinates[rows]), list(of_events))
