"""The configuration of `nu_cnn`, the multi-view SE-ResNet for pixel maps."""

from typing import Any, ClassVar, Self

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.event_classifier_config import EventClassifierConfig
from nuzoo.configuration.pixel_map_config import PixelMapConfig


@strict
class NuCnnConfig(PixelMapConfig, EventClassifierConfig):
    """A convolutional network with one branch per view: the DUNE CVN, for one to three views.

    The defaults are the two-view network of 21 744 000 parameters of arXiv 2509.08461v4, which is the
    architecture of Phys. Rev. D 102, 092003 (code: DUNE/dune-cvn) with a single three-class head.

    Args:
        num_views: see `PixelMapConfig`.
        shared_branches: one branch for all views instead of one each. The paper's text says both;
            its parameter count fits separate branches only.
        branch_channels: channels of the stem convolution and of each branch.
        branch_depth: residual blocks in each branch.
        stage_channels: channels of the stages after the branches are concatenated.
        stage_depths: residual blocks in each stage.
        stage_strides: stride of the first block in each stage. The published `model.json` (the
            architecture of the weights) has (2, 2, 2); the published Python builder has (1, 1, 1).
        se_ratio: reduction of the squeeze-and-excitation bottleneck.
        batch_norm_eps: added to the variance; Keras' default.
        batch_norm_momentum: weight of the new batch in the running statistics, in torch's convention
            (Keras' 0.99 is 0.01 here).
        temperature: see `EventClassifierConfig`.
        evidential: see `EvidentialConfig`.
        evidence_epochs: see `EvidentialConfig`.
        id2label: see `EventClassifierConfig`.
    """

    model_type = "nu_cnn"
    without_effect: ClassVar[dict[str, tuple[Any, ...]]] = EventClassifierConfig.without_effect | {
        "output_attentions": (None, False),
        "_output_attentions": (None, False),
    }

    shared_branches: bool = False
    branch_channels: int = 64
    branch_depth: int = 3
    stage_channels: list[int] | tuple[int, ...] = (128, 256, 512)
    stage_depths: list[int] | tuple[int, ...] = (4, 6, 3)
    stage_strides: list[int] | tuple[int, ...] = (2, 2, 2)
    se_ratio: int = 16
    batch_norm_eps: float = 1e-3
    batch_norm_momentum: float = 0.01

    def __post_init__(self, **kwargs: Any) -> None:
        for name in ("stage_channels", "stage_depths", "stage_strides"):
            setattr(self, name, list(getattr(self, name)))
        super().__post_init__(**kwargs)

    @classmethod
    def tiny(cls, **kwargs: Any) -> Self:
        """Make a network of 0.08 million parameters: minutes of training on two CPU cores."""
        size: dict[str, Any] = {
            "branch_channels": 8,
            "branch_depth": 1,
            "stage_channels": (16, 32, 64),
            "stage_depths": (1, 1, 1),
            "se_ratio": 2,
        }
        return cls(**(size | kwargs))

    @classmethod
    def small(cls, **kwargs: Any) -> Self:
        """Make one of 0.8 million, about a quarter as wide and half as deep: for one GPU or a patient CPU."""
        size: dict[str, Any] = {
            "branch_channels": 16,
            "branch_depth": 2,
            "stage_channels": (32, 64, 128),
            "stage_depths": (2, 3, 2),
            "se_ratio": 8,
        }
        return cls(**(size | kwargs))

    def validate_architecture(self) -> None:
        """Raise `ValueError` for sizes that make no network."""
        stages = (self.stage_channels, self.stage_depths, self.stage_strides)
        if len({len(stage) for stage in stages}) != 1 or not self.stage_channels:
            raise ValueError(
                f"stage_channels, stage_depths and stage_strides must have one entry per stage, got {stages}"
            )
        sizes = [self.branch_channels, self.branch_depth, self.se_ratio]
        if min(sizes + [size for stage in stages for size in stage]) < 1:
            raise ValueError("channels, depths, strides and se_ratio must be at least 1")
