"""`nu_perceiver` that reconstructs events: flavour, charm, momenta and vertex, each by a head of its own."""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import initialization as init
from transformers.utils import ModelOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_perceiver import NuPerceiverConfig
from nuzoo.modeling.arguments import refuse_arguments
from nuzoo.modeling.bounded_kendall import BoundedKendall
from nuzoo.modeling.evidence import class_logits, classification_loss
from nuzoo.modeling.modeling_nu_perceiver import NuPerceiverModel, NuPerceiverPreTrainedModel
from nuzoo.modeling.momentum_parametrisation import RAW, MomentumScale, ToldMomentum
from nuzoo.modeling.reconstruction_losses import (
    WEIGHTS,
    LeptonScale,
    lepton_loss,
    momentum_loss,
    vertex_loss,
)

AXES = 3
MOMENTA = ("vis", "jet")


class MissingConstantsError(ValueError):
    """A configuration without the constants of its targets."""


@dataclass
class NuPerceiverForEventReconstructionOutput(ModelOutput):
    """What is told of events.

    Attributes:
        loss: where labels were given, all parts with their learnt weights.
        flavour_loss: part of it, a mean over events, as are the next ones.
        charm_loss: part of it.
        vis_loss: part of it.
        jet_loss: part of it.
        lepton_loss: part of it.
        vertex_loss: part of it.
        flavour_logits: (events, flavours); evidence where the configuration says so, as are the next.
        charm_logits: (events, classes of charm).
        vis_momentum: (events, 3), of all that is visible, GeV/c.
        jet_momentum: (events, 3), of what is visible but the lepton, GeV/c.
        vertex: (events, 3), mm.
        hidden_states: see `NuPerceiverModel.forward`.
        attentions: see `NuPerceiverModel.forward`.
    """

    loss: Tensor | None = None
    flavour_loss: Tensor | None = None
    charm_loss: Tensor | None = None
    vis_loss: Tensor | None = None
    jet_loss: Tensor | None = None
    lepton_loss: Tensor | None = None
    vertex_loss: Tensor | None = None
    flavour_logits: Tensor | None = None
    charm_logits: Tensor | None = None
    vis_momentum: Tensor | None = None
    jet_momentum: Tensor | None = None
    vertex: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class LastLinear(nn.Linear):
    """The linear map of a head, which starts near 0."""


class EventHead(nn.Sequential):
    """Tells a quantity of the mean of an event's latents.

    Args:
        config: the network's configuration.
        numbers: that it gives.
    """

    def __init__(self, config: NuPerceiverConfig, numbers: int):
        super().__init__(
            nn.LayerNorm(config.hidden_size, config.layer_norm_eps),
            nn.Dropout(config.head_dropout),
            LastLinear(config.hidden_size, numbers),
        )


@dataclass(frozen=True)
class Told:
    """What the heads say, in float32 at least.

    Attributes:
        flavour: (events, flavours) logits, see `nuzoo.modeling.evidence.class_logits`.
        charm: (events, classes) logits.
        vertex: (events, 3), standardised.
        momenta: by name in `MOMENTA`.
    """

    flavour: Tensor
    charm: Tensor
    vertex: Tensor
    momenta: dict[str, ToldMomentum]


class NuPerceiverForEventReconstruction(NuPerceiverPreTrainedModel):
    """The encoder with five heads, and the learnt weights of six losses (arXiv 2604.07037).

    The momentum of the lepton has no head: it is what is visible without the jet.
    """

    heads = ("flavour_head", "charm_head", "vertex_head", "vis_head", "jet_head", "loss_weights")
    evidence: ClassVar[tuple[str, ...]] = ("flavour_logits", "charm_logits")

    def __init__(self, config: NuPerceiverConfig):
        super().__init__(config)
        self.nu_perceiver = NuPerceiverModel(config)
        self.flavour_head = EventHead(config, len(config.id2label or {}))
        self.charm_head = EventHead(config, len(config.charm_classes))
        self.vertex_head = EventHead(config, AXES)
        self.vis_head = EventHead(config, RAW)
        self.jet_head = EventHead(config, RAW)
        self.loss_weights = BoundedKendall(WEIGHTS)
        self.post_init()

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, LastLinear):
            init.trunc_normal_(module.weight, std=self.config.head_initializer_range)

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
        flavour_labels: Tensor | None = None,
        charm_labels: Tensor | None = None,
        vis_momentum_labels: Tensor | None = None,
        jet_momentum_labels: Tensor | None = None,
        vertex_labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> NuPerceiverForEventReconstructionOutput:
        """Reconstruct a batch of events.

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
            flavour_labels: int64 (events,).
            charm_labels: int64 (events,).
            vis_momentum_labels: (events, 3), GeV/c.
            jet_momentum_labels: (events, 3), GeV/c.
            vertex_labels: (events, 3), mm.
            output_hidden_states: see `NuPerceiverModel.forward`.
            output_attentions: see `NuPerceiverModel.forward`.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            Where labels are given `loss`, the sum of `flavour_loss`, `charm_loss`, `vis_loss`, `jet_loss`,
            `lepton_loss` and `vertex_loss` with their learnt weights. `flavour_logits`, `charm_logits`;
            `vis_momentum` and `jet_momentum` (events, 3), GeV/c; `vertex` (events, 3), mm; `hidden_states`,
            `attentions`.

        Raises:
            MissingConstantsError: the configuration does not have the constants of momenta and vertices.
            ValueError: a part of the truth is missing.
        """
        refuse_arguments(self, kwargs)
        refuse_missing_constants(self.config)
        encoded: Any = self.nu_perceiver(
            cal_coordinates,
            cal_energy,
            cal_offset,
            ahcal_coordinates,
            ahcal_energy,
            ahcal_offset,
            ecal_energy,
            muon_tracks,
            muon_offset,
            muon_count,
            output_hidden_states=output_hidden_states,
            output_attentions=output_attentions,
            return_dict=True,
        )
        told = self._tell(encoded.pooler_output)
        labels = (flavour_labels, charm_labels, vis_momentum_labels, jet_momentum_labels, vertex_labels)
        known = [one for one in labels if one is not None]
        losses: dict[str, Tensor] = {}
        if len(known) == len(labels):
            with torch.autocast(ecal_energy.device.type, enabled=False):
                losses = self._losses(told, *known)
                losses["loss"] = self.loss_weights(losses)
        elif known:
            raise ValueError(
                "expected flavour_labels, charm_labels, vis_momentum_labels, jet_momentum_labels and "
                f"vertex_labels, got {len(known)} of them: take the targets flavour, charm, vis_momentum, "
                "jet_momentum and primary_vertex"
            )
        mean, deviation = self._vertex_scale(told.vertex)
        return NuPerceiverForEventReconstructionOutput(
            **{name if name == "loss" else f"{name}_loss": loss for name, loss in losses.items()},
            flavour_logits=told.flavour,
            charm_logits=told.charm,
            vis_momentum=told.momenta["vis"].momentum,
            jet_momentum=told.momenta["jet"].momentum,
            vertex=mean + deviation * told.vertex,
            hidden_states=encoded.hidden_states,
            attentions=encoded.attentions,
        )

    def _tell(self, pooled: Tensor) -> Told:
        """Read the mean of each event's latents, (events, channels)."""
        flavour, charm, vertex, vis, jet = (
            _at_least_float32(head(pooled))
            for head in (self.flavour_head, self.charm_head, self.vertex_head, self.vis_head, self.jet_head)
        )
        raw = {"vis": vis, "jet": jet}
        with torch.autocast(pooled.device.type, enabled=False):
            momenta = {name: self._scale(name).told(raw[name]) for name in MOMENTA}
            flavour, charm = (class_logits(scores, self.config.evidential) for scores in (flavour, charm))
        return Told(flavour, charm, vertex, momenta)

    def _losses(
        self, told: Told, flavour: Tensor, charm: Tensor, vis: Tensor, jet: Tensor, vertex: Tensor
    ) -> dict[str, Tensor]:
        """Compute the mean of each loss over events; the arguments after the first are true."""
        evidential = self.config.evidential
        smoothing = self.config.label_smoothing if self.training else 0.0
        vis, jet, vertex = (one.to(told.vertex.dtype) for one in (vis, jet, vertex))
        lepton = told.momenta["vis"].momentum - told.momenta["jet"].momentum
        leptons = _statistics(self.config)["lep"]
        mean, deviation = self._vertex_scale(vertex)
        of_events = {
            "vis": momentum_loss(told.momenta["vis"], vis, self._scale("vis"), only_forward=False),
            "jet": momentum_loss(told.momenta["jet"], jet, self._scale("jet"), only_forward=True),
            "lepton": lepton_loss(lepton, vis - jet, LeptonScale(leptons["s_xyz"], leptons["tau_mag"])),
            "vertex": vertex_loss(told.vertex, (vertex - mean) / deviation),
        }
        return {
            "flavour": classification_loss(told.flavour, flavour, evidential, smoothing),
            "charm": classification_loss(told.charm, charm, evidential, smoothing),
            **{name: loss.mean() for name, loss in of_events.items()},
        }

    def _vertex_scale(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Give mean and standard deviation of vertices, mm (3,) each, where another tensor is."""
        mean, deviation = _vertex_constants(self.config)
        return like.new_tensor(mean), like.new_tensor(deviation)

    def _scale(self, momentum: str) -> MomentumScale:
        return MomentumScale.of(_statistics(self.config)[momentum])


def refuse_missing_constants(config: NuPerceiverConfig) -> None:
    """Refuse a configuration without the constants of momenta and vertices.

    Raises:
        MissingConstantsError: with those that are missing.
    """
    known = config.momentum_statistics or {}
    missing = [f"momentum_statistics of {name}" for name in (*MOMENTA, "lep") if name not in known]
    missing += [name for name in ("vertex_mean_mm", "vertex_std_mm") if getattr(config, name) is None]
    if missing:
        raise MissingConstantsError(
            "expected the constants of momenta and vertices in the configuration, got none as "
            f"{', '.join(missing)}: fit the processor on events with truth, and take its network_fields()"
        )


def _statistics(config: NuPerceiverConfig) -> dict[str, dict[str, Any]]:
    return config.momentum_statistics or {}


def _vertex_constants(config: NuPerceiverConfig) -> tuple[list[float], list[float]]:
    return list(config.vertex_mean_mm or ()), list(config.vertex_std_mm or ())


def _at_least_float32(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))
