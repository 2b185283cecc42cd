"""The configuration of `nu_cnn`, the multi-view SE-ResNet for pixel maps."""

import math
from typing import Any, Self

from huggingface_hub.dataclasses import strict

from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig

EVENT_LABELS = ("nue_cc", "numu_cc", "nc")


@strict
class NuCnnConfig(NuPreTrainedConfig):
    """A convolutional network with one branch per view: the DUNE CVN, for one to three views.

    The defaults are the two-view network of 21 744 000 parameters of arXiv 2509.08461v4, which is the
    architecture of Phys. Rev. D 102, 092003 (code: DUNE/dune-cvn) with a single three-class head.

    Args:
        num_views: number of views of an event, one to three; each is one input channel.
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
        temperature: logits are divided by it before the softmax to calibrate the probabilities. The
            pipeline uses it, `forward` does not.
        id2label: class names; by default `nue_cc`, `numu_cc`, `nc`.
    """

    model_type = "nu_cnn"

    num_views: int = 2
    shared_branches: bool = False
    branch_channels: int = 64
    branch_depth: int = 3
    stage_channels: list[int] | tuple[int, ...] = (128, 256, 512)
    stage_depths: list[int] | tuple[int, ...] = (4, 6, 3)
    stage_strides: list[int] | tuple[int, ...] = (2, 2, 2)
    se_ratio: int = 16
    batch_norm_eps: float = 1e-3
    batch_norm_momentum: float = 0.01
    temperature: float = 1.0

    def __post_init__(self, **kwargs: Any) -> None:
        self.stage_channels = list(self.stage_channels)
        self.stage_depths = list(self.stage_depths)
        self.stage_strides = list(self.stage_strides)
        if self.id2label is None and kwargs.get("num_labels") in (None, len(EVENT_LABELS)):
            self.id2label = dict(enumerate(EVENT_LABELS))
        super().__post_init__(**kwargs)

    @property
    def total_stride(self) -> int:
        """Pixels of the image for each pixel of the last feature map; the stem and its pool have 4."""
        return 4 * math.prod(self.stage_strides)

    @classmethod
    def tiny(cls, **kwargs: Any) -> Self:
        """A network for tests and the demonstration: minutes of training on two CPU cores.

        Args:
            **kwargs: fields to set otherwise.

        Returns:
            The configuration, about 0.08 million parameters.
        """
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
        """A quarter of the full width and about half its depth: for one GPU or a patient CPU.

        Args:
            **kwargs: fields to set otherwise.

        Returns:
            The configuration, about 0.8 million parameters.
        """
        size: dict[str, Any] = {
            "branch_channels": 16,
            "branch_depth": 2,
            "stage_channels": (32, 64, 128),
            "stage_depths": (2, 3, 2),
            "se_ratio": 8,
        }
        return cls(**(size | kwargs))

    def validate_architecture(self) -> None:
        """Check that the sizes make a network.

        Raises:
            ValueError: the number of views, a size or the temperature is out of range.
        """
        if not 1 <= self.num_views <= 3:
            raise ValueError(f"num_views must be 1, 2 or 3, got {self.num_views}")
        stages = (self.stage_channels, self.stage_depths, self.stage_strides)
        if len({len(stage) for stage in stages}) != 1 or not self.stage_channels:
            raise ValueError(
                f"stage_channels, stage_depths and stage_strides must have one entry per stage, got {stages}"
            )
        sizes = [self.branch_channels, self.branch_depth, self.se_ratio]
        if min(sizes + [size for stage in stages for size in stage]) < 1:
            raise ValueError("channels, depths, strides and se_ratio must be at least 1")
        if not self.temperature > 0:
            raise ValueError(f"temperature must be positive, got {self.temperature}")
