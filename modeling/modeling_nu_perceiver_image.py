"""`nu_perceiver_image`: the encoder of `nu_perceiver` over images of particles, and their classes."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutputWithPooling, ImageClassifierOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_perceiver_image import NuPerceiverImageConfig
from nuzoo.modeling.arguments import refuse_arguments
from nuzoo.modeling.evidence import class_logits, class_risk
from nuzoo.modeling.grid_embeddings import grid_embeddings
from nuzoo.modeling.perceiver_blocks import CrossBlock, SelfBlock, read_by_turns
from nuzoo.modeling.perceiver_weights import PerceiverPreTrainedModel
from nuzoo.modeling.sparse.padded_rows import rows_by_event
from nuzoo.modeling.sparse.patches import PatchGrid, occupied_patches
from nuzoo.modeling.sparse.ragged import counts_of, events_of, mean_by, sorted_rows
from nuzoo.modeling.window_encoder import WindowEncoder, with_empty_windows

HEAD_STD = 2e-5
"""Standard deviation of the initial weights of the head (arXiv 2604.07037, public code)."""


IGNORED = -100


class ContextError(ValueError):
    """What stands beside images is not what the network has learnt to read."""


class NuPerceiverImagePreTrainedModel(PerceiverPreTrainedModel):
    """Initialisation and loading of every `nu_perceiver_image` network."""

    config: NuPerceiverImageConfig
    base_model_prefix = "nu_perceiver_image"
    main_input_name = "grid_coordinates"
    input_modalities = "point-cloud"

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, NuPerceiverImageModel):
            grid, channels = module.window_encoder.grid, self.config.hidden_size
            init.copy_(module.window_positions, grid_embeddings(grid.windows, channels))
        elif isinstance(module, ContextToken):
            init.normal_(module.type_token, std=self.config.initializer_range)
        elif isinstance(module, ParticleHead):
            init.trunc_normal_(module.linear.weight, std=HEAD_STD)

    @property
    def decay_steps(self) -> dict[str, int]:
        """How often a decay of learning rates by layers is taken for each part of the encoder, by its name.

        The axis is that of arXiv 2604.07037: what makes tokens; the blocks of windows with their norm; the
        norm of all tokens; the blocks of latents; all else.
        """
        apart, reads = self.config.num_window_layers, self.config.num_latent_layers
        depths = {"window_encoder.stem": 0, "window_encoder.class_token": 0, "window_encoder.norm": apart}
        depths |= {f"window_encoder.blocks.{block}": block + 1 for block in range(apart)}
        depths["token_norm"] = apart + 1
        for number in range(reads):
            depths[f"latent_reads.{number}"] = apart + 2 + 2 * number
            depths[f"latent_blocks.{number}"] = apart + 3 + 2 * number
        prefix = "" if self.base_model is self else f"{self.base_model_prefix}."
        last = apart + 2 + 2 * reads
        return {f"{prefix}{name}": last - depth for name, depth in depths.items()}


class ContextToken(nn.Module):
    """Makes a token of the numbers beside an image: (images, numbers) to (images, hidden_size).

    Args:
        config: the network's configuration.
    """

    def __init__(self, config: NuPerceiverImageConfig):
        super().__init__()
        channels, eps = config.hidden_size, config.layer_norm_eps
        self.norm = nn.LayerNorm(config.context_features)
        self.linear = nn.Linear(config.context_features, channels)
        self.norm_token = nn.LayerNorm(channels, eps)
        self.type_token = nn.Parameter(torch.empty(channels))

    def forward(self, context: Tensor) -> Tensor:
        """Map the numbers to tokens."""
        return self.norm_token(F.gelu(self.linear(self.norm(context)))) + self.type_token


class ContextSummand(nn.Module):
    """Makes of the numbers beside an image what is added to its mean latent; see `ContextToken`."""

    def __init__(self, config: NuPerceiverImageConfig):
        super().__init__()
        channels = config.hidden_size
        self.norm = nn.LayerNorm(config.context_features)
        self.first = nn.Linear(config.context_features, channels)
        self.last = nn.Linear(channels, channels)
        self.dropout = nn.Dropout(config.context_dropout)

    def forward(self, context: Tensor) -> Tensor:
        """Map the numbers to summands."""
        return self.dropout(self.last(F.gelu(self.first(self.norm(context)))))


class EventEncoder(nn.Module):
    """Lets the particles of an event attend to each other.

    Args:
        config: the network's configuration.
    """

    def __init__(self, config: NuPerceiverImageConfig):
        super().__init__()
        channels, heads = config.hidden_size, config.num_attention_heads
        self.norm_particles = nn.LayerNorm(channels, config.layer_norm_eps)
        self.blocks = nn.ModuleList(
            SelfBlock(config, channels, heads, dropout=config.event_dropout)
            for _ in range(config.num_event_layers)
        )
        self.norm = nn.LayerNorm(channels, config.layer_norm_eps)

    def forward(self, particles: Tensor, counts: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Map (particles, channels), those of event after event, to the same; also states and weights.

        Args:
            particles: see above.
            counts: int64 (events,), particles of each.
        """
        rows, groups = self.norm_particles(particles), [rows_by_event(counts)]
        states: list[Tensor] = []
        attentions: list[Tensor] = []
        for block in self.blocks:
            rows, weights = block(rows, counts, groups)
            states.append(rows)
            attentions += weights
        return self.norm(rows), states, attentions


class ParticleHead(nn.Module):
    """Tells classes of particles, each alone or among those of its event.

    Args:
        config: the network's configuration.
    """

    def __init__(self, config: NuPerceiverImageConfig):
        super().__init__()
        self.event_encoder = EventEncoder(config) if config.num_event_layers else None
        self.norm = nn.LayerNorm(config.hidden_size, config.layer_norm_eps)
        self.linear = nn.Linear(config.hidden_size, len(config.id2label or {}))

    def forward(
        self, pooled: Tensor, event_offset: Tensor | None
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Map (images, hidden_size) to (images, classes); also states and weights of what comes before.

        Args:
            pooled: see above.
            event_offset: int64 (events,), where the images of each event end.

        Raises:
            ContextError: it is needed, and not given.
        """
        states: list[Tensor] = []
        attentions: list[Tensor] = []
        if self.event_encoder is not None:
            pooled, states, attentions = self.event_encoder(pooled, _particles_of(event_offset))
        return self.linear(self.norm(pooled)), states, attentions


@dataclass(frozen=True)
class EncodedImages:
    """Latents of images.

    Attributes:
        latents: (latents, channels), those of image after image.
        counts: int64 (images,), latents of each.
        pooled: (images, channels), their mean, and the context where it is added to that.
        hidden_states: after each block its rows.
        attentions: of each block, if the attention is "eager".
    """

    latents: Tensor
    counts: Tensor
    pooled: Tensor
    hidden_states: list[Tensor]
    attentions: list[Tensor]

    @property
    def padded(self) -> Tensor:
        """The latents as (images, longest, channels), 0 where an image does not have one."""
        groups = rows_by_event(self.counts)
        return self.latents[groups.rows] * groups.is_filled[..., None].to(self.latents.dtype)


class NuPerceiverImageModel(NuPerceiverImagePreTrainedModel):
    """The encoder: latents of an image."""

    heads = ("classifier",)
    transfers_from: ClassVar[dict[str, dict[str, str]]] = {
        "nu_perceiver": {
            "cal_encoder.stem": "window_encoder.stem",
            "cal_encoder.class_token": "window_encoder.class_token",
            "cal_encoder.blocks": "window_encoder.blocks",
            "cal_encoder.norm": "window_encoder.norm",
            "token_norm": "token_norm",
            "latent_reads": "latent_reads",
            "latent_blocks": "latent_blocks",
        }
    }
    """Parts that mean the same in a network of another type: there, and here (arXiv 2604.07037)."""

    def __init__(self, config: NuPerceiverImageConfig):
        super().__init__(config)
        channels, heads, rate = config.hidden_size, config.num_attention_heads, config.drop_path_rate
        grid = PatchGrid(config.grid_shape, config.window_shape, config.patch)
        self.window_encoder = WindowEncoder(config, grid, config.window_drop_paths)
        self.window_positions: Tensor
        self.register_buffer("window_positions", torch.empty(prod(grid.windows), channels))
        has_context, is_token = config.context_features > 0, config.context_fusion == "token"
        self.context_token = ContextToken(config) if has_context and is_token else None
        self.context_summand = ContextSummand(config) if has_context and not is_token else None
        layers = range(config.num_latent_layers)
        self.token_norm = nn.LayerNorm(channels, config.layer_norm_eps)
        self.latent_reads = nn.ModuleList(CrossBlock(config, channels, heads, rate / 2) for _ in layers)
        self.latent_blocks = nn.ModuleList(SelfBlock(config, channels, heads, rate) for _ in layers)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        grid_coordinates: Tensor,
        energy: Tensor,
        offset: Tensor,
        context: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> BaseModelOutputWithPooling:
        """Compute the latents of a batch of images.

        Args:
            grid_coordinates: int64 (voxels, 3), from the processor, those of image after image.
            energy: (voxels, 1).
            offset: int64 (images,), where the voxels of each image end.
            context: (images, context_features), the numbers beside each.
            output_hidden_states: also return the rows after each block.
            output_attentions: also return the attention weights; they need the "eager" attention.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `last_hidden_state` (images, most latents of an image, hidden_size), 0 where one has fewer;
            `pooler_output` (images, hidden_size), the mean of those that it has, with the context where that
            is added to it; `hidden_states`, `attentions`.

        Raises:
            PatchError: voxels are beyond the image.
            ContextError: there is no context, or one of other numbers.
            ValueError: attention weights are asked for without the "eager" attention.
        """
        refuse_arguments(self, kwargs)
        wants_states = self._wanted("hidden_states", output_hidden_states)
        wants_attentions = self._wanted("attentions", output_attentions)
        found = self.encode(grid_coordinates, energy, offset, context)
        return BaseModelOutputWithPooling(
            last_hidden_state=found.padded,
            pooler_output=found.pooled,
            hidden_states=tuple(found.hidden_states) if wants_states else None,
            attentions=tuple(found.attentions) if wants_attentions else None,
        )

    def encode(
        self, grid_coordinates: Tensor, energy: Tensor, offset: Tensor, context: Tensor | None
    ) -> EncodedImages:
        """Compute latents, see `forward`."""
        images, windows_of_image = len(offset), len(self.window_positions)
        context = self._checked(context, images)
        encoder = self.window_encoder
        patches = occupied_patches(grid_coordinates, events_of(offset), encoder.grid)
        windows, occupied = torch.unique_consecutive(patches.window, return_counts=True)
        empty = torch.nonzero(counts_of(offset) == 0)[:, 0] * windows_of_image
        windows, occupied = with_empty_windows(windows, occupied, empty)
        tokens = encoder.stem(energy.to(self.dtype), patches) + encoder.positions[patches.local]
        seen = encoder(tokens, patches.window, windows, occupied)
        tokens, image = self._placed(seen.tokens, seen.window)
        if self.context_token is not None:
            every = torch.arange(images, device=offset.device)
            tokens, image = sorted_rows([(tokens, image), (self.context_token(context), every)])
        latents, image_of_latent = self._placed(seen.classes, seen.class_window)
        counts = torch.bincount(image_of_latent, minlength=images)
        read = read_by_turns(
            self.latent_reads,
            self.latent_blocks,
            latents,
            counts,
            self.token_norm(tokens),
            torch.bincount(image, minlength=images),
        )
        pooled = mean_by(read.latents, image_of_latent, images)
        if self.context_summand is not None:
            pooled = pooled + self.context_summand(context)
        states = [*seen.hidden_states, *read.hidden_states]
        return EncodedImages(read.latents, counts, pooled, states, [*seen.attentions, *read.attentions])

    def _placed(self, rows: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
        """Add to rows where in the image their window is; give also the image of each."""
        windows = len(self.window_positions)
        return rows + self.window_positions[window % windows], window // windows

    def _checked(self, context: Tensor | None, images: int) -> Tensor:
        """Refuse a context that is not the one that the network has learnt."""
        expected = (images, self.config.context_features)
        if context is None and expected[1]:
            raise ContextError(
                f"context: expected {expected[1]} numbers beside each image, got none: use the processor "
                "that is saved with the model"
            )
        if context is None:
            return torch.empty(expected)
        if tuple(context.shape) != expected:
            raise ContextError(
                f"context: expected numbers of shape {expected}, got {tuple(context.shape)}: use the "
                "processor that is saved with the model"
            )
        return context.to(self.dtype)


class NuPerceiverImageForParticleClassification(NuPerceiverImagePreTrainedModel):
    """The encoder with a head that tells the class of each particle, alone or among those of its event."""

    heads = ("classifier",)
    evidence: ClassVar[tuple[str, ...]] = ("logits",)

    def __init__(self, config: NuPerceiverImageConfig):
        super().__init__(config)
        self.nu_perceiver_image = NuPerceiverImageModel(config)
        self.classifier = ParticleHead(config)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        grid_coordinates: Tensor,
        energy: Tensor,
        offset: Tensor,
        context: Tensor | None = None,
        event_offset: Tensor | None = None,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> ImageClassifierOutput:
        """Classify the particles of a batch.

        Args:
            grid_coordinates: see `NuPerceiverImageModel.forward`.
            energy: see `NuPerceiverImageModel.forward`.
            offset: see `NuPerceiverImageModel.forward`.
            context: see `NuPerceiverImageModel.forward`.
            event_offset: int64 (events,), where the images of each event end; of networks that tell those of
                an event together.
            labels: int64 (images,), class indices, -100 of particles that do not count; with them the mean
                `class_risk` is returned as `loss`, 0 where none counts.
            output_hidden_states: see `NuPerceiverImageModel.forward`.
            output_attentions: see `NuPerceiverImageModel.forward`.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `loss`, `logits` (images, classes) before the temperature, `hidden_states`, `attentions`.

        Raises:
            ContextError: the network tells particles of an event together, and the events are not given; or
                see `NuPerceiverImageModel.forward`.
        """
        refuse_arguments(self, kwargs)
        wants_states = self._wanted("hidden_states", output_hidden_states)
        wants_attentions = self._wanted("attentions", output_attentions)
        found = self.nu_perceiver_image.encode(grid_coordinates, energy, offset, context)
        logits, states, attentions = self.classifier(found.pooled, event_offset)
        logits = class_logits(logits, self.config.evidential)
        loss = None
        if labels is not None:
            known = labels != IGNORED
            risk = class_risk(logits[known].float(), labels[known], self.config.evidential)
            loss = risk.sum() / known.sum().clamp(min=1)
        return ImageClassifierOutput(
            loss=loss,
            logits=logits,
            hidden_states=(*found.hidden_states, *states) if wants_states else None,
            attentions=(*found.attentions, *attentions) if wants_attentions else None,
        )


def _particles_of(event_offset: Tensor | None) -> Tensor:
    if event_offset is None:
        raise ContextError(
            "event_offset: expected where the particles of each event end, got none: use the processor that "
            "is saved with the model"
        )
    return counts_of(event_offset)
