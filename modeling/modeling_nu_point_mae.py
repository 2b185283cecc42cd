"""`nu_point_mae`: a transformer of groups of hits, as PoLAr-MAE, for events as hits in space."""

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutputWithPooling, SemanticSegmenterOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_point_mae import CELL_BITS, NuPointMaeConfig
from nuzoo.modeling.arguments import refuse_arguments
from nuzoo.modeling.evidence import class_logits
from nuzoo.modeling.interpolation import interpolated
from nuzoo.modeling.mini_point_net import MiniPointNet
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel
from nuzoo.modeling.point_batch_norm import PointBatchNorm
from nuzoo.modeling.segmentation_losses import segmentation_loss
from nuzoo.modeling.sparse.groups import Groups, group_points
from nuzoo.modeling.sparse.point_level import point_level
from nuzoo.modeling.sparse.ragged import events_of, max_by, mean_by
from nuzoo.modeling.token_blocks import TokenBlock, TokenBlocks, TokenNorm, standardised

AXES = 3
CHANNELS = 4
"""Numbers of a point: where it is in its group, and its energy."""


class NuPointMaePreTrainedModel(NuPreTrainedModel):
    """Initialisation and loading of every `nu_point_mae` network."""

    config: NuPointMaeConfig
    base_model_prefix = "nu_point_mae"
    main_input_name = "coordinates"
    input_modalities = "point-cloud"
    heads: ClassVar[tuple[str, ...]] = (
        "upsampling",
        "classifier",
        "decoder",
        "point_head",
        "energy_encoder",
        "energy_head",
    )
    _no_split_modules = ["TokenBlock"]  # noqa: RUF012 (transformers' own declaration)
    _supports_sdpa = True
    accepts_loss_kwargs = False

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, nn.Linear):
            init.kaiming_uniform_(module.weight, a=5**0.5)
            if module.bias is not None:
                init.zeros_(module.bias)
        elif isinstance(module, TokenBlock):
            for part in (part for part in module.modules() if isinstance(part, nn.Linear)):
                init.trunc_normal_(part.weight, std=self.config.initializer_range)
        elif isinstance(module, TokenNorm):
            init.ones_(module.weight)
            init.zeros_(module.bias)


class NuPointMaeModel(NuPointMaePreTrainedModel):
    """The network without its head: features of points."""

    def __init__(self, config: NuPointMaeConfig):
        super().__init__(config)
        self.embedding = MiniPointNet(config, CHANNELS)
        self.position = nn.Sequential(
            nn.Linear(AXES, config.embedding_size),
            nn.GELU(),
            nn.Linear(config.embedding_size, config.hidden_size),
        )
        self.encoder = TokenBlocks(config, config.num_hidden_layers)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        coordinates: Tensor,
        energy: Tensor,
        grid_coordinates: Tensor,
        offset: Tensor,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> BaseModelOutputWithPooling:
        """Compute the features of the points of a batch of events.

        Args:
            coordinates: (points, 3), from the processor, the points of event after event.
            energy: (points, 1).
            grid_coordinates: int64 (points, 3), the cell of each, by which groups are made and have a shape.
            offset: int64 (events,), where the points of each event end.
            output_hidden_states: also return the tokens (tokens, hidden_size) after each block.
            output_attentions: also return the attention weights; they need the "eager" attention.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `last_hidden_state` (points, hidden_size), tokens of `feature_layers` averaged and interpolated;
            `pooler_output` (events, 2 * hidden_size), their maximum and mean over the event, 0 of an empty
            one; `hidden_states`, `attentions`.

        Raises:
            PointCellError: cells are beyond the grid, or several points are in one.
            ValueError: attention weights are asked for without the "eager" attention.
        """
        refuse_arguments(self, kwargs)
        output_hidden_states = self._wanted("hidden_states", output_hidden_states)
        output_attentions = self._wanted("attentions", output_attentions)
        groups = self.groups_of(grid_coordinates, offset)
        tokens, positions, _ = self.embed(coordinates, energy, grid_coordinates, groups)
        states, attentions = self.encoder(tokens, positions, groups.counts)
        config = self.config
        layers = [
            standardised(states[layer], config.norm_over, config.layer_norm_eps)
            for layer in config.feature_layers
        ]
        features = torch.stack(layers).mean(dim=0)
        event, events = torch.repeat_interleave(groups.counts), len(offset)
        pooled = [max_by(features, event, events), mean_by(features, event, events)]
        places = grid_coordinates[groups.centres]
        return BaseModelOutputWithPooling(
            last_hidden_state=interpolated(
                features, places, groups.counts, grid_coordinates, offset, config.neighbours
            ),
            pooler_output=torch.cat(pooled, dim=1),
            hidden_states=tuple(states) if output_hidden_states else None,
            attentions=tuple(attentions) if output_attentions else None,
        )

    def tokens_of(
        self, coordinates: Tensor, energy: Tensor, grid_coordinates: Tensor, offset: Tensor
    ) -> tuple[Tensor, Groups]:
        """Compute the tokens (groups, hidden_size) that the last block gives, and of which groups they are.

        Args:
            coordinates: see `forward`.
            energy: see `forward`.
            grid_coordinates: see `forward`.
            offset: see `forward`.
        """
        groups = self.groups_of(grid_coordinates, offset)
        tokens, positions, _ = self.embed(coordinates, energy, grid_coordinates, groups)
        return self.encoder(tokens, positions, groups.counts)[0][-1], groups

    def groups_of(self, grid_coordinates: Tensor, offset: Tensor) -> Groups:
        """Group the points of a batch of events: each group becomes a token.

        Args:
            grid_coordinates: see `forward`.
            offset: see `forward`.
        """
        config = self.config
        level, order = point_level(grid_coordinates, offset, (), CELL_BITS)
        return group_points(
            level,
            order,
            radius=config.group_radius,
            overlap=config.overlap,
            ball_points=config.ball_points,
            group_points=config.group_points,
            max_groups=config.max_groups,
        )

    def embed(
        self, coordinates: Tensor, energy: Tensor, grid_coordinates: Tensor, groups: Groups
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Make tokens of groups.

        Args:
            coordinates: see `forward`.
            energy: see `forward`.
            grid_coordinates: see `forward`.
            groups: of these points.

        Returns:
            Tokens and their positions, (groups, hidden_size) each; and the members of groups, (members, 4),
            as their way from the centre, in radii, and their energy.
        """
        cells = grid_coordinates[groups.members] - grid_coordinates[groups.centres][groups.group]
        apart = cells.to(self.dtype) / self.config.group_radius
        members = torch.cat([apart, energy[groups.members].to(self.dtype)], dim=1)
        positions = self.position(coordinates[groups.centres].to(self.dtype))
        return self.embedding(members, groups), positions, members


class NuPointMaeUpsampling(nn.Module):
    """Two layers of neurons that tell the features of points where these are."""

    def __init__(self, config: NuPointMaeConfig):
        super().__init__()
        width = config.hidden_size
        self.linear1 = nn.Linear(AXES + width, width, bias=False)
        self.norm1 = PointBatchNorm(width)
        self.linear2 = nn.Linear(width, width, bias=False)
        self.norm2 = PointBatchNorm(width)

    def forward(self, coordinates: Tensor, features: Tensor) -> Tensor:
        """Map (points, 3) and (points, channels) to (points, channels)."""
        points = torch.cat([coordinates.to(features.dtype), features], dim=1)
        points = F.relu(self.norm1(self.linear1(points)))
        return F.relu(self.norm2(self.linear2(points)))


class NuPointMaeClassifier(nn.Module):
    """A perceptron of two hidden layers over a point and its event."""

    def __init__(self, config: NuPointMaeConfig):
        super().__init__()
        first, second = config.head_size, config.head_size // 2
        self.linear1 = nn.Linear(3 * config.hidden_size, first, bias=False)
        self.norm1 = PointBatchNorm(first)
        self.dropout = nn.Dropout(config.head_dropout)
        self.linear2 = nn.Linear(first, second, bias=False)
        self.norm2 = PointBatchNorm(second)
        self.linear3 = nn.Linear(second, len(config.id2label or {}))

    def forward(self, points: Tensor) -> Tensor:
        """Map (points, 3 * hidden_size) to (points, classes)."""
        points = self.dropout(F.relu(self.norm1(self.linear1(points))))
        logits: Tensor = self.linear3(F.relu(self.norm2(self.linear2(points))))
        return logits


class NuPointMaeForSemanticSegmentation(NuPointMaePreTrainedModel):
    """The network with a perceptron over the classes of a point, which also knows its whole event."""

    heads = ("upsampling", "classifier")
    evidence: ClassVar[tuple[str, ...]] = ("logits",)

    def __init__(self, config: NuPointMaeConfig):
        super().__init__(config)
        config.check_target()
        self.nu_point_mae = NuPointMaeModel(config)
        self.upsampling = NuPointMaeUpsampling(config)
        self.classifier = NuPointMaeClassifier(config)
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
            coordinates: see `NuPointMaeModel.forward`.
            energy: see `NuPointMaeModel.forward`.
            grid_coordinates: see `NuPointMaeModel.forward`.
            offset: see `NuPointMaeModel.forward`.
            labels: int64 (points,) class indices, -1 or -100 of a point whose class is not known; with them
                `segmentation_loss` is returned as `loss`.
            output_hidden_states: see `NuPointMaeModel.forward`.
            output_attentions: see `NuPointMaeModel.forward`.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `loss`, `logits` (points, num_labels), `hidden_states`, `attentions`.
        """
        refuse_arguments(self, kwargs)
        outputs: Any = self.nu_point_mae(
            coordinates,
            energy,
            grid_coordinates,
            offset,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
            return_dict=True,
        )
        points = self.upsampling(coordinates, outputs.last_hidden_state)
        of_event = outputs.pooler_output[events_of(offset)]
        scores = self.classifier(torch.cat([points, of_event], dim=1))
        logits = class_logits(scores, self.config.evidential)
        loss = None if labels is None else segmentation_loss(logits, labels, **self.config.loss_settings)
        return SemanticSegmenterOutput(
            loss=loss, logits=logits, hidden_states=outputs.hidden_states, attentions=outputs.attentions
        )
