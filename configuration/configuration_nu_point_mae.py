"""The configuration of `nu_point_mae`, the masked autoencoder for events as hits in space."""

from typing import Any, Literal, Self

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.hit_classifier_config import HitClassifierConfig

CELL_BITS = 16
"""Cells are below 2**16 along each axis."""

NormOver = Literal["token", "batch"]


@strict
class NuPointMaeConfig(HitClassifierConfig):
    """A transformer of groups of hits in the form of PoLAr-MAE (arXiv 2502.02558), after Point-MAE.

    The defaults are the published sizes, with two differences that make the results of an event its own:
    `norm_over` and `pool_padding`. Released weights need `norm_over="batch"` and `pool_padding=True`.

    Args:
        group_radius: of the ball of a token, in cells.
        overlap: centres of tokens are at least so many diameters from each other.
        ball_points: of the hits in a ball at most so many are looked at, in Morton's order.
        group_points: hits of a token at most; of more, those that are far from each other.
        max_groups: tokens of an event at most; of more, those with most hits around them.
        hidden_size: numbers of a token.
        num_hidden_layers: blocks of the encoder.
        num_attention_heads: of each block.
        decoder_layers: blocks of the decoder, in pre-training.
        mlp_ratio: width of the hidden layer of each perceptron, in units of the token's.
        embedding_size: width of the first layer of what makes tokens of hits; the others have 2 and 4 times
            as much.
        mask_ratio: part of the tokens of an event that pre-training hides.
        norm_over: what a norm of tokens has mean and variance 0 and 1 over: "token", the numbers of each, or
            "batch", all numbers of all tokens of a batch, as published: results then depend on the batch.
        pool_padding: empty places of a token with fewer than `group_points` hits count in its maximum, as
            published.
        feature_layers: blocks whose tokens, normalised, make the features of hits, from 0.
        neighbours: tokens that the features of a hit are interpolated from.
        head_size: width of the first layer of the head that tells classes; the second has half.
        head_dropout: of the first.
        attention_dropout: of the weights of attention.
        drop_path_rate: probability, in training, that a token skips what the last block adds; it rises
            from 0.
        layer_norm_eps: added to the variance, where `norm_over` is "token".
        initializer_range: standard deviation of the initial weights of blocks.
        target: see `HitClassifierConfig`.
        lovasz_weight: see `HitClassifierConfig`.
        focal_gamma: see `HitClassifierConfig`.
        class_weights: see `HitClassifierConfig`.
        evidential: see `EvidentialConfig`.
        evidence_epochs: see `EvidentialConfig`.
        id2label: see `HitClassifierConfig`.
    """

    model_type = "nu_point_mae"

    group_radius: float = 5.0
    overlap: float = 0.72
    ball_points: int = 256
    group_points: int = 32
    max_groups: int = 512
    hidden_size: int = 384
    num_hidden_layers: int = 12
    num_attention_heads: int = 6
    decoder_layers: int = 4
    mlp_ratio: float = 4.0
    embedding_size: int = 128
    mask_ratio: float = 0.6
    norm_over: NormOver = "token"
    pool_padding: bool = False
    feature_layers: list[int] | tuple[int, ...] = (3, 7, 11)
    neighbours: int = 5
    head_size: int = 512
    head_dropout: float = 0.5
    attention_dropout: float = 0.05
    drop_path_rate: float = 0.25
    layer_norm_eps: float = 1e-5
    initializer_range: float = 0.02

    def __post_init__(self, **kwargs: Any) -> None:
        self.feature_layers = list(self.feature_layers)
        super().__post_init__(**kwargs)

    @classmethod
    def base(cls, **kwargs: Any) -> Self:
        """Make the default, as published: 21.8 million parameters, 29.6 in pre-training."""
        return cls(**kwargs)

    @classmethod
    def tiny(cls, **kwargs: Any) -> Self:
        """Make one of 0.2 million: minutes of training on two CPU cores."""
        size: dict[str, Any] = {
            "group_points": 16,
            "ball_points": 64,
            "hidden_size": 64,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "decoder_layers": 2,
            "mlp_ratio": 2.0,
            "embedding_size": 32,
            "feature_layers": (1, 2, 3),
            "head_size": 64,
            "head_dropout": 0.0,
            "attention_dropout": 0.0,
            "drop_path_rate": 0.0,
        }
        return cls(**(size | kwargs))

    def validate_architecture(self) -> None:
        """Raise `ValueError` for sizes that make no network."""
        sizes = (
            self.ball_points,
            self.group_points,
            self.max_groups,
            self.hidden_size,
            self.num_hidden_layers,
            self.num_attention_heads,
            self.decoder_layers,
            self.embedding_size,
            self.neighbours,
            self.head_size // 2,
        )
        if min(sizes) < 1 or self.hidden_size % self.num_attention_heads:
            raise ValueError(
                "ball_points, group_points, max_groups, hidden_size, num_hidden_layers, num_attention_heads, "
                "decoder_layers, embedding_size, neighbours and half of head_size must be at least 1, "
                f"hidden_size a multiple of num_attention_heads, got {sizes}"
            )
        if self.embedding_size % 2:
            raise ValueError(f"embedding_size must be even, got {self.embedding_size}")
        layers = self.feature_layers
        if not layers or not all(0 <= layer < self.num_hidden_layers for layer in layers):
            raise ValueError(
                f"feature_layers must be blocks from 0 to {self.num_hidden_layers - 1}, one at least, got "
                f"{layers}"
            )
        if max(layers) != self.num_hidden_layers - 1:
            raise ValueError(
                f"feature_layers must hold the last block, {self.num_hidden_layers - 1}, without which what "
                f"is after them has no effect, got {layers}"
            )

    def validate_groups(self) -> None:
        """Raise `ValueError` for balls that hold no hit but their centre, or leave some out."""
        if not 1 < self.group_radius < 1 << CELL_BITS or not 0 < self.overlap <= 1:
            raise ValueError(
                "group_radius must be above 1 cell, overlap above 0 and at most 1, got "
                f"{self.group_radius} and {self.overlap}"
            )
        if self.ball_points < self.group_points:
            raise ValueError(
                f"ball_points must be at least group_points, got {self.ball_points} and {self.group_points}"
            )

    def validate_probabilities(self) -> None:
        """Raise `ValueError` for what is no probability below 1, or masks nothing or everything."""
        for name in ("head_dropout", "attention_dropout", "drop_path_rate"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be from 0 to below 1, got {getattr(self, name)}")
        if not 0 < self.mask_ratio < 1:
            raise ValueError(f"mask_ratio must be above 0 and below 1, got {self.mask_ratio}")
