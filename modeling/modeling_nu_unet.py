"""`nu_unet`: the sparse U-Net (UResNet) for events as hits in space."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutput, SemanticSegmenterOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_unet import CELL_BITS, NuUnetConfig
from nuzoo.modeling.arguments import refuse_arguments
from nuzoo.modeling.evidence import class_logits
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel
from nuzoo.modeling.point_batch_norm import PointBatchNorm
from nuzoo.modeling.segmentation_losses import segmentation_loss
from nuzoo.modeling.sparse.point_level import PointLevel, point_level
from nuzoo.modeling.sparse.strided_convolution import StridedConv3d, TransposedConv3d, doubled
from nuzoo.modeling.sparse.submanifold_convolution import SubmanifoldConv3d
from nuzoo.modeling.sparse_residual_block import SparseResidualBlock


@dataclass
class UnetStage:
    """Points of one resolution with their features.

    Attributes:
        features: (points, channels).
        level: where the points are.
        corners: (points of the finer stage,), the corner of a point of this one that each is; None of the
            finest.
    """

    features: Tensor
    level: PointLevel
    corners: Tensor | None = None


class NuUnetBlocks(nn.ModuleList):
    """Residual blocks of one stage, the first of which may change the width."""

    def __init__(self, config: NuUnetConfig, in_channels: int, channels: int):
        norm = (config.batch_norm_eps, config.batch_norm_momentum)
        widths = [in_channels] + [channels] * config.repetitions
        super().__init__(SparseResidualBlock(*pair, *norm) for pair in pairwise(widths))

    def forward(self, points: Tensor, level: PointLevel) -> Tensor:
        """Map (points, in_channels) to (points, channels)."""
        for block in self:
            points = block(points, level)
        return points


class NuUnetDown(nn.Module):
    """BN, ReLU, and the strided convolution to doubled cells."""

    def __init__(self, config: NuUnetConfig, in_channels: int, channels: int):
        super().__init__()
        self.norm = PointBatchNorm(in_channels, config.batch_norm_eps, config.batch_norm_momentum)
        self.convolution = StridedConv3d(in_channels, channels)

    def forward(self, points: Tensor, corners: Tensor, cells: int) -> Tensor:
        """Map (points, in_channels) to (cells, channels)."""
        return self.convolution(F.relu(self.norm(points)), corners, cells)


class NuUnetUp(nn.Module):
    """BN, ReLU, and the transposed convolution from doubled cells; joined with what the encoder knew."""

    def __init__(self, config: NuUnetConfig, in_channels: int, channels: int):
        super().__init__()
        self.norm = PointBatchNorm(in_channels, config.batch_norm_eps, config.batch_norm_momentum)
        self.convolution = TransposedConv3d(in_channels, channels)

    def forward(self, cells: Tensor, skip: Tensor, corners: Tensor) -> Tensor:
        """Map (cells, in_channels) and (points, channels) to (points, 2 channels)."""
        return torch.cat([skip, self.convolution(F.relu(self.norm(cells)), corners)], dim=1)


class NuUnetPreTrainedModel(NuPreTrainedModel):
    """Initialisation and loading of every `nu_unet` network."""

    config: NuUnetConfig
    base_model_prefix = "nu_unet"
    main_input_name = "coordinates"
    input_modalities = "point-cloud"
    heads = ("classifier",)
    _no_split_modules = ["SparseResidualBlock"]  # noqa: RUF012 (transformers' own declaration)
    accepts_loss_kwargs = False

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, nn.Linear | SubmanifoldConv3d | StridedConv3d | TransposedConv3d):
            is_up = isinstance(module, TransposedConv3d)  # a point is in one corner of one cell
            summands = module.weight.shape[-1] if is_up else module.weight[0].numel()
            init.normal_(module.weight, std=(2 / summands) ** 0.5)


class NuUnetEncoder(nn.Module):
    """Stages of points in ever larger cells."""

    def __init__(self, config: NuUnetConfig):
        super().__init__()
        self.downs = nn.ModuleList(NuUnetDown(config, *pair) for pair in pairwise(config.channels))
        self.stages = nn.ModuleList(NuUnetBlocks(config, width, width) for width in config.channels)

    def forward(self, points: Tensor, level: PointLevel) -> list[UnetStage]:
        """Give the stages of (points, channels), the finest first."""
        stages = [UnetStage(self.stages[0](points, level), level)]
        for down, blocks in zip(self.downs, self.stages[1:], strict=True):
            level, corners = doubled(level)
            cells = down(stages[-1].features, corners, len(level.cells))
            stages.append(UnetStage(blocks(cells, level), level, corners))
        return stages


class NuUnetDecoder(nn.Module):
    """From the coarsest stage of an encoder back to the points."""

    def __init__(self, config: NuUnetConfig):
        super().__init__()
        pairs = list(pairwise(config.channels))
        self.ups = nn.ModuleList(NuUnetUp(config, coarse, fine) for fine, coarse in pairs)
        self.stages = nn.ModuleList(NuUnetBlocks(config, 2 * fine, fine) for fine, _ in pairs)

    def forward(self, encoded: Sequence[UnetStage]) -> list[Tensor]:
        """Give the features of each stage, the finest last, beginning with the coarsest of the encoder."""
        features = [encoded[-1].features]
        for number in reversed(range(len(self.stages))):
            skip, corners = encoded[number], encoded[number + 1].corners
            joined = self.ups[number](features[-1], skip.features, corners)
            features.append(self.stages[number](joined, skip.level))
        return features


class NuUnetModel(NuUnetPreTrainedModel):
    """The network without its head: features of points."""

    def __init__(self, config: NuUnetConfig):
        super().__init__(config)
        self.stem = SubmanifoldConv3d(config.in_channels, config.filters, bias=False)
        self.encoder = NuUnetEncoder(config)
        self.decoder = NuUnetDecoder(config)
        self.norm = PointBatchNorm(config.filters, config.batch_norm_eps, config.batch_norm_momentum)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        coordinates: Tensor,
        energy: Tensor,
        grid_coordinates: Tensor,
        offset: Tensor,
        output_hidden_states: bool | None = None,
        **kwargs: object,
    ) -> BaseModelOutput:
        """Compute the features of the points of a batch of events.

        Args:
            coordinates: (points, 3), from the processor, the points of event after event.
            energy: (points, in_channels - 3).
            grid_coordinates: int64 (points, 3), the cell of each.
            offset: int64 (events,), where the points of each event end.
            output_hidden_states: also return what each stage gives, in Morton's order of its cells.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `last_hidden_state` (points, filters), `hidden_states`.

        Raises:
            PointCellError: cells are beyond the grid, or several points are in one.
        """
        refuse_arguments(self, kwargs)
        level, order = point_level(grid_coordinates, offset, (), CELL_BITS)
        inputs = torch.cat([coordinates, energy], dim=1).to(self.dtype)
        encoded = self.encoder(self.stem(inputs[order], level.neighbours), level)
        decoded = self.decoder(encoded)
        features = F.relu(self.norm(decoded[-1]))
        if output_hidden_states is None:
            output_hidden_states = self.config.output_hidden_states
        hidden_states = (*(stage.features for stage in encoded), *decoded[1:])
        return BaseModelOutput(
            last_hidden_state=torch.empty_like(features).index_copy(0, order, features),
            hidden_states=hidden_states if output_hidden_states else None,
        )


class NuUnetForSemanticSegmentation(NuUnetPreTrainedModel):
    """The network with a linear head over the classes of a point."""

    evidence: ClassVar[tuple[str, ...]] = ("logits",)

    def __init__(self, config: NuUnetConfig):
        super().__init__(config)
        config.check_target()
        self.nu_unet = NuUnetModel(config)
        self.classifier = nn.Linear(config.filters, len(config.id2label or {}))
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
        **kwargs: object,
    ) -> SemanticSegmenterOutput:
        """Tell the class of each point of a batch of events.

        Args:
            coordinates: see `NuUnetModel.forward`.
            energy: see `NuUnetModel.forward`.
            grid_coordinates: see `NuUnetModel.forward`.
            offset: see `NuUnetModel.forward`.
            labels: int64 (points,) class indices, -1 or -100 of a point whose class is not known; with them
                `segmentation_loss` is returned as `loss`.
            output_hidden_states: see `NuUnetModel.forward`.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `loss`, `logits` (points, num_labels), `hidden_states`.
        """
        refuse_arguments(self, kwargs)
        outputs: Any = self.nu_unet(
            coordinates,
            energy,
            grid_coordinates,
            offset,
            output_hidden_states=output_hidden_states,
            return_dict=True,
        )
        logits = class_logits(self.classifier(outputs.last_hidden_state), self.config.evidential)
        loss = None if labels is None else segmentation_loss(logits, labels, **self.config.loss_settings)
        return SemanticSegmenterOutput(loss=loss, logits=logits, hidden_states=outputs.hidden_states)
