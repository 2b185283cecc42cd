"""`nu_perceiver` while it is pre-trained: it reconstructs what was hidden, and tells what made hits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import initialization as init
from transformers.utils import ModelOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.modeling.arguments import ArgumentError, refuse_arguments
from nuzoo.modeling.bounded_kendall import BoundedKendall, WeightBounds
from nuzoo.modeling.hit_relation_losses import ghost_loss, share_loss, supervised_hits
from nuzoo.modeling.masked_patches import uniform_draws, visible_patches
from nuzoo.modeling.modeling_nu_perceiver import (
    EncodedEvents,
    NuPerceiverModel,
    NuPerceiverPreTrainedModel,
    PartPatches,
)
from nuzoo.modeling.perceiver_decoder import PerceiverDecoder, asked_patches
from nuzoo.modeling.sparse.patches import raveled
from nuzoo.modeling.sparse.ragged import counts_of, events_of, mean_by
from nuzoo.modeling.standardised_energy import energy_of
from nuzoo.modeling.voxel_head import FieldLinear, FieldNorm, SeparableBasis, VoxelHead, waves_of
from nuzoo.modeling.voxel_losses import voxel_losses, voxel_truth

CLASSES = 3
"""Of hierarchy as of category of what made a hit."""

MUON_MEANS = 4
"""Features of tracks that are averaged: charge and momentum."""

REACHES = {"cal": 5, "ahcal": 3}
"""Voxels within which a reconstructed hit is near."""

BASIS_WEIGHTS = {"cal": 1e-4, "ahcal": 3e-5}
"""Of the penalty of each basis."""

MUON_SMOOTHING = 2.5
"""In units of that of voxels."""

MUON_ROWS = 0.5
"""Part of the hidden muons that count in training."""

IS_GHOST = 0.5
"""Truth from which on a hit is one."""

PLACES = 1 << 20
"""More than a window has patches."""

WEIGHTS = {
    "occupancy": WeightBounds(1.0, 5.0),
    "energy": WeightBounds(1.0, 5.0),
    "ahcal_occupancy": WeightBounds(1.0, 5.0),
    "ahcal_energy": WeightBounds(1.0, 5.0),
    "ecal": WeightBounds(0.05, 1.0),
    "muon": WeightBounds(0.02, 0.05),
    "ghost": WeightBounds(1.0, 5.0),
    "hierarchy": WeightBounds(0.05, 1.0),
    "category": WeightBounds(0.05, 0.8),
}
"""Of each loss the weight that learning starts from, and the largest one."""


@dataclass
class NuPerceiverForPreTrainingOutput(ModelOutput):
    """What `NuPerceiverForPreTraining` gives; losses if asked for, those of hits where these are told.

    Attributes:
        loss: the sum of the others, weighted, and of penalties.
        occupancy_loss: of hidden voxels of the 3DCal.
        energy_loss: of these.
        ahcal_occupancy_loss: of hidden voxels of the AHCAL.
        ahcal_energy_loss: of these.
        ecal_loss: of hidden ECALs.
        muon_loss: of hidden muons.
        ghost_loss: of hits of the 3DCal that are seen.
        hierarchy_loss: of these.
        category_loss: of these.
        embeddings: (events, hidden_size), the mean of an event's latents, of what is seen.
        occupancy_logits: (hidden patches, voxels) of the 3DCal.
        energies: (hidden patches, voxels), standardised.
        ahcal_occupancy_logits: (hidden patches, voxels) of the AHCAL.
        ahcal_energies: (hidden patches, voxels), standardised.
        ecal: (events, towers), standardised.
        muons: (events, 5), the logit of having tracks, and means of their charge and momentum.
        is_hidden: (hits,) of the 3DCal, 1 of those whose patch is, or is not asked about; 0 of others.
        ghost_logits: (hits,) of the 3DCal, 0 where hidden.
        hierarchy_logits: (hits, 3), 0 where hidden.
        category_logits: (hits, 3), 0 where hidden.
        weights: (losses,), in the order of `WEIGHTS`.
        hidden_states: of the encoder, see `NuPerceiverModelOutput`.
        attentions: of the encoder.
    """

    loss: Tensor | None = None
    occupancy_loss: Tensor | None = None
    energy_loss: Tensor | None = None
    ahcal_occupancy_loss: Tensor | None = None
    ahcal_energy_loss: Tensor | None = None
    ecal_loss: Tensor | None = None
    muon_loss: Tensor | None = None
    ghost_loss: Tensor | None = None
    hierarchy_loss: Tensor | None = None
    category_loss: Tensor | None = None
    embeddings: Tensor | None = None
    occupancy_logits: Tensor | None = None
    energies: Tensor | None = None
    ahcal_occupancy_logits: Tensor | None = None
    ahcal_energies: Tensor | None = None
    ecal: Tensor | None = None
    muons: Tensor | None = None
    is_hidden: Tensor | None = None
    ghost_logits: Tensor | None = None
    hierarchy_logits: Tensor | None = None
    category_logits: Tensor | None = None
    weights: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


@dataclass(frozen=True)
class SeenEvents:
    """What latents read of events, and the latents.

    Attributes:
        cal: the patches of the 3DCal that are seen.
        hidden_cal: the others.
        hidden_ahcal: those of the AHCAL that are hidden.
        ecal: bool (events,), whether the ECAL is hidden.
        muons: bool (events,), whether the muons are.
        encoded: the latents.
    """

    cal: PartPatches
    hidden_cal: PartPatches
    hidden_ahcal: PartPatches
    ecal: Tensor
    muons: Tensor
    encoded: EncodedEvents


class NuPerceiverForPreTraining(NuPerceiverPreTrainedModel):
    """The encoder with a decoder that reconstructs what was hidden (arXiv 2604.07037).

    In a second pass, which hides less, it is asked of every hit that is seen whether it is a ghost, and the
    shares of particles that made it. Other networks load what the encoder has learnt.
    """

    heads = (
        "decoder",
        "cal_head",
        "ahcal_head",
        "cal_fields",
        "ahcal_fields",
        "ecal_head",
        "muon_head",
        "loss_weights",
    )

    def __init__(self, config: NuPerceiverConfig):
        super().__init__(config)
        self.nu_perceiver = NuPerceiverModel(config)
        cal, ahcal = self.nu_perceiver.cal_encoder.grid, self.nu_perceiver.ahcal_encoder.grid
        channels = config.decoder_hidden_size
        self.decoder = PerceiverDecoder(config, cal, ahcal)
        self.cal_head = self._voxel_head(cal.patch, config.voxel_fields[0])
        self.ahcal_head = self._voxel_head(ahcal.patch, config.voxel_fields[1])
        of_cal = {"occupancy": 1, "energy": 1, "ghost": 1, "hierarchy": CLASSES, "category": CLASSES}
        self.cal_fields = nn.ModuleDict(
            {name: FieldLinear(config.voxel_fields[0], size) for name, size in of_cal.items()}
        )
        self.ahcal_fields = nn.ModuleDict(
            {name: FieldLinear(config.voxel_fields[1], 1) for name in ("occupancy", "energy")}
        )
        self.ecal_head = nn.Linear(channels, prod(config.ecal_shape))
        self.muon_head = nn.Linear(channels, 1 + MUON_MEANS)
        self.loss_weights = BoundedKendall(WEIGHTS)
        self.post_init()

    def _voxel_head(self, patch: Sequence[int], fields: int) -> VoxelHead:
        config = self.config
        basis = SeparableBasis(patch, waves_of(patch, config.wave_shares), config.wave_ranks)
        return VoxelHead(config.decoder_hidden_size, fields, basis, config.layer_norm_eps)

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, SeparableBasis):
            for axis, waves in enumerate(module.axes):
                init.copy_(waves, module.initial(axis))
        elif isinstance(module, FieldNorm):
            init.ones_(module.weight)
            init.zeros_(module.bias)
        elif isinstance(module, PerceiverDecoder):
            for name, places in module.initial_positions().items():
                init.copy_(getattr(module, name), places)
            for token in (module.cal_token, module.ahcal_token, module.part_token):
                init.normal_(token, std=self.config.initializer_range)

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
        cal_ghost: Tensor | None = None,
        cal_hierarchy: Tensor | None = None,
        cal_category: Tensor | None = None,
        return_loss: bool = False,
        with_relations: bool | None = None,
        with_muons: bool = True,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> NuPerceiverForPreTrainingOutput:
        """Hide a part of a batch of events, and reconstruct it; tell what made the hits that are seen.

        In training what is hidden is drawn at random; in evaluation it is always the same of an event.

        Args:
            cal_coordinates: see `NuPerceiverModel.forward`.
            cal_energy: see `NuPerceiverModel.forward`.
            cal_offset: see `NuPerceiverModel.forward`.
            ahcal_coordinates: see `NuPerceiverModel.forward`.
            ahcal_energy: see `NuPerceiverModel.forward`.
            ahcal_offset: see `NuPerceiverModel.forward`.
            ecal_energy: see `NuPerceiverModel.forward`.
            muon_tracks: see `NuPerceiverModel.forward`.
            muon_offset: see `NuPerceiverModel.forward`.
            muon_count: see `NuPerceiverModel.forward`.
            cal_ghost: (hits,), 1 of ghosts, from the processor.
            cal_hierarchy: (hits, 3), shares of what made a hit; 0 where that is not known.
            cal_category: (hits, 3), the same.
            return_loss: also say how far all is from the truth.
            with_relations: also ask what made hits; by default if that has a probability at all.
            with_muons: hidden muons count in the loss.
            output_hidden_states: also return the rows after each block.
            output_attentions: also return the attention weights; they need the "eager" attention.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `loss` and its parts, scalars; `embeddings` (events, hidden_size); `occupancy_logits`, `energies`,
            `ahcal_occupancy_logits` and `ahcal_energies` (hidden patches, voxels); `ecal` (events, towers);
            `muons` (events, 5); `is_hidden`, `ghost_logits` (hits,), `hierarchy_logits` and
            `category_logits` (hits, 3); `weights` of losses; `hidden_states`, `attentions`.

        Raises:
            ArgumentError: a loss needs truth that is not given.
            PatchError: hits are beyond the detector.
        """
        refuse_arguments(self, kwargs)
        body, config = self.nu_perceiver, self.config
        wants_states = body._wanted("hidden_states", output_hidden_states)
        wants_attentions = body._wanted("attentions", output_attentions)
        if with_relations is None:
            with_relations = config.relation_probability > 0
        truth = {"ghost": cal_ghost, "hierarchy": cal_hierarchy, "category": cal_category}
        if return_loss:
            self._refuse_missing(truth, with_relations)
        given = GivenEvents(
            cal=body.find_patches(body.cal_encoder, cal_coordinates, cal_energy, cal_offset),
            ahcal=body.find_patches(body.ahcal_encoder, ahcal_coordinates, ahcal_energy, ahcal_offset),
            ecal=ecal_energy,
            muons=(muon_tracks, muon_offset, muon_count),
            hits=counts_of(cal_offset),
        )
        seen = self._hide(given, config.mask_ratio)
        told = self._reconstruct(seen)
        losses: dict[str, Tensor] = {}
        if return_loss:
            losses |= self._voxel_losses(told, seen.hidden_cal, cal_energy, cal_ghost, "cal")
            losses |= self._voxel_losses(told, seen.hidden_ahcal, ahcal_energy, None, "ahcal")
            losses["ecal"] = mean_over(_off(told["ecal"], ecal_energy).mean(1), seen.ecal)
        if return_loss and with_muons:
            losses["muon"] = self._muon_loss(told["muons"], given, seen.muons)
        if with_relations:
            again = self._hide(given, config.relation_mask_ratio)
            asked = again.cal.seen(self._decoded(torch.ones_like(again.cal.patches.window, dtype=torch.bool)))
            told |= self._tell_hits(asked, again.encoded, len(cal_energy))
            if return_loss:
                losses |= self._relation_losses(told, asked, truth)
        return NuPerceiverForPreTrainingOutput(
            **(self._total(losses) if return_loss else {}),
            **told,
            embeddings=seen.encoded.pooled,
            weights=torch.stack(list(self.loss_weights.weights.values())).to(self.dtype),
            hidden_states=seen.encoded.hidden_states if wants_states else None,
            attentions=seen.encoded.attentions if wants_attentions else None,
        )

    def _refuse_missing(self, truth: Mapping[str, Tensor | None], with_relations: bool) -> None:
        config = self.config
        needed = {"ghost"} if config.ghosts_are_empty else set()
        needed |= truth.keys() if with_relations else set()
        if missing := sorted(f"cal_{name}" for name in needed if truth[name] is None):
            raise ArgumentError(
                f"expected the truth {', '.join(missing)} for the loss: ask the processor for VOXEL_TRUTH, "
                "or set relation_probability=0 and ghosts_are_empty=False"
            )
        if config.input_statistics is None:
            raise ArgumentError(
                "expected config.input_statistics for the loss of energies, got None: make the configuration "
                "with the network_fields of a processor that was fitted"
            )

    def _hide(self, given: "GivenEvents", ratio: float) -> "SeenEvents":
        """Hide patches, and the ECAL and muons with half the probability, and encode the rest."""
        parts = [given.cal, given.ahcal]
        windows = (self.config.modules, 1)
        seen = [
            visible_patches(
                part.patches.window,
                part.patches.window % number * PLACES + part.patches.local,
                ratio,
                self.training,
            )
            for part, number in zip(parts, windows, strict=True)
        ]
        draws = [uniform_draws(given.hits * 2 + number, self.training) for number in range(2)]
        ecal, muons = (draw <= ratio / 2 for draw in draws)
        seen_cal, seen_ahcal = (part.seen(which) for part, which in zip(parts, seen, strict=True))
        unseen_cal, unseen_ahcal = (
            part.seen(self._decoded(~which)) for part, which in zip(parts, seen, strict=True)
        )
        encoded = self.nu_perceiver.encode(
            seen_cal, seen_ahcal, given.ecal, given.muons, is_seen=(~ecal, ~muons)
        )
        return SeenEvents(seen_cal, unseen_cal, unseen_ahcal, ecal, muons, encoded)

    def _decoded(self, patches: Tensor) -> Tensor:
        """Choose those of some patches, bool (patches,), that the decoder is asked about."""
        if not self.training or self.config.decoded_share == 1:
            return patches
        return patches & (torch.rand(len(patches), device=patches.device) < self.config.decoded_share)

    def _reconstruct(self, seen: "SeenEvents") -> dict[str, Tensor]:
        """Tell hidden voxels, the ECAL and the muons of all events."""
        encoded, modules = seen.encoded, self.config.modules
        cal, ahcal = seen.hidden_cal.patches, seen.hidden_ahcal.patches
        of_cal, of_ahcal, of_parts = self.decoder(
            encoded.latents,
            encoded.counts,
            asked_patches(cal.window, cal.local, modules),
            asked_patches(ahcal.window, ahcal.local, 1),
        )
        voxels, cells = self.cal_head(of_cal), self.ahcal_head(of_ahcal)
        return {
            "occupancy_logits": self.cal_fields["occupancy"](voxels)[:, 0],
            "energies": self.cal_fields["energy"](voxels)[:, 0],
            "ahcal_occupancy_logits": self.ahcal_fields["occupancy"](cells)[:, 0],
            "ahcal_energies": self.ahcal_fields["energy"](cells)[:, 0],
            "ecal": self.ecal_head(of_parts[0]),
            "muons": self.muon_head(of_parts[1]),
        }

    def _voxel_losses(
        self, told: Mapping[str, Tensor], hidden: PartPatches, energy: Tensor, ghost: Tensor | None, part: str
    ) -> dict[str, Tensor]:
        """Compare hidden voxels of a part with the hits that count; ghosts may be no such."""
        config, prefix = self.config, "" if part == "cal" else f"{part}_"
        patches, standardised = hidden.patches, hidden.values[:, 0]
        if ghost is not None and config.ghosts_are_empty:
            counts = ghost[hidden.rows] < IS_GHOST
        else:
            counts = torch.ones_like(hidden.rows, dtype=torch.bool)
        constants = (config.input_statistics or {})[f"{part}_energy"]
        standardised = standardised[counts].float()
        raw = energy_of(standardised, config.energy_transform, constants)
        truth = voxel_truth(
            patches.place[counts],
            patches.patch[counts],
            len(patches.window),
            getattr(config, f"{part}_patch"),
            (standardised, raw, energy.min().float() if len(energy) else energy.new_zeros(())),
            REACHES[part],
        )
        logits, energies = told[f"{prefix}occupancy_logits"], told[f"{prefix}energies"]
        losses = voxel_losses(logits, energies, truth, config.label_smoothing, self.training)
        return dict(zip((f"{prefix}occupancy", f"{prefix}energy"), losses, strict=True))

    def _muon_loss(self, told: Tensor, given: "GivenEvents", hidden: Tensor) -> Tensor:
        """Compare what is told of hidden muons: whether there are tracks, and their means."""
        tracks, offset, _ = given.muons
        event = events_of(offset)
        means = mean_by(tracks[:, :MUON_MEANS].float(), event, len(offset))
        has = (counts_of(offset) > 0).float()
        counts = hidden
        if self.training:
            counts = hidden & (torch.rand(len(hidden), device=hidden.device) < MUON_ROWS)
        smoothing = MUON_SMOOTHING * self.config.label_smoothing
        target = has * (1 - smoothing) + smoothing / 2
        told = told.float()
        of_has = F.binary_cross_entropy_with_logits(told[:, 0], target, reduction="none")
        return mean_over(of_has, counts) + mean_over(_off(told[:, 1:], means).mean(1), counts & (has > 0))

    def _tell_hits(self, seen: PartPatches, encoded: EncodedEvents, hits: int) -> dict[str, Tensor]:
        """Tell what made the hits of patches that are seen; 0 of the others."""
        patches = seen.patches
        asked = asked_patches(patches.window, patches.local, self.config.modules)
        voxels = self.cal_head(self.decoder(encoded.latents, encoded.counts, asked, None)[0])
        fields = voxels[patches.patch, :, raveled(patches.place, self.config.cal_patch), None]
        told = {name: self.cal_fields[name](fields)[..., 0] for name in ("ghost", "hierarchy", "category")}
        is_hidden = fields.new_ones(hits).index_fill(0, seen.rows, 0)
        return {"is_hidden": is_hidden} | {
            f"{name}_logits": of.new_zeros(hits, of.shape[1]).index_copy(0, seen.rows, of).squeeze(-1)
            for name, of in told.items()
        }

    def _relation_losses(
        self, told: Mapping[str, Tensor], seen: PartPatches, truth: Mapping[str, Tensor | None]
    ) -> dict[str, Tensor]:
        rows, smoothing = seen.rows, self.config.label_smoothing
        known = {name: of[rows] for name, of in truth.items() if of is not None}
        ghost = known.pop("ghost")
        losses = {"ghost": ghost_loss(told["ghost_logits"][rows], ghost, smoothing)}
        for name, shares in known.items():
            able = (ghost < IS_GHOST) & (shares.sum(dim=1) > 0)
            chosen = supervised_hits(able, seen.patches.patch, self.training)
            losses[name] = share_loss(told[f"{name}_logits"][rows][chosen], shares[chosen], smoothing)
        return losses

    def _total(self, losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Weigh the losses, and add the penalties of the bases."""
        penalties = [
            BASIS_WEIGHTS[part] * head.basis.penalty()
            for part, head in (("cal", self.cal_head), ("ahcal", self.ahcal_head))
        ]
        total = self.loss_weights(losses) + sum(penalties)
        return {"loss": total} | {f"{name}_loss": loss for name, loss in losses.items()}


@dataclass(frozen=True)
class GivenEvents:
    """What is known of events.

    Attributes:
        cal: patches of the 3DCal.
        ahcal: patches of the AHCAL.
        ecal: (events, towers).
        muons: tracks, their offset and count.
        hits: int64 (events,), of the 3DCal.
    """

    cal: PartPatches
    ahcal: PartPatches
    ecal: Tensor
    muons: tuple[Tensor, Tensor, Tensor]
    hits: Tensor


def mean_over(losses: Tensor, counts: Tensor) -> Tensor:
    """Average losses (events,) over those that count, bool (events,); 0 of none."""
    return (losses * counts).sum() / counts.sum().clamp(min=1)


def _off(told: Tensor, true: Tensor) -> Tensor:
    return F.smooth_l1_loss(told.float(), true.float(), reduction="none")
