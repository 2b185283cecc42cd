"""`nu_point` that finds instances: the particles of events, or their interactions."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers.utils import ModelOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_nu_point import NuPointConfig
from nuzoo.modeling.arguments import refuse_arguments
from nuzoo.modeling.instance_losses import Told, background_loss, panoptic_loss
from nuzoo.modeling.modeling_nu_point import NuPointModel, NuPointPreTrainedModel
from nuzoo.modeling.query_decoder import DecodedBlock, QueryDecoder, perceptron
from nuzoo.modeling.sparse.ragged import counts_of
from nuzoo.modeling.true_instances import Truth, instances_of

MEV_PER_GEV = 1000.0


@dataclass
class InstanceSegmentationOutput(ModelOutput):
    """What is told of instances: one of each query of an event, the same queries in every event.

    Attributes:
        loss: where labels were given.
        class_queries_logits: (events, queries, classes + 1); the last class is no object.
        masks_queries_logits: (points, queries), logits that a point is of the instance of a query of its
            event. Rows are points, as events have different numbers of them.
        stuff_logits: (points,), logits that a point belongs to no instance.
        momentum_queries: (events, queries, 1), log10(p / GeV) of each instance, where it is asked for.
        start_queries: (events, queries, 3), where each begins, in the unit of `coordinates`.
        auxiliary_logits: of each block of the decoder but the last the first two by name, where asked for.
        hidden_states: see `NuPointModel.forward`.
        attentions: those of the backbone, and of the decoder (events, heads, queries, rows attended to).
    """

    loss: Tensor | None = None
    class_queries_logits: Tensor | None = None
    masks_queries_logits: Tensor | None = None
    stuff_logits: Tensor | None = None
    momentum_queries: Tensor | None = None
    start_queries: Tensor | None = None
    auxiliary_logits: tuple[dict[str, Tensor], ...] | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class NuPointForUniversalSegmentation(NuPointPreTrainedModel):
    """The network with a query decoder, and a head that tells which points belong to no instance.

    Queries attend to the points that are likelier to belong to one than not.
    """

    heads = ("classifier", "query_decoder", "stuff_head")

    def __init__(self, config: NuPointConfig):
        super().__init__(config)
        self.nu_point = NuPointModel(config)
        channels, classes = config.query_channels, len(config.id2label or {}) + 1
        self.query_decoder = QueryDecoder(config, config.feature_size)
        self.classifier = (
            perceptron(channels, channels, classes)
            if config.deep_projections
            else nn.Linear(channels, classes)
        )
        self.stuff_head = nn.Sequential(
            nn.Linear(config.feature_size, channels), nn.ReLU(), nn.Linear(channels, 1)
        )
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        coordinates: Tensor,
        energy: Tensor,
        grid_coordinates: Tensor,
        offset: Tensor,
        particle_labels: Tensor | None = None,
        pid_labels: Tensor | None = None,
        labels: Tensor | None = None,
        particle_start: Tensor | None = None,
        particle_start_momentum: Tensor | None = None,
        particle_offset: Tensor | None = None,
        interaction_vertex: Tensor | None = None,
        interaction_offset: Tensor | None = None,
        output_auxiliary_logits: bool | None = None,
        output_hidden_states: bool | None = None,
        output_attentions: bool | None = None,
        **kwargs: object,
    ) -> InstanceSegmentationOutput:
        """Find the instances of each event of a batch.

        With labels of what `config.instances` names there is a loss.

        Args:
            coordinates: see `NuPointModel.forward`.
            energy: see `NuPointModel.forward`.
            grid_coordinates: see `NuPointModel.forward`.
            offset: see `NuPointModel.forward`.
            particle_labels: int64 (points,), the particle of each point, a row of its event's table of
                particles, negative for none.
            pid_labels: int64 (points,), its class, negative where that is not known.
            labels: int64 (points,), where interactions are looked for, the interaction of each point,
                negative for none.
            particle_start: (particles, 3), in the unit of `coordinates`.
            particle_start_momentum: (particles, 3), MeV/c.
            particle_offset: int64 (events,), where the particles of each event end.
            interaction_vertex: (interactions, 3), in the unit of `coordinates`.
            interaction_offset: int64 (events,), where the interactions of each event end.
            output_auxiliary_logits: also return what the earlier blocks of the decoder tell; by default in
                training.
            output_hidden_states: see `NuPointModel.forward`.
            output_attentions: see `NuPointModel.forward`.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `loss`, `class_queries_logits`, `masks_queries_logits`, `stuff_logits`, `momentum_queries`,
            `start_queries`, `auxiliary_logits`, `hidden_states`, `attentions`; see
            `InstanceSegmentationOutput`.

        Raises:
            MatchingError: the network has diverged.
            ValueError: some of the labels that are needed are missing, or of other classes.
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
        features = outputs.last_hidden_state
        stuff = self.stuff_head(features)[:, 0]
        counts = counts_of(offset)
        places = coordinates.to(features.dtype)
        blocks, attentions = self.query_decoder(features, places, stuff.detach() < 0, counts)
        last = self._told(blocks[-1])
        by_kind = {
            "particle": (
                particle_labels,
                pid_labels,
                {"momentum": particle_start_momentum, "start": particle_start},
                particle_offset,
            ),
            "interaction": (labels, None, {"start": interaction_vertex}, interaction_offset),
        }
        ids, classes, tables, table_offset = by_kind[self.config.instances]
        self._check_labels(particle_labels, pid_labels, labels)
        wants_all = self.training if output_auxiliary_logits is None else output_auxiliary_logits
        earlier = [self._told(block) for block in blocks[:-1]] if wants_all or ids is not None else []
        loss = None
        if ids is not None:
            truth = Truth(ids, classes, offset, self._tables(tables), table_offset)
            loss = self._loss([*earlier, last], stuff, truth)
        return InstanceSegmentationOutput(
            loss=loss,
            class_queries_logits=last.classes,
            masks_queries_logits=last.masks,
            stuff_logits=stuff,
            momentum_queries=last.regressed.get("momentum"),
            start_queries=last.regressed.get("start"),
            auxiliary_logits=tuple(map(_named, earlier)) if wants_all else None,
            hidden_states=outputs.hidden_states,
            attentions=None if outputs.attentions is None else (*outputs.attentions, *attentions),
        )

    def _told(self, block: DecodedBlock) -> Told:
        regressed = self.query_decoder.regressed(block.queries)
        return Told(block.masks, self.classifier(block.queries), regressed)

    def _check_labels(self, particles: Tensor | None, classes: Tensor | None, labels: Tensor | None) -> None:
        """Refuse labels of what the network is not for, and particles without their classes."""
        if self.config.instances == "interaction" and (particles is not None or classes is not None):
            raise ValueError(
                "expected labels, of interactions, got particle_labels or pid_labels: leave them out"
            )
        if self.config.instances == "particle" and (
            labels is not None or (particles is None) != (classes is None)
        ):
            raise ValueError(
                "expected particle_labels with pid_labels, got one of them alone, or labels: take the "
                "targets particle and pid"
            )

    def _tables(self, tables: dict[str, Tensor | None]) -> dict[str, Tensor]:
        """Give what is to be told of each instance, in the unit in which it is told."""
        wanted = {name: tables[name] for name in self.config.regressed}
        if missing := [name for name, values in wanted.items() if values is None]:
            raise ValueError(
                f"expected the true {', '.join(missing)} of each {self.config.instances}, which the network "
                "is configured to tell, got none: add its columns to the targets"
            )
        known: dict[str, Tensor] = {
            name: values.float() for name, values in wanted.items() if values is not None
        }
        if "momentum" in known:
            momentum = known["momentum"].norm(dim=1) / MEV_PER_GEV
            known["momentum"] = torch.where(momentum > 0, momentum, torch.nan).log10()
        return known

    def _loss(self, blocks: list[Told], stuff: Tensor, truth: Truth) -> Tensor:
        """Sum the losses of blocks and of the head that tells the background."""
        with torch.autocast(stuff.device.type, enabled=False):
            single = [told.in_single_precision() for told in blocks]
            is_background = truth.ids < 0
            if truth.classes is not None and (background := self.config.background_labels):
                of_class = torch.isin(truth.classes, truth.classes.new_tensor(background))
                is_background = is_background | of_class
            instances = instances_of(truth, len(self.config.id2label or {}))
            loss = panoptic_loss(single, instances, counts_of(truth.offset).tolist())
            return loss + background_loss(stuff.float(), is_background)


def _named(told: Told) -> dict[str, Tensor]:
    return {"class_queries_logits": told.classes, "masks_queries_logits": told.masks}
