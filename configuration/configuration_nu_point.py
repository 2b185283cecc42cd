"""The configuration of `nu_point`, the point transformer for events as hits in space."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.hit_classifier_config import HitClassifierConfig
from nuzoo.configuration.keypoint_config import KeypointConfig
from nuzoo.configuration.query_decoder_config import HEAD_DIM, QueryDecoderConfig

Curve = Literal["z", "z-trans", "hilbert", "hilbert-trans"]
Readout = Literal["upcast", "decoder"]
ConvImplementation = Literal["torch", "spconv"]


@strict
class NuPointConfig(KeypointConfig, QueryDecoderConfig, HitClassifierConfig):
    """A Point Transformer V3 (arXiv 2312.10035) in the form of Panda (arXiv 2512.01324).

    The defaults are Panda's encoder. Stages lie between poolings, which double the cells along each axis.
    Where instances are looked for, `QueryDecoderConfig` says how, where points of
    interest are proposed, `KeypointConfig`.

    Args:
        in_channels: numbers of a point: its coordinates and its energy.
        grid_shape: cells along each axis of the detector, for the record; `serialization_bits` limits cells.
        serialization_bits: of each axis of a cell. Hilbert's curve depends on them modulo 3.
        encoder_depths: blocks of each stage.
        encoder_channels: width of each stage, multiples of 16.
        decoder_depths: blocks of each stage of the decoder, the finest first; one less than the encoder's.
        decoder_channels: its widths, the finest first.
        readout: what the features of a point are: "upcast" joins those of the cells that it is in at every
            stage of the encoder, "decoder" adds a decoder, and gives its.
        conv_implementation: "torch", or "spconv", which must be installed, for GPUs.
        window_size: most points that attend to each other.
        curves: along which windows are cut, in turns from block to block.
        shuffle_curves: draw at each stage, in training only, which curve comes first, second, and so on.
        mlp_ratio: width of the hidden layer of each perceptron, in units of the block's.
        drop_path_rate: probability, in training, that a point skips what the last block of the encoder, or
            the first of the decoder, adds; it rises from 0 along the encoder, and falls along the decoder.
        layer_scale_init: what a block adds is multiplied by weights that start here.
        layer_norm_eps: added to the variance.
        initializer_range: standard deviation of the initial weights.
        use_mask_token: there are weights that stand for points which are masked.
        prototypes: in pre-training, directions that tokens are told apart by.
        prototype_size: numbers of a direction.
        prototype_hidden_size: width of the perceptron before them.
        token_steps: tokens are the cells of the stage that lies so many poolings before the coarsest; they
            know what the cells that they are in know.
        target: see `HitClassifierConfig`.
        lovasz_weight: see `HitClassifierConfig`.
        focal_gamma: see `HitClassifierConfig`.
        class_weights: see `HitClassifierConfig`.
        evidential: see `EvidentialConfig`.
        evidence_epochs: see `EvidentialConfig`.
        id2label: see `HitClassifierConfig`.
    """

    model_type = "nu_point"
    fields_of_modules: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "decoder": ("decoder_depths", "decoder_channels"),
        "mask_head": ("prototypes", "prototype_size", "prototype_hidden_size", "token_steps"),
        "query_decoder": tuple(QueryDecoderConfig.__annotations__),
    }

    in_channels: int = 4
    grid_shape: list[int] | tuple[int, ...] = (768, 768, 768)
    serialization_bits: int = 14
    encoder_depths: list[int] | tuple[int, ...] = (3, 3, 3, 9, 3)
    encoder_channels: list[int] | tuple[int, ...] = (48, 96, 192, 384, 512)
    decoder_depths: list[int] | tuple[int, ...] = (2, 2, 2, 2)
    decoder_channels: list[int] | tuple[int, ...] = (64, 96, 192, 384)
    readout: Readout = "upcast"
    conv_implementation: ConvImplementation = "torch"
    window_size: int = 256
    curves: list[Curve] | tuple[Curve, ...] = ("hilbert", "hilbert-trans", "z", "z-trans")
    shuffle_curves: bool = True
    mlp_ratio: float = 4.0
    drop_path_rate: float = 0.3
    layer_scale_init: float = 1e-5
    layer_norm_eps: float = 1e-5
    initializer_range: float = 0.02
    use_mask_token: bool = False
    prototypes: int = 4096
    prototype_size: int = 256
    prototype_hidden_size: int = 4096
    token_steps: int = 2

    def __post_init__(self, **kwargs: Any) -> None:
        lists = ("encoder_depths", "encoder_channels", "decoder_depths", "decoder_channels")
        for name in (*lists, "curves", "grid_shape"):
            setattr(self, name, list(getattr(self, name)))
        super().__post_init__(**kwargs)

    @property
    def feature_size(self) -> int:
        """Numbers of a point that the network gives."""
        return self.decoder_channels[0] if self.readout == "decoder" else sum(self.encoder_channels)

    @property
    def token_doublings(self) -> int:
        """How often cells are doubled until they are those of tokens."""
        return len(self.encoder_channels) - 1 - self.token_steps

    @property
    def token_size(self) -> int:
        """Numbers of a token."""
        return sum(self.encoder_channels[self.token_doublings :])

    @property
    def encoder_drop_paths(self) -> list[list[float]]:
        """The probability of each block of each stage."""
        return _by_stage(self._ramp(sum(self.encoder_depths)), self.encoder_depths)

    @property
    def decoder_drop_paths(self) -> list[list[float]]:
        """The probability of each block of each stage, the finest first."""
        stages = _by_stage(self._ramp(sum(self.decoder_depths)), self.decoder_depths)
        return [stage[::-1] for stage in stages]

    def _ramp(self, blocks: int) -> list[float]:
        return [self.drop_path_rate * block / max(blocks - 1, 1) for block in range(blocks)]

    @classmethod
    def base(cls, **kwargs: Any) -> Self:
        """Make the default, Panda's: 91 million parameters, 107 with a decoder."""
        return cls(**kwargs)

    @classmethod
    def small(cls, **kwargs: Any) -> Self:
        """Make a network of 5 million parameters: for one GPU."""
        size: dict[str, Any] = {
            "encoder_depths": (2, 2, 2, 4, 2),
            "encoder_channels": (32, 48, 64, 96, 128),
            "decoder_depths": (1, 1, 1, 1),
            "decoder_channels": (32, 48, 64, 96),
            "query_channels": 128,
        }
        return cls(**(size | kwargs))

    @classmethod
    def tiny(cls, **kwargs: Any) -> Self:
        """Make one of 0.4 million: minutes of training on two CPU cores."""
        size: dict[str, Any] = {
            "encoder_depths": (1, 1, 1, 1),
            "encoder_channels": (16, 32, 48, 64),
            "decoder_depths": (1, 1, 1),
            "decoder_channels": (16, 32, 48),
            "window_size": 64,
            "drop_path_rate": 0.1,
            "layer_scale_init": 1.0,
            "mlp_ratio": 2.0,
            "query_channels": 64,
            "query_mlp_ratio": 2.0,
            "prototypes": 256,
            "prototype_size": 64,
            "prototype_hidden_size": 256,
        }
        return cls(**(size | kwargs))

    def validate_architecture(self) -> None:
        """Raise `ValueError` for sizes that make no network."""
        stages = (len(self.encoder_depths), len(self.encoder_channels))
        decoder = (len(self.decoder_depths) + 1, len(self.decoder_channels) + 1)
        if len({*stages, *decoder}) != 1 or not self.decoder_depths:
            raise ValueError(
                "encoder_depths and encoder_channels must have one entry per stage, two at least, and "
                f"decoder_depths and decoder_channels one less, got {self.encoder_depths}, "
                f"{self.encoder_channels}, {self.decoder_depths}, {self.decoder_channels}"
            )
        sizes = [*self.encoder_depths, *self.decoder_depths, self.in_channels, self.window_size]
        widths = [*self.encoder_channels, *self.decoder_channels]
        if min(sizes) < 1 or any(width < 1 or width % HEAD_DIM for width in widths):
            raise ValueError(
                f"depths, in_channels and window_size must be at least 1, channels multiples of {HEAD_DIM}, "
                f"got {sizes}, {widths}"
            )
        heads = [self.prototypes, self.prototype_size, self.prototype_hidden_size]
        if min(heads) < 1 or not 0 <= self.token_steps < len(self.encoder_depths):
            raise ValueError(
                "prototypes, prototype_size and prototype_hidden_size must be at least 1, and token_steps "
                f"from 0 to below the stages, got {heads} and {self.token_steps}"
            )
        if not self.curves:
            raise ValueError("curves: expected one at least")
        if not len(self.encoder_depths) <= self.serialization_bits <= 16:
            raise ValueError(
                f"serialization_bits must be from {len(self.encoder_depths)}, the stages, to 16, got "
                f"{self.serialization_bits}"
            )
        if max(self.grid_shape) > 1 << self.serialization_bits:
            raise ValueError(
                f"grid_shape: {self.grid_shape} does not fit into {self.serialization_bits} bits an axis: "
                "raise serialization_bits"
            )
        if not 0 <= self.drop_path_rate < 1:
            raise ValueError(f"drop_path_rate must be from 0 to below 1, got {self.drop_path_rate}")


def target_of_hits(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the column of the truth for a network that labels hits, by fields of its configuration."""
    return (fields.get("target") or "motif",)


def _by_stage(values: list[float], depths: list[int] | tuple[int, ...]) -> list[list[float]]:
    ends = [sum(depths[: stage + 1]) for stage in range(len(depths))]
    return [values[end - depth : end] for end, depth in zip(ends, depths, strict=True)]
