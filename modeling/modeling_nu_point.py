"""`nu_point`: the point transformer for events as hits in space."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutput, SemanticSegmenterOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.arguments import refuse_arguments
from nuzoo.modeling.evidence import class_logits
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel
from nuzoo.modeling.point_blocks import LayerScale, NuPointBlock, NuPointPooling, NuPointUnpooling, Weights
from nuzoo.modeling.segmentation_losses import segmentation_loss
from nuzoo.modeling.sparse.point_level import PointLevel, point_level
from nuzoo.modeling.sparse.submanifold_convolution import SubmanifoldConv3d


@dataclass
class Stage:
    """Points of one resolution with their features.

    Attributes:
        features: (points, channels).
        level: where the points are.
        sizes: (points,) of how many points of the finer stage each is made: 1 of the finest.
    """

    features: Tensor
    level: PointLevel
    sizes: Tensor


class NuPointEmbedding(nn.Module):
    """From the numbers of a point to features; masked points have the same, which are learnt."""

    def __init__(self, config: NuPointConfig):
        super().__init__()
        width = config.encoder_channels[0]
        self.projection = nn.Linear(config.in_channels, width)
        self.norm = nn.LayerNorm(width, config.layer_norm_eps)
        self.activation = nn.GELU()
        self.mask_token = nn.Parameter(torch.zeros(1, width)) if config.use_mask_token else None

    def forward(self, inputs: Tensor, is_masked: Tensor | None = None) -> Tensor:
        """Map (points, in_channels) to (points, channels); `is_masked` is bool (points,)."""
        embedded = self.activation(self.norm(self.projection(inputs)))
        if is_masked is None:
            return embedded
        if self.mask_token is None:
            raise ValueError(
                "is_masked: the network has no mask token: set use_mask_token of its configuration"
            )
        return torch.where(is_masked[:, None], self.mask_token.to(embedded.dtype), embedded)


class NuPointStage(nn.ModuleList):
    """Blocks of one width."""

    def __init__(self, config: NuPointConfig, channels: int, drop_paths: Sequence[float]):
        super().__init__(NuPointBlock(config, channels, drop_path) for drop_path in drop_paths)
        self.config = config

    def forward(self, points: Tensor, level: PointLevel) -> tuple[Tensor, Weights]:
        """Map (points, channels) to the same shape; give the weights of attention too."""
        turns = len(self.config.curves)
        curves = list(range(turns))
        if self.training and self.config.shuffle_curves:
            curves = torch.randperm(turns).tolist()
        weights: list[Tensor] = []
        for number, block in enumerate(self):
            points, of_block = block(points, level, curves[number % turns])
            weights += of_block
        return points, tuple(weights)


class NuPointPreTrainedModel(NuPreTrainedModel):
    """Initialisation and loading of every `nu_point` network."""

    config: NuPointConfig
    base_model_prefix = "nu_point"
    main_input_name = "coordinates"
    input_modalities = "point-cloud"
    heads: ClassVar[tuple[str, ...]] = (
        "classifier",
        "query_decoder",
        "stuff_head",
        "keypoint_head",
        "mask_head",
        "unmask_head",
    )
    _no_split_modules = ["NuPointBlock", "QueryBlock"]  # noqa: RUF012 (transformers' own declaration)
    _supports_sdpa = True
    accepts_loss_kwargs = False

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, nn.Linear | SubmanifoldConv3d):
            init.trunc_normal_(module.weight, std=self.config.initializer_range)
            if module.bias is not None:
                init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            init.normal_(module.weight)
        elif isinstance(module, LayerScale):
            init.constant_(module.gamma, self.config.layer_scale_init)
        elif isinstance(module, NuPointEmbedding) and module.mask_token is not None:
            init.zeros_(module.mask_token)


class NuPointEncoder(nn.Module):
    """Stages of points in ever larger cells."""

    def __init__(self, config: NuPointConfig):
        super().__init__()
        widths, drop_paths = config.encoder_channels, config.encoder_drop_paths
        self.poolings = nn.ModuleList(NuPointPooling(config, *pair) for pair in pairwise(widths))
        self.stages = nn.ModuleList(
            NuPointStage(config, width, drops) for width, drops in zip(widths, drop_paths, strict=True)
        )

    def forward(self, points: Tensor, level: PointLevel) -> tuple[list[Stage], list[Tensor]]:
        """Give the stages of (points, channels), the finest first, and the weights of attention."""
        points, weights = self.stages[0](points, level)
        stages, attentions = [Stage(points, level, torch.ones_like(level.morton))], [*weights]
        for pooling, blocks in zip(self.poolings, self.stages[1:], strict=True):
            level, sizes = level.coarser()
            points, weights = blocks(pooling(points, sizes), level)
            stages.append(Stage(points, level, sizes))
            attentions += weights
        return stages, attentions


class NuPointDecoder(nn.Module):
    """From the coarsest stage of an encoder back to the points."""

    def __init__(self, config: NuPointConfig):
        super().__init__()
        skips, widths = config.encoder_channels[:-1], config.decoder_channels
        coarser = [*widths[1:], config.encoder_channels[-1]]
        sizes = zip(coarser, skips, widths, strict=True)
        self.unpoolings = nn.ModuleList(NuPointUnpooling(config, *size) for size in sizes)
        drop_paths = config.decoder_drop_paths
        self.stages = nn.ModuleList(
            NuPointStage(config, width, drops) for width, drops in zip(widths, drop_paths, strict=True)
        )

    def forward(self, encoded: Sequence[Stage]) -> tuple[list[Tensor], list[Tensor]]:
        """Give the features of each stage, the finest last, and the weights of attention."""
        points = encoded[-1].features
        features, attentions = [], []
        for number in reversed(range(len(self.stages))):
            skip, sizes = encoded[number], encoded[number + 1].sizes
            points = self.unpoolings[number](points, skip.features, sizes)
            points, weights = self.stages[number](points, skip.level)
            features.append(points)
            attentions += weights
        return features, attentions


def upcast(stages: Sequence[Stage], rows: Tensor | None = None) -> Tensor:
    """Join to the features of the first stage those of the cells that its points are in at the others.

    Args:
        stages: the finest first.
        rows: (points,) of the first stage, which of its points to give; None gives all.

    Returns:
        (points, sum of the channels of all).
    """
    first, *coarser = stages
    if rows is None:
        rows = torch.arange(len(first.features), device=first.features.device)
    parts = [first.features.index_select(0, rows)]
    for stage in coarser:
        rows = torch.repeat_interleave(stage.sizes)[rows]
        parts.append(stage.features.index_select(0, rows))
    return torch.cat(parts, dim=1)


class NuPointModel(NuPointPreTrainedModel):
    """The network without its head: features of points."""

    def __init__(self, config: NuPointConfig):
        super().__init__(config)
        self.embedding = NuPointEmbedding(config)
        self.encoder = NuPointEncoder(config)
        self.decoder = NuPointDecoder(config) if config.readout == "decoder" else None
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        coordinates: Tensor,
        energy: Tensor,
        grid_coordinates: Tensor,
        offset: Tensor,
        is_masked: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> BaseModelOutput:
        """Compute the features of the points of a batch of events.

        Args:
            coordinates: (points, 3), from the processor, the points of event after event.
            energy: (points, in_channels - 3).
            grid_coordinates: int64 (points, 3), the cell of each.
            offset: int64 (events,), where the points of each event end.
            is_masked: bool (points,), which points the network shall not see but where they are.
            output_hidden_states: also return what each stage gives, in the order of its cells along a curve.
            output_attentions: also return the attention weights; they need the "eager" attention.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `last_hidden_state` (points, feature_size), `hidden_states`, `attentions`.

        Raises:
            PointCellError: cells are beyond the grid, or several points are in one.
            ValueError: attention weights are asked for without the "eager" attention, or the network has no
                token for masked points.
        """
        refuse_arguments(self, kwargs)
        output_hidden_states = self._wanted("hidden_states", output_hidden_states)
        output_attentions = self._wanted("attentions", output_attentions)
        encoded, attentions, order = self.encode(coordinates, energy, grid_coordinates, offset, is_masked)
        hidden_states = [stage.features for stage in encoded]
        rows = torch.argsort(order)
        if self.decoder is None:
            features = upcast(encoded, rows)
        else:
            decoded, weights = self.decoder(encoded)
            features = decoded[-1].index_select(0, rows)
            hidden_states, attentions = hidden_states + decoded, attentions + weights
        return BaseModelOutput(
            last_hidden_state=features,
            hidden_states=tuple(hidden_states) if output_hidden_states else None,
            attentions=tuple(attentions) if output_attentions else None,
        )

    def encode(
        self,
        coordinates: Tensor,
        energy: Tensor,
        grid_coordinates: Tensor,
        offset: Tensor,
        is_masked: Tensor | None = None,
    ) -> tuple[list[Stage], list[Tensor], Tensor]:
        """Compute the stages of the encoder.

        Args:
            coordinates: see `forward`, as the others.
            energy: see `forward`.
            grid_coordinates: see `forward`.
            offset: see `forward`.
            is_masked: see `forward`.

        Returns:
            The stages, the finest first; the weights of attention; and for each point of the finest stage
            the row that it had.
        """
        inputs = torch.cat([coordinates, energy], dim=1).to(self.dtype)
        config = self.config
        level, order = point_level(grid_coordinates, offset, config.curves, config.serialization_bits)
        masked = None if is_masked is None else is_masked[order]
        stages, attentions = self.encoder(self.embedding(inputs[order], masked), level)
        return stages, attentions, order


class NuPointForSemanticSegmentation(NuPointPreTrainedModel):
    """The network with a linear head over the classes of a point."""

    heads = ("classifier",)
    evidence: ClassVar[tuple[str, ...]] = ("logits",)

    def __init__(self, config: NuPointConfig):
        super().__init__(config)
        config.check_target()
        self.nu_point = NuPointModel(config)
        self.classifier = nn.Linear(config.feature_size, len(config.id2label or {}))
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        coordinates: Tensor,
        energy: Tensor,
        grid_coordinates: Tensor,
        offset: Tensor,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> SemanticSegmenterOutput:
        """Tell the class of each point of a batch of events.

        Args:
            coordinates: see `NuPointModel.forward`.
            energy: see `NuPointModel.forward`.
            grid_coordinates: see `NuPointModel.forward`.
            offset: see `NuPointModel.forward`.
            labels: int64 (points,) class indices, -1 or -100 of a point whose class is not known; with them
                `segmentation_loss` is returned as `loss`.
            output_hidden_states: see `NuPointModel.forward`.
            output_attentions: see `NuPointModel.forward`.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `loss`, `logits` (points, num_labels), `hidden_states`, `attentions`.
        """
        refuse_arguments(self, kwargs)
        outputs: Any = self.nu_point(
            coordinates,
            energy,
            grid_coordinates,
            offset,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
            return_dict=True,
        )
        logits = class_logits(self.classifier(outputs.last_hidden_state), self.config.evidential)
        loss = None if labels is None else segmentation_loss(logits, labels, **self.config.loss_settings)
        return SemanticSegmenterOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )
