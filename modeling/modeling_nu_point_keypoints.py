"""`nu_point` that proposes points of interest: vertices of interactions, and ends of tracks."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.utils import ModelOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.arguments import refuse_arguments
from nuzoo.modeling.keypoint_losses import keypoint_loss, nearest_keypoints
from nuzoo.modeling.modeling_nu_point import NuPointModel, NuPointPreTrainedModel


@dataclass
class PointProposalOutput(ModelOutput):
    """What each point tells of a point of interest near it.

    Attributes:
        loss: where labels were given.
        score_logits: (points,), that there is one within `config.keypoint_radius`.
        keypoint_places: (points, 3), where it is, in the unit of `coordinates`.
        logits: (points, kinds), of which kind it is.
        hidden_states: see `NuPointModel.forward`.
        attentions: see `NuPointModel.forward`.
    """

    loss: Tensor | None = None
    score_logits: Tensor | None = None
    keypoint_places: Tensor | None = None
    logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class NuPointForPointProposal(NuPointPreTrainedModel):
    """The network with a linear head: of each point a score, an offset and a kind."""

    heads = ("keypoint_head",)

    def __init__(self, config: NuPointConfig):
        super().__init__(config)
        self.nu_point = NuPointModel(config)
        self.keypoint_head = nn.Linear(config.feature_size, 1 + 3 + len(config.id2label or {}))
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        coordinates: Tensor,
        energy: Tensor,
        grid_coordinates: Tensor,
        offset: Tensor,
        labels: Tensor | None = None,
        keypoint_place: Tensor | None = None,
        keypoint_offset: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> PointProposalOutput:
        """Propose points of interest of each event of a batch.

        Args:
            coordinates: see `NuPointModel.forward`.
            energy: see `NuPointModel.forward`.
            grid_coordinates: see `NuPointModel.forward`.
            offset: see `NuPointModel.forward`.
            labels: int64 (keypoints,), kinds of the points of interest of event after event.
            keypoint_place: (keypoints, 3), where they are, in the unit of `coordinates`.
            keypoint_offset: int64 (events,), where those of each event end.
            output_hidden_states: see `NuPointModel.forward`.
            output_attentions: see `NuPointModel.forward`.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `loss` where the truth is given, `score_logits`, `keypoint_places`, `logits`, `hidden_states`,
            `attentions`; see `PointProposalOutput`.

        Raises:
            ValueError: a part of the truth is missing.
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
        told = self.keypoint_head(outputs.last_hidden_state)
        scores, offsets, kinds = told[:, 0], told[:, 1:4], told[:, 4:]
        radius = self.config.keypoint_radius
        loss = None
        if labels is not None and keypoint_place is not None and keypoint_offset is not None:
            places = keypoint_place.to(coordinates.dtype)
            with torch.autocast(told.device.type, enabled=False):
                nearest = nearest_keypoints(
                    coordinates.float(), offset, places.float(), keypoint_offset, radius
                )
                loss = keypoint_loss(scores.float(), offsets.float(), kinds.float(), nearest, labels, radius)
        elif any(given is not None for given in (labels, keypoint_place, keypoint_offset)):
            raise ValueError(
                "expected labels with keypoint_place and keypoint_offset, got some of them alone: take the "
                "targets keypoint_kind, keypoint_x, keypoint_y and keypoint_z"
            )
        return PointProposalOutput(
            loss=loss,
            score_logits=scores,
            keypoint_places=coordinates.to(told.dtype) + radius * offsets,
            logits=kinds,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
