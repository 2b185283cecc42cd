"""`nu_point_mae` while it learns without labels: it reconstructs groups of hits that it does not see."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import initialization as init
from transformers.utils import ModelOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_point_mae import NuPointMaeConfig
from nuzoo.modeling.arguments import refuse_arguments
from nuzoo.modeling.mini_point_net import MiniPointNet
from nuzoo.modeling.modeling_nu_point_mae import AXES, CHANNELS, NuPointMaeModel, NuPointMaePreTrainedModel
from nuzoo.modeling.point_set_losses import chamfer_loss, infilling_loss
from nuzoo.modeling.sparse.ragged import mean_by
from nuzoo.modeling.token_blocks import TokenBlocks, TokenNorm
from nuzoo.modeling.token_masks import masked_tokens


@dataclass
class NuPointMaeForPreTrainingOutput(ModelOutput):
    """What `NuPointMaeForPreTraining` gives.

    Attributes:
        loss: `chamfer_loss` + `energy_loss`, if asked for.
        chamfer_loss: of `reconstructed_points`.
        energy_loss: of `reconstructed_energies`.
        embeddings: (events, hidden_size), the mean of an event's visible tokens; 0 of one without.
        reconstructed_points: (masked tokens, group_points, 4), ways from the centre in radii, and energies.
        reconstructed_energies: (masked tokens, group_points), those of the true points.
        hidden_states: of each block of encoder and decoder (tokens, hidden_size), if asked for.
        attentions: of each block, if asked for.
    """

    loss: Tensor | None = None
    chamfer_loss: Tensor | None = None
    energy_loss: Tensor | None = None
    embeddings: Tensor | None = None
    reconstructed_points: Tensor | None = None
    reconstructed_energies: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class NuPointMaeDecoder(nn.Module):
    """Blocks that see all tokens: those that are visible as the encoder has them, others all alike."""

    def __init__(self, config: NuPointMaeConfig):
        super().__init__()
        self.mask_token = nn.Parameter(torch.zeros(config.hidden_size))
        self.blocks = TokenBlocks(config, config.decoder_layers)
        self.norm = TokenNorm(config)

    def forward(
        self, visible: Tensor, is_masked: Tensor, positions: Tensor, counts: Tensor
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Give masked tokens (masked tokens, channels), what each block makes of all, and weights.

        Args:
            visible: (visible tokens, channels).
            is_masked: bool (tokens,).
            positions: (tokens, channels).
            counts: int64 (events,), tokens of each event.
        """
        tokens = self.mask_token.to(visible.dtype).expand(len(is_masked), -1)
        tokens = tokens.index_copy(0, torch.nonzero(~is_masked)[:, 0], visible)
        states, attentions = self.blocks(tokens, positions, counts)
        return self.norm(states[-1])[is_masked], states, attentions


class NuPointMaeForPreTraining(NuPointMaePreTrainedModel):
    """The network with a decoder that reconstructs masked tokens (arXiv 2502.02558).

    Of each it is asked for the points with their energies, and, told where the points are, for the energies.
    Other networks load what it has learnt, without the decoder.
    """

    heads = ("decoder", "point_head", "energy_encoder", "energy_head")

    def __init__(self, config: NuPointMaeConfig):
        super().__init__(config)
        size, places = config.hidden_size, config.group_points
        self.nu_point_mae = NuPointMaeModel(config)
        self.decoder = NuPointMaeDecoder(config)
        self.point_head = nn.Linear(size, CHANNELS * places)
        self.energy_encoder = MiniPointNet(config, AXES, is_ordered=True)
        self.energy_head = nn.Linear(2 * size, places)
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, NuPointMaeDecoder):
            init.trunc_normal_(module.mask_token, std=self.config.initializer_range)

    @can_return_tuple
    def forward(
        self,
        coordinates: Tensor,
        energy: Tensor,
        grid_coordinates: Tensor,
        offset: Tensor,
        return_loss: bool = False,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> NuPointMaeForPreTrainingOutput:
        """Mask tokens of a batch of events, and reconstruct them.

        In training they are drawn at random; in evaluation they are always the same of an event.

        Args:
            coordinates: see `NuPointMaeModel.forward`.
            energy: see `NuPointMaeModel.forward`.
            grid_coordinates: see `NuPointMaeModel.forward`.
            offset: see `NuPointMaeModel.forward`.
            return_loss: also say how far the reconstruction is from the truth.
            output_hidden_states: see `NuPointMaeModel.forward`; those of the decoder follow.
            output_attentions: see `NuPointMaeModel.forward`; those of the decoder follow.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `loss`, `chamfer_loss`, `energy_loss`, scalars; `embeddings` (events, hidden_size), the mean of
            visible tokens; `reconstructed_points` (masked tokens, group_points, 4) and
            `reconstructed_energies` (masked tokens, group_points); `hidden_states`, `attentions`.
        """
        refuse_arguments(self, kwargs)
        body, places = self.nu_point_mae, self.config.group_points
        wants_states = body._wanted("hidden_states", output_hidden_states)
        wants_attentions = body._wanted("attentions", output_attentions)
        groups = body.groups_of(grid_coordinates, offset)
        tokens, positions, members = body.embed(coordinates, energy, grid_coordinates, groups)
        is_masked = masked_tokens(groups.counts, self.config.mask_ratio, self.training)
        counts = groups.chosen(~is_masked).counts
        encoded, seen = body.encoder(tokens[~is_masked], positions[~is_masked], counts)
        hidden, decoded, more = self.decoder(encoded[-1], is_masked, positions, groups.counts)
        masked, members = groups.chosen(is_masked), members[is_masked[groups.group]]
        points = self.point_head(hidden).unflatten(1, (places, CHANNELS))
        where = self.energy_encoder(members[:, :AXES], masked)
        energies = self.energy_head(torch.cat([where, hidden], dim=1))
        true = masked.padded(members, places)
        losses = self._losses(points, energies, true, masked.sizes) if return_loss else {}
        return NuPointMaeForPreTrainingOutput(
            **losses,
            embeddings=mean_by(encoded[-1], torch.repeat_interleave(counts), len(counts)),
            reconstructed_points=points,
            reconstructed_energies=energies,
            hidden_states=(*encoded, *decoded) if wants_states else None,
            attentions=(*seen, *more) if wants_attentions else None,
        )

    def _losses(self, points: Tensor, energies: Tensor, true: Tensor, sizes: Tensor) -> dict[str, Tensor]:
        """Compare groups with the true ones, (groups, places, 4); of each the first points count."""
        true = true.float()
        chamfer = chamfer_loss(points.float(), true, sizes)
        infilling = infilling_loss(energies.float(), true[..., AXES], sizes)
        return {"loss": chamfer + infilling, "chamfer_loss": chamfer, "energy_loss": infilling}
