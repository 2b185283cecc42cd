"""`nu_perceiver`: a Perceiver-IO encoder of what the parts of a detector recorded, as hits and tracks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn
from transformers.utils import ModelOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.modeling.arguments import refuse_arguments
from nuzoo.modeling.perceiver_blocks import CrossBlock, Reading, SelfBlock, read_by_turns
from nuzoo.modeling.perceiver_weights import PerceiverPreTrainedModel
from nuzoo.modeling.sparse.patches import Patches, PatchGrid, occupied_patches
from nuzoo.modeling.sparse.ragged import counts_of, events_of, mean_by, sorted_rows
from nuzoo.modeling.window_encoder import WindowEncoder, WindowTokens, with_empty_windows

AHCAL, ECAL, MUON = range(3)
"""Rows of the embeddings of where a token comes from; those of the 3DCal have that of their module."""

MUON_INPUTS = ("count", "track", "state")
"""Parts of the encoder of muon tracks that see what was measured."""


@dataclass
class NuPerceiverModelOutput(ModelOutput):
    """What `NuPerceiverModel` gives.

    Attributes:
        last_hidden_state: (events, latents, hidden_size): the class tokens of module after module, then those
            of the AHCAL; 0 where an event does not have one.
        pooler_output: (events, hidden_size), the mean of an event's latents.
        hidden_states: after each block its rows, if asked for: of modules, of the AHCAL, and of latents.
        attentions: of each block, if asked for.
    """

    last_hidden_state: Tensor | None = None
    pooler_output: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class NuPerceiverPreTrainedModel(PerceiverPreTrainedModel):
    """Initialisation and loading of every `nu_perceiver` network."""

    config: NuPerceiverConfig
    base_model_prefix = "nu_perceiver"
    main_input_name = "cal_coordinates"
    input_modalities = "detector-event"
    without_decay = ("module_embedding", "source_embedding")

    @property
    def decay_steps(self) -> dict[str, int]:
        """How often a decay of learning rates by layers is taken for each part of the encoder, by its name.

        The axis is that of arXiv 2604.07037: what makes tokens; the blocks of modules and of the AHCAL side
        by side, with their norms and the block of muon tracks; what is added to tokens; the blocks of
        latents; heads.
        """
        config = self.config
        apart, reads = max(config.num_module_layers, config.num_ahcal_layers), config.num_latent_layers
        encoders = {"cal_encoder": config.num_module_layers, "ahcal_encoder": config.num_ahcal_layers}
        depths = dict.fromkeys(("ecal", "source_embedding", *(f"muon_encoder.{of}" for of in MUON_INPUTS)), 0)
        for encoder, blocks in encoders.items():
            depths |= {f"{encoder}.stem": 0, f"{encoder}.class_token": 0, f"{encoder}.norm": apart}
            depths |= {f"{encoder}.blocks.{i}": round((i + 1) / blocks * apart) for i in range(blocks)}
        depths |= {"muon_encoder.block": apart, "module_embedding": apart + 1, "token_norm": apart + 1}
        for number in range(reads):
            depths[f"latent_reads.{number}"] = apart + 2 + 2 * number
            depths[f"latent_blocks.{number}"] = apart + 3 + 2 * number
        prefix = "" if self.base_model is self else f"{self.base_model_prefix}."
        heads = apart + 2 + 2 * reads
        return {f"{prefix}{name}": heads - depth for name, depth in depths.items()}


class MuonEncoder(nn.Module):
    """Makes a token of the muon tracks of an event: their number reads the tracks.

    Args:
        config: the network's configuration.
        drop_path: see `CrossBlock`.
    """

    def __init__(self, config: NuPerceiverConfig, drop_path: float):
        super().__init__()
        channels = config.hidden_size
        self.count = nn.Linear(1, channels)
        self.track = nn.Linear(config.muon_features, channels)
        self.block = CrossBlock(config, channels, config.num_attention_heads, drop_path)
        self.state = nn.Embedding(2, channels)

    def forward(self, tracks: Tensor, offset: Tensor, count: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Give tokens (events, channels), and weights.

        Args:
            tracks: (tracks, features).
            offset: int64 (events,), where those of each event end.
            count: (events, 1), how many were found.
        """
        stored = counts_of(offset)
        query, has_tracks = self.count(count), stored > 0
        read, weights = self.block(query, self.track(tracks), Reading(torch.ones_like(stored), stored))
        tokens = torch.where(has_tracks[:, None], read, query)
        return tokens + self.state(has_tracks.long()), weights


@dataclass(frozen=True)
class PartPatches:
    """The patches with hits of a part of the detector.

    Attributes:
        patches: those of all events.
        values: (hits, 1), what hits of them are.
        windows: int64 (windows,), those with hits.
        occupied: int64 (windows,), patches with hits of each.
        rows: int64 (hits,), which of the hits of all events they are.
    """

    patches: Patches
    values: Tensor
    windows: Tensor
    occupied: Tensor
    rows: Tensor

    def seen(self, which: Tensor) -> "PartPatches":
        """Give some of the patches, by bool (patches,); windows have as many class tokens as before."""
        hits = which[self.patches.patch]
        patches, values = self.patches.chosen(which), self.values[hits]
        return replace(self, patches=patches, values=values, rows=self.rows[hits])


class NuPerceiverModel(NuPerceiverPreTrainedModel):
    """The encoder: latents of an event."""

    heads: ClassVar[tuple[str, ...]] = (
        "decoder",
        "cal_head",
        "ahcal_head",
        "cal_fields",
        "ahcal_fields",
        "ecal_head",
        "muon_head",
        "flavour_head",
        "charm_head",
        "vertex_head",
        "vis_head",
        "jet_head",
        "loss_weights",
    )

    def __init__(self, config: NuPerceiverConfig):
        super().__init__(config)
        channels, heads = config.hidden_size, config.num_attention_heads
        paths = config.drop_paths
        cal = PatchGrid(config.cal_shape, config.module_shape, config.cal_patch)
        ahcal = PatchGrid(config.ahcal_shape, config.ahcal_shape, config.ahcal_patch)
        self.cal_encoder = WindowEncoder(config, cal, paths.cal)
        self.ahcal_encoder = WindowEncoder(config, ahcal, paths.ahcal)
        self.module_embedding = nn.Embedding(config.modules, channels)
        self.source_embedding = nn.Embedding(3, channels)
        self.ecal = nn.Linear(config.ecal_shape[0] * config.ecal_shape[1], channels)
        self.muon_encoder = MuonEncoder(config, paths.muon)
        self.token_norm = nn.LayerNorm(channels, config.layer_norm_eps)
        self.latent_reads = nn.ModuleList(CrossBlock(config, channels, heads, one) for one in paths.reads)
        self.latent_blocks = nn.ModuleList(SelfBlock(config, channels, heads, one) for one in paths.latents)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        cal_coordinates: Tensor,
        cal_energy: Tensor,
        cal_offset: Tensor,
        ahcal_coordinates: Tensor,
        ahcal_energy: Tensor,
        ahcal_offset: Tensor,
        ecal_energy: Tensor,
        muon_tracks: Tensor,
        muon_offset: Tensor,
        muon_count: Tensor,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> NuPerceiverModelOutput:
        """Compute the latents of a batch of events.

        Args:
            cal_coordinates: int64 (hits, 3), from the processor, the hits of the 3DCal of event after event.
            cal_energy: (hits, 1).
            cal_offset: int64 (events,), where the hits of each event end.
            ahcal_coordinates: of the AHCAL the same, (hits, 3).
            ahcal_energy: (hits, 1).
            ahcal_offset: int64 (events,).
            ecal_energy: (events, towers).
            muon_tracks: (tracks, muon_features).
            muon_offset: int64 (events,), where the tracks of each event end.
            muon_count: (events, 1), tracks that were found.
            output_hidden_states: also return the rows after each block.
            output_attentions: also return the attention weights; they need the "eager" attention.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `last_hidden_state` (events, latents, hidden_size), 0 where an event does not have a latent;
            `pooler_output` (events, hidden_size), the mean of those that it has; `hidden_states`,
            `attentions`.

        Raises:
            PatchError: hits are beyond the detector.
            ValueError: attention weights are asked for without the "eager" attention.
        """
        refuse_arguments(self, kwargs)
        wants_states = self._wanted("hidden_states", output_hidden_states)
        wants_attentions = self._wanted("attentions", output_attentions)
        cal = self.find_patches(self.cal_encoder, cal_coordinates, cal_energy, cal_offset)
        ahcal = self.find_patches(self.ahcal_encoder, ahcal_coordinates, ahcal_energy, ahcal_offset)
        muons = (muon_tracks, muon_offset, muon_count)
        return self.encode(cal, ahcal, ecal_energy, muons).of(wants_states, wants_attentions)

    def find_patches(
        self, encoder: WindowEncoder, coordinates: Tensor, energy: Tensor, offset: Tensor
    ) -> PartPatches:
        """Find the patches with hits of a part, of which events with few hits have none.

        Args:
            encoder: of the part.
            coordinates: see `forward`.
            energy: see `forward`.
            offset: see `forward`.
        """
        event = events_of(offset)
        enough = (counts_of(offset) >= self.config.least_hits)[event]
        patches = occupied_patches(coordinates[enough], event[enough], encoder.grid)
        windows, occupied = torch.unique_consecutive(patches.window, return_counts=True)
        rows = torch.nonzero(enough)[:, 0]
        return PartPatches(patches, energy[enough].to(self.dtype), windows, occupied, rows)

    def encode(
        self,
        cal: PartPatches,
        ahcal: PartPatches,
        ecal_energy: Tensor,
        muons: Sequence[Tensor],
        is_seen: Sequence[Tensor] | None = None,
    ) -> "EncodedEvents":
        """Compute latents of patches.

        Args:
            cal: of the 3DCal.
            ahcal: of the AHCAL.
            ecal_energy: see `forward`.
            muons: tracks, their offset and count; see `forward`.
            is_seen: bool (events,), whose ECAL, and whose muons, latents read; None has those of all.
        """
        events, dtype = len(ecal_energy), self.dtype
        source = self.source_embedding.weight
        every = torch.arange(events, device=ecal_energy.device)
        ecal_seen, muons_seen = (every, every) if is_seen is None else (every[seen] for seen in is_seen)
        of_cal = self._encode_cal(cal, ahcal, events)
        of_ahcal = self._encode_windows(self.ahcal_encoder, ahcal, source[AHCAL])
        tracks, offset, count = muons
        of_muons, muon_weights = self.muon_encoder(tracks.to(dtype), offset, count.to(dtype))
        of_ecal = self.ecal(ecal_energy.to(dtype))
        modules, most = self.config.modules, self.config.latents
        tokens, event = sorted_rows(
            [
                (of_cal.tokens + self.module_embedding(of_cal.window % modules), of_cal.window // modules),
                (of_ahcal.tokens, of_ahcal.window),
                (of_ecal[ecal_seen] + source[ECAL], ecal_seen),
                (of_muons[muons_seen] + source[MUON], muons_seen),
            ]
        )
        token_counts = torch.bincount(event, minlength=events)
        tokens = self.token_norm(tokens)
        class_module, class_event = of_cal.class_window % modules, of_cal.class_window // modules
        latents, place = sorted_rows(
            [
                (
                    of_cal.classes + self.module_embedding(class_module),
                    class_event * most + class_module * self.config.class_tokens + of_cal.class_number,
                ),
                (
                    of_ahcal.classes + source[AHCAL],
                    of_ahcal.class_window * most + modules * self.config.class_tokens + of_ahcal.class_number,
                ),
            ]
        )
        latent_counts = torch.bincount(place // most, minlength=events)
        states = [*of_cal.hidden_states, *of_ahcal.hidden_states]
        attentions = [*of_cal.attentions, *of_ahcal.attentions, *muon_weights]
        read = read_by_turns(
            self.latent_reads, self.latent_blocks, latents, latent_counts, tokens, token_counts
        )
        states += read.hidden_states
        attentions += read.attentions
        return EncodedEvents(read.latents, latent_counts, place, most, tuple(states), tuple(attentions))

    def _encode_cal(self, cal: PartPatches, ahcal: PartPatches, events: int) -> WindowTokens:
        """Encode modules; an event without any patch has the first, empty, for the sake of a latent."""
        has_latent = torch.zeros(events, dtype=torch.bool, device=cal.windows.device)
        has_latent[cal.windows // self.config.modules] = True
        has_latent[ahcal.windows] = True
        missing = torch.nonzero(~has_latent)[:, 0] * self.config.modules
        windows, occupied = with_empty_windows(cal.windows, cal.occupied, missing)
        return self._encode_windows(self.cal_encoder, replace(cal, windows=windows, occupied=occupied), None)

    def _encode_windows(
        self, encoder: WindowEncoder, part: PartPatches, added: Tensor | None
    ) -> WindowTokens:
        tokens = encoder.stem(part.values, part.patches) + encoder.positions[part.patches.local]
        if added is not None:
            tokens = tokens + added
        return encoder(tokens, part.patches.window, part.windows, part.occupied)


@dataclass(frozen=True)
class EncodedEvents:
    """Latents of events.

    Attributes:
        latents: (latents, channels), those of event after event.
        counts: int64 (events,), latents of each.
        place: int64 (latents,), which of the latents that all events may have each is.
        most: latents that an event may have.
        hidden_states: after each block its rows.
        attentions: of each block, if the attention is "eager".
    """

    latents: Tensor
    counts: Tensor
    place: Tensor
    most: int
    hidden_states: tuple[Tensor, ...]
    attentions: tuple[Tensor, ...]

    @property
    def in_places(self) -> Tensor:
        """All latents that events may have, (events, most, channels), 0 where there is none."""
        filled = self.latents.new_zeros(len(self.counts) * self.most, self.latents.shape[1])
        return filled.index_copy(0, self.place, self.latents).unflatten(0, (-1, self.most))

    @property
    def pooled(self) -> Tensor:
        """The mean of each event's latents, (events, channels)."""
        return mean_by(self.latents, torch.repeat_interleave(self.counts), len(self.counts))

    def of(self, wants_states: bool, wants_attentions: bool) -> NuPerceiverModelOutput:
        """Give it as the output of the network."""
        return NuPerceiverModelOutput(
            last_hidden_state=self.in_places,
            pooler_output=self.pooled,
            hidden_states=self.hidden_states if wants_states else None,
            attentions=self.attentions if wants_attentions else None,
        )
