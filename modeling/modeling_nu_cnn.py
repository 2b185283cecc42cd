"""`nu_cnn`: the multi-view SE-ResNet (DUNE CVN) for pixel maps."""

from typing import ClassVar

import torch
from torch import Tensor, nn
from transformers import initialization as init
from transformers.modeling_outputs import (
    BaseModelOutputWithPoolingAndNoAttention,
    ImageClassifierOutputWithNoAttention,
)
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_cnn import NuCnnConfig
from nuzoo.modeling.arguments import refuse_arguments
from nuzoo.modeling.evidence import class_logits, classification_loss
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel
from nuzoo.modeling.se_residual_block import SeResidualBlock


class NuCnnStage(nn.Sequential):
    """Residual blocks of one width; the first one may change width and resolution.

    Args:
        config: the network's configuration.
        in_channels: channels of the input.
        out_channels: channels of the output.
        depth: number of blocks.
        stride: stride of the first block.
    """

    def __init__(self, config: NuCnnConfig, in_channels: int, out_channels: int, depth: int, stride: int):
        norm = (config.batch_norm_eps, config.batch_norm_momentum)
        first = SeResidualBlock(in_channels, out_channels, stride, config.se_ratio, *norm)
        others = range(1, depth)
        super().__init__(
            first, *(SeResidualBlock(out_channels, out_channels, 1, config.se_ratio, *norm) for _ in others)
        )


class NuCnnBranch(nn.Module):
    """From one view's pixels to features at a quarter of the resolution."""

    def __init__(self, config: NuCnnConfig):
        super().__init__()
        channels = config.branch_channels
        self.stem = nn.Conv2d(1, channels, 7, stride=2, padding=3, bias=False)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.blocks = NuCnnStage(config, channels, channels, config.branch_depth, stride=1)

    def forward(self, view: Tensor) -> Tensor:
        """Map (B, 1, H, W) to (B, branch_channels, H/4, W/4)."""
        return self.blocks(self.pool(self.stem(view)))


def _require_gradient(_: nn.Module, __: object, features: Tensor) -> None:
    features.requires_grad_(True)


class NuCnnPreTrainedModel(NuPreTrainedModel):
    """Initialisation and loading of every `nu_cnn` network."""

    config: NuCnnConfig
    base_model_prefix = "nu_cnn"
    main_input_name = "pixel_values"
    input_modalities = "image"
    heads = ("classifier",)
    exports_graph = True
    _no_split_modules = ["SeResidualBlock"]  # noqa: RUF012 (transformers' own declaration)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, nn.Conv2d | nn.Linear):
            init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")

    def enable_input_require_grads(self) -> None:
        """Let gradients begin at every branch's stem, for adapters of frozen blocks that are recomputed."""
        stems = [branch.stem for branch in self.modules() if isinstance(branch, NuCnnBranch)]
        self._require_grads_hooks = [stem.register_forward_hook(_require_gradient) for stem in stems]


class NuCnnModel(NuCnnPreTrainedModel):
    """The network without its head."""

    def __init__(self, config: NuCnnConfig):
        super().__init__(config)
        branches = 1 if config.shared_branches else config.num_views
        self.branches = nn.ModuleList(NuCnnBranch(config) for _ in range(branches))
        widths = [config.branch_channels * config.num_views, *config.stage_channels]
        self.stages = nn.ModuleList(
            NuCnnStage(config, inputs, outputs, depth, stride)
            for inputs, outputs, depth, stride in zip(
                widths[:-1], widths[1:], config.stage_depths, config.stage_strides, strict=True
            )
        )
        self.norm = nn.BatchNorm2d(widths[-1], config.batch_norm_eps, config.batch_norm_momentum)
        self.post_init()

    @can_return_tuple
    def forward(
        self, pixel_values: Tensor, output_hidden_states: bool | None = None, **kwargs: object
    ) -> BaseModelOutputWithPoolingAndNoAttention:
        """Compute the features of a batch of events.

        Args:
            pixel_values: (B, num_views, H, W), from the processor.
            output_hidden_states: also return the concatenated branches and each stage's output.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `last_hidden_state` (B, C, H/32, W/32), `pooler_output` (B, C), `hidden_states`.

        Raises:
            ValueError: the number of views is not the configuration's.
        """
        refuse_arguments(self, kwargs)
        if pixel_values.ndim != 4 or pixel_values.shape[1] != self.config.num_views:
            raise ValueError(
                f"expected pixel_values of shape (batch, {self.config.num_views} views, height, width), "
                f"got {tuple(pixel_values.shape)}: use the processor that is saved with the model"
            )
        features = self._encode_views(pixel_values)
        hidden_states = [features]
        for stage in self.stages:
            features = stage(features)
            hidden_states.append(features)
        features = torch.relu(self.norm(features))
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        return BaseModelOutputWithPoolingAndNoAttention(
            last_hidden_state=features,
            pooler_output=features.mean(dim=(2, 3)),
            hidden_states=tuple(hidden_states) if output_hidden_states else None,
        )

    def _encode_views(self, pixel_values: Tensor) -> Tensor:
        views = pixel_values.to(self.dtype).split(1, dim=1)
        branches = list(self.branches) * (len(views) if self.config.shared_branches else 1)
        return torch.cat([branch(view) for branch, view in zip(branches, views, strict=True)], dim=1)


class NuCnnForEventClassification(NuCnnPreTrainedModel):
    """The network with a linear head over the classes of an event."""

    evidence: ClassVar[tuple[str, ...]] = ("logits",)
    accepts_loss_kwargs = False  # the loss is a mean: the Trainer divides it by the steps of accumulation

    def __init__(self, config: NuCnnConfig):
        super().__init__(config)
        self.nu_cnn = NuCnnModel(config)
        self.classifier = nn.Linear(config.stage_channels[-1], len(config.id2label or {}), bias=False)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        pixel_values: Tensor,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        **kwargs: object,
    ) -> ImageClassifierOutputWithNoAttention:
        """Classify a batch of events.

        Args:
            pixel_values: (B, num_views, H, W), from the processor.
            labels: (B,) class indices; with them `classification_loss` is returned as `loss`.
            output_hidden_states: see `NuCnnModel.forward`.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `loss`, `logits` (B, num_labels) before the temperature, `hidden_states`.
        """
        refuse_arguments(self, kwargs)
        outputs = self.nu_cnn(pixel_values, output_hidden_states=output_hidden_states, return_dict=True)
        evidential = self.config.evidential
        logits = class_logits(self.classifier(outputs.pooler_output), evidential)
        loss = None if labels is None else classification_loss(logits, labels, evidential)
        return ImageClassifierOutputWithNoAttention(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states
        )
