"""A plug-in: a modality (points), a task (a label for each hit) and a network over ragged batches.

All that goes into a repository. The rest of the toy, which stays at home, is in `toy_house.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from huggingface_hub.dataclasses import strict
from torch import Tensor, nn
from transformers.feature_extraction_utils import BatchFeature, FeatureExtractionMixin
from transformers.modeling_layers import GradientCheckpointingLayer
from transformers.modeling_outputs import SemanticSegmenterOutput
from transformers.utils.generic import can_return_tuple

from nuzoo.configuration.configuration_utils_nu import NuPreTrainedConfig
from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.files.events.event_schema import Bound, Column, EventSchema
from nuzoo.files.events.event_truth import IDENTITY_COLUMNS, ORIGIN_COLUMNS
from nuzoo.modeling.arguments import refuse_arguments
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel
from nuzoo.pipelines.event_pipeline import EventPipeline
from nuzoo.processors.event_tables import as_table, in_steps, read_hits
from nuzoo.processors.saved_processor import SavedProcessor

HIT_CLASSES = ("track", "shower")
AXES = ("x", "y", "z")


def point_schema(geometry: Mapping[str, Any]) -> EventSchema:
    """Hits of an event: position in mm, energy in MeV, and the class of each."""

    def hit(name: str, text: str, unit: str, **more: Any) -> Column:
        return Column(name, "float32", text, unit, "hit", low=Bound(0), required=True, **more)

    positions = (hit(axis, f"{axis} of a hit", "mm", high=Bound(geometry["size_mm"])) for axis in AXES)
    label = Column("label", "int64", "its class", per="hit", classes=HIT_CLASSES)
    columns = (*IDENTITY_COLUMNS, *positions, hit("energy", "its energy", "MeV"), label, *ORIGIN_COLUMNS)
    return EventSchema(columns, whose=geometry["detector"] or "")


class ToyPointsProcessor(SavedProcessor, FeatureExtractionMixin):
    """Rows of points to `coordinates` (n, 3) from 0 to 1, `energy` (n,), and `offset` (events,), their ends.

    Args:
        detector: whose events it takes.
        size_mm: edge of the detector.
        mean_energy: MeV, measured by `fit`.
        **kwargs: see `SavedProcessor`.
    """

    modality = "toy-points"
    statistics = ("mean_energy",)
    model_input_names: ClassVar = ["coordinates", "energy", "offset"]

    def __init__(
        self,
        detector: str | None = None,
        size_mm: float = 1000.0,
        mean_energy: float | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.detector, self.size_mm, self.mean_energy = detector, size_mm, mean_energy

    @classmethod
    def tiny(cls, config: Any) -> Self:
        return cls()

    @property
    def schema(self) -> EventSchema:
        return point_schema({"detector": self.detector, "size_mm": self.size_mm})

    def fit(self, rows: Any) -> Self:
        steps = in_steps(rows, 256, self.split_events)
        self.mean_energy = float(np.concatenate([self.read_hits(s)["energy"].values for s in steps]).mean())
        return self

    def __call__(self, rows: Any, *, targets: Sequence[str] = ()) -> BatchFeature:
        self.refuse_unfitted()
        rows = as_table(rows)
        hits = self.read_hits(rows)
        tensors = {name: torch.from_numpy(np.array(read.values)).float() for name, read in hits.items()}
        batch = {
            "coordinates": torch.stack([tensors[axis] for axis in AXES], dim=1) / self.size_mm,
            "energy": torch.log1p(tensors["energy"] / self.mean_energy),
            "offset": torch.from_numpy(np.cumsum(hits["energy"].counts)),
        }
        for target in targets:
            truth = EventSchema((*self.schema.hits, replace(self.schema[target], required=True)))
            labels = read_hits(rows, truth)
            truth.check(labels)
            batch["labels"] = torch.from_numpy(np.array(labels[target].values, dtype=np.int64))
        return BatchFeature(batch)

    def example_events(self, events: int = 4) -> list[dict[str, Any]]:
        rng = np.random.default_rng(0)
        sizes = [0, 1, *(20 + 7 * event for event in range(events))][:events]
        return [
            {axis: rng.uniform(0, self.size_mm, size).astype(np.float32) for axis in AXES}
            | {"energy": rng.gamma(2.0, 1.0, size).astype(np.float32)}
            for size in sizes
        ]

    def network_fields(self) -> dict[str, Any]:
        return {}

    def facts(self) -> dict[str, str]:
        return {"positions": f"0 to {self.size_mm:g} mm", "energy": "MeV per hit"}


@strict
class ToyPointsConfig(NuPreTrainedConfig):
    """A network over points in which each sees the mean of its event.

    Args:
        width: features of a hit.
    """

    model_type = "toy_points"

    width: int = 96

    def __post_init__(self, **kwargs: Any) -> None:
        if self.id2label is None and kwargs.get("num_labels") in (None, len(HIT_CLASSES)):
            self.id2label = dict(enumerate(HIT_CLASSES))
        super().__post_init__(**kwargs)

    @classmethod
    def tiny(cls, **kwargs: Any) -> Self:
        return cls(**({"width": 64} | kwargs))


class ToyPointsLayer(GradientCheckpointingLayer):
    """Adds to each hit what it and the mean of its event give."""

    def __init__(self, width: int):
        super().__init__()
        self.of_hit, self.of_event = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, hits: Tensor, event: Tensor, counts: Tensor) -> Tensor:
        total = hits.new_zeros(len(counts), hits.shape[1]).index_add(0, event, hits)
        mean = total / counts.clamp(min=1)[:, None]
        return hits + torch.tanh(self.of_hit(hits) + self.of_event(mean)[event])


class ToyPointsForHitLabels(NuPreTrainedModel):
    """Tells the class of each hit."""

    config: ToyPointsConfig
    base_model_prefix = ""
    main_input_name = "coordinates"
    accepts_loss_kwargs = False

    def __init__(self, config: ToyPointsConfig):
        super().__init__(config)
        self.inputs = nn.Linear(4, config.width)
        self.layers = nn.ModuleList(ToyPointsLayer(config.width) for _ in range(2))
        self.classifier = nn.Linear(config.width, config.num_labels)
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        coordinates: Tensor,
        energy: Tensor,
        offset: Tensor,
        labels: Tensor | None = None,
        output_hidden_states: bool | None = None,
        **kwargs: object,
    ) -> SemanticSegmenterOutput:
        """Tell the class of each hit.

        Args:
            coordinates: (n, 3), the hits of event after event.
            energy: (n,).
            offset: (events,), where each event ends.
            labels: (n,) class indices; with them the mean cross entropy is `loss`.
            output_hidden_states: also return what each layer gives.
            **kwargs: `return_dict=False` returns a tuple.

        Returns:
            `loss`, `logits` (n, classes), `hidden_states`.
        """
        refuse_arguments(self, kwargs)
        counts = offset.diff(prepend=offset.new_zeros(1))
        event = torch.repeat_interleave(torch.arange(len(counts), device=counts.device), counts)
        hits = self.inputs(torch.cat([coordinates, energy[:, None]], dim=1).to(self.dtype))
        hidden = [hits]
        for layer in self.layers:
            hits = layer(hits, event, counts)
            hidden.append(hits)
        logits = self.classifier(hits)
        asked = self.config.output_hidden_states if output_hidden_states is None else output_hidden_states
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits.float(), labels) if len(labels) else 0 * logits.sum()
        return SemanticSegmenterOutput(
            loss=loss, logits=logits, hidden_states=tuple(hidden) if asked else None
        )


class ToyHitLabelsPipeline(EventPipeline):
    """A class for each hit."""

    def postprocess(self, model_outputs: Mapping[str, Tensor], **_: Any) -> list[dict[str, Any]]:
        self.refuse_not_finite("logits", model_outputs["logits"])
        names, ends = class_names_of(self.model.config), model_outputs["offset"].tolist()
        chosen = [names[index] for index in model_outputs["logits"].argmax(dim=1).tolist()]
        return [{"labels": chosen[start:end]} for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    def as_row(self, result: dict[str, Any]) -> dict[str, Any]:
        return result
