"""`nu_point` while it learns without labels: the network with heads that assign tokens to prototypes."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import initialization as init
from transformers.utils import ModelOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.arguments import refuse_arguments
from nuzoo.modeling.modeling_nu_point import NuPointModel, NuPointPreTrainedModel, upcast
from nuzoo.modeling.sparse.ragged import mean_by


@dataclass
class NuPointForPreTrainingOutput(ModelOutput):
    """What `NuPointForPreTraining` gives.

    Attributes:
        embeddings: (events, token_size), the mean of an event's tokens; 0 of one without.
        mask_logits: (tokens, prototypes), from -1 to 1.
        unmask_logits: (tokens, prototypes), from -1 to 1.
        hidden_states: of each stage (cells, channels), if asked for.
        attentions: of each block, if asked for.
    """

    embeddings: Tensor | None = None
    mask_logits: Tensor | None = None
    unmask_logits: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class Prototypes(nn.Module):
    """Directions of a norm that is not learnt, 1."""

    norm: Tensor

    def __init__(self, size: int, number: int):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(number, size))
        self.register_buffer("norm", torch.ones(number, 1))

    def forward(self, directions: Tensor) -> Tensor:
        """Give the cosines (n, number) of the angles between (n, size) and the prototypes."""
        return F.linear(F.normalize(directions, dim=1), self.norm * F.normalize(self.weight, dim=1))


class PrototypeHead(nn.Module):
    """A perceptron, and prototypes; these are computed in the precision of their weights."""

    def __init__(self, config: NuPointConfig):
        super().__init__()
        hidden, size = config.prototype_hidden_size, config.prototype_size
        self.perceptron = nn.Sequential(
            nn.Linear(config.token_size, hidden), nn.GELU(), nn.Linear(hidden, size)
        )
        self.prototypes = Prototypes(size, config.prototypes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (tokens, token_size) to (tokens, prototypes)."""
        directions = self.perceptron(tokens)
        with torch.autocast(tokens.device.type, enabled=False):
            logits: Tensor = self.prototypes(directions.to(self.prototypes.weight.dtype))
        return logits


class NuPointForPreTraining(NuPointPreTrainedModel):
    """The network with two heads: one reads events of which points are masked, the other whole ones.

    Student and teacher of a self-distillation (arXiv 2512.01324, arXiv 2503.16429) are one such network each.
    Other networks load what it has learnt, without its heads.
    """

    heads = ("mask_head", "unmask_head")

    def __init__(self, config: NuPointConfig):
        super().__init__(config)
        if config.readout != "upcast":
            raise ValueError(
                f'readout: expected "upcast" for pre-training, which has no decoder, got {config.readout!r}'
            )
        self.nu_point = NuPointModel(config)
        self.mask_head = PrototypeHead(config)
        self.unmask_head = PrototypeHead(config)
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, Prototypes):
            init.trunc_normal_(module.weight, std=self.config.initializer_range)
            init.ones_(module.norm)

    @can_return_tuple
    def forward(
        self,
        coordinates: Tensor,
        energy: Tensor,
        grid_coordinates: Tensor,
        offset: Tensor,
        is_masked: Tensor | None = None,
        masked_events: int | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> NuPointForPreTrainingOutput:
        """Compare the tokens of a batch of events with the prototypes.

        Tokens are the occupied cells of a coarse stage, in the order of `cells_of_points`.

        Args:
            coordinates: see `NuPointModel.forward`.
            energy: see `NuPointModel.forward`.
            grid_coordinates: see `NuPointModel.forward`.
            offset: see `NuPointModel.forward`.
            is_masked: see `NuPointModel.forward`.
            masked_events: the head for masked events reads the first so many, the other head the others;
                None has both read all.
            output_hidden_states: see `NuPointModel.forward`.
            output_attentions: see `NuPointModel.forward`.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `embeddings` (events, token_size), the mean of an event's tokens; `mask_logits` and
            `unmask_logits` (tokens, prototypes), cosines; `hidden_states`, `attentions`.
        """
        refuse_arguments(self, kwargs)
        body = self.nu_point
        wants_states = body._wanted("hidden_states", output_hidden_states)
        wants_attentions = body._wanted("attentions", output_attentions)
        encoded, attentions, _ = body.encode(coordinates, energy, grid_coordinates, offset, is_masked)
        coarse = encoded[self.config.token_doublings :]
        tokens, counts = upcast(coarse), coarse[0].level.counts
        masked = whole = tokens
        if masked_events is not None:
            masked, whole = tokens.tensor_split([int(counts[:masked_events].sum())])
        return NuPointForPreTrainingOutput(
            embeddings=mean_by(tokens, torch.repeat_interleave(counts), len(counts)),
            mask_logits=self.mask_head(masked),
            unmask_logits=self.unmask_head(whole),
            hidden_states=tuple(stage.features for stage in encoded) if wants_states else None,
            attentions=tuple(attentions) if wants_attentions else None,
        )
