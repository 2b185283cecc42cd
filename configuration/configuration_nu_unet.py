"""The configuration of `nu_unet`, the sparse U-Net for events as hits in space."""

from typing import Any, ClassVar, Self

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.hit_classifier_config import HitClassifierConfig

CELL_BITS = 16
"""Cells are below 2**16 along each axis; each stage doubles them."""


@strict
class NuUnetConfig(HitClassifierConfig):
    """A U-Net of submanifold convolutions with residual blocks (arXiv 1903.05663, 1706.01307).

    The defaults are those of a public workshop on particle images: 32 filters, depth 5, 2 repetitions. Widths
    rise in steps of `filters`, and no convolution has a bias. Theirs reads the energy of a point alone; ours
    its coordinates too.

    Args:
        in_channels: numbers of a point: its coordinates and its energy.
        filters: width of the first stage; the second has twice as many, the third three times, and so on.
        depth: stages, between which cells are doubled.
        repetitions: residual blocks of each stage, of the encoder as of the decoder.
        batch_norm_eps: added to the variance.
        batch_norm_momentum: weight of the new batch in the running statistics, in torch's convention.
        target: see `HitClassifierConfig`.
        lovasz_weight: see `HitClassifierConfig`.
        focal_gamma: see `HitClassifierConfig`.
        class_weights: see `HitClassifierConfig`.
        evidential: see `EvidentialConfig`.
        evidence_epochs: see `EvidentialConfig`.
        id2label: see `HitClassifierConfig`.
    """

    model_type = "nu_unet"
    without_effect: ClassVar[dict[str, tuple[Any, ...]]] = HitClassifierConfig.without_effect | {
        "output_attentions": (None, False),
        "_output_attentions": (None, False),
    }

    in_channels: int = 4
    filters: int = 32
    depth: int = 5
    repetitions: int = 2
    batch_norm_eps: float = 1e-4
    batch_norm_momentum: float = 0.01

    @property
    def channels(self) -> list[int]:
        """Width of each stage, the finest first."""
        return [self.filters * stage for stage in range(1, self.depth + 1)]

    @classmethod
    def base(cls, **kwargs: Any) -> Self:
        """Make the default, the workshop's: 11 million parameters."""
        return cls(**kwargs)

    @classmethod
    def small(cls, **kwargs: Any) -> Self:
        """Make one half as wide, of 2.7 million."""
        return cls(**({"filters": 16} | kwargs))

    @classmethod
    def tiny(cls, **kwargs: Any) -> Self:
        """Make one of 0.4 million: minutes of training on two CPU cores."""
        return cls(**({"filters": 12, "depth": 4, "repetitions": 1} | kwargs))

    def validate_architecture(self) -> None:
        """Raise `ValueError` for sizes that make no network."""
        sizes = (self.in_channels, self.filters, self.depth, self.repetitions)
        if min(sizes) < 1 or self.depth > CELL_BITS:
            raise ValueError(
                "in_channels, filters, depth and repetitions must be at least 1, depth at most "
                f"{CELL_BITS}, got {sizes}"
            )
        if not 0 < self.batch_norm_eps < 1 or not 0 < self.batch_norm_momentum <= 1:
            raise ValueError(
                "batch_norm_eps must be above 0 and below 1, batch_norm_momentum above 0 and at most 1, got "
                f"{self.batch_norm_eps} and {self.batch_norm_momentum}"
            )
