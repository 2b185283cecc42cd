"""A plug-in: a modality (points), a task (a label for each hit) and a network over ragged batches.

All that goes into a repository. The rest of the toy, which stays at home, is in `toy_house.py`.
"""

from collections.abc import Mapping, Sequence
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

from nuzoo.configuration.event_classifier_config import EventClassifierConfig
from nuzoo.files.events.event_schema import Bound, Column, EventSchema
from nuzoo.modeling.modeling_utils_nu import NuPreTrainedModel
from nuzoo.pipelines.event_pipeline import EventPipeline
from nuzoo.processors.event_tables import as_table, in_steps, is_single_row, is_table, read_hits, split_rows
from nuzoo.processors.input_errors import ProcessorModelMismatchError
from nuzoo.processors.saved_processor import SavedProcessor

HIT_CLASSES = ("track", "shower")
AXES = ("x", "y", "z")


def point_schema(geometry: Mapping[str, Any]) -> EventSchema:
    """Hits of an event: position in mm, energy in MeV, and the class of each."""
    outside = "the event was made for a larger detector"
    positions = (
        Column(
            axis,
            "float32",
            f"{axis} of a hit",
            "mm",
            per="hit",
            low=Bound(0, outside),
            high=Bound(geometry["size_mm"], outside),
            required=True,
        )
        for axis in AXES
    )
    energy = Column("energy", "float32", "its energy", "MeV", "hit", low=Bound(0, "clip it"), required=True)
    label = Column("label", "int64", "its class", per="hit", classes=HIT_CLASSES)
    return EventSchema((*positions, energy, label), whose=geometry["detector"] or "")


class ToyPointsProcessor(SavedProcessor, FeatureExtractionMixin):
    """Rows of points to `coordinates` (n, 3) from 0 to 1, `energy` (n,), and `offset` (events,), where they end.

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
    def for_geometry(cls, geometry: Mapping[str, Any], **settings: Any) -> Self:
        return cls(**({"detector": geometry["detector"], "size_mm": geometry["size_mm"]} | settings))

    @classmethod
    def tiny(cls, config: Any) -> Self:
        return cls()

    @property
    def schema(self) -> EventSchema:
        return point_schema({"detector": self.detector, "size_mm": self.size_mm})

    def fit(self, rows: Any) -> Self:
        steps = [read_hits(step, self.schema)["energy"].values for step in in_steps(rows, 256, self.split_events)]
        self.mean_energy = float(np.concatenate(steps).mean())
        return self

    def __call__(
        self, rows: Any, *, targets: Sequence[str] = (), return_tensors: str | None = "pt"
    ) -> BatchFeature:
        self.refuse_unfitted()
        rows = as_table(rows)
        self.check_detector(rows)
        rows = rows if is_table(rows) else self.split_events(rows)
        wanted = EventSchema(tuple(c for c in self.schema.columns if c.required or c.name in targets))
        wanted = EventSchema(tuple(_required(column) for column in wanted.columns))
        hits = read_hits(rows, wanted)
        wanted.check(hits)
        values = {name: torch.from_numpy(np.array(column.values)) for name, column in hits.items()}
        batch = {
            "coordinates": torch.stack([values[axis] for axis in AXES], dim=1).float() / self.size_mm,
            "energy": torch.log1p(values["energy"].float() / self.mean_energy),
            "offset": torch.from_numpy(np.cumsum(hits["energy"].counts)),
        }
        labels = {"labels": values[name].long() for name in targets}
        return BatchFeature(batch | labels, tensor_type=return_tensors)

    def is_single_event(self, inputs: Any) -> bool:
        return is_single_row(inputs, self.schema)

    def split_events(self, inputs: Any) -> list[Any]:
        return split_rows(inputs, self.schema)

    def example_events(self, events: int = 4) -> list[dict[str, Any]]:
        rng = np.random.default_rng(0)
        sizes = [0, 1, *(20 + 7 * event for event in range(events))][:events]
        return [
            {
                **{axis: rng.uniform(0, self.size_mm, size).astype(np.float32) for axis in AXES},
                "energy": rng.gamma(2.0, 1.0, size).astype(np.float32),
            }
            for size in sizes
        ]

    def check_agrees(self, config: Any) -> None:
        if config.model_type != ToyPointsConfig.model_type:
            raise ProcessorModelMismatchError(f"expected a network over points, got a {config.model_type}")

    def network_fields(self) -> dict[str, Any]:
        return {}

    def facts(self) -> dict[str, str]:
        return {"positions": f"0 to {self.size_mm:g} mm", "unit of energy": "MeV per hit"}


def _required(column: Column) -> Column:
    return Column(**(vars(column) | {"required": True}))


@strict
class ToyPointsConfig(EventClassifierConfig):
    model_type = "toy_points"
    classes = HIT_CLASSES

    width: int = 32

    @classmethod
    def tiny(cls, **kwargs: Any) -> Self:
        return cls(**({"width": 16} | kwargs))


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
    config: ToyPointsConfig
    base_model_prefix = ""
    main_input_name = "coordinates"
    heads = ("classifier",)
    accepts_loss_kwargs = False

    def __init__(self, config: ToyPointsConfig):
        super().__init__(config)
        self.inputs = nn.Linear(4, config.width)
        self.layers = nn.ModuleList(ToyPointsLayer(config.width) for _ in range(2))
        self.classifier = nn.Linear(config.width, len(config.id2label or {}))
        self.post_init()

    @can_return_tuple
    def forward(
        self,
        coordinates: Tensor,
        energy: Tensor | None = None,
        offset: Tensor | None = None,
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
        if energy is None or offset is None:
            raise ValueError("expected coordinates, energy and offset of the processor")
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
        names = self.model.config.id2label
        logits = model_outputs["logits"]
        ends = model_outputs["offset"].tolist()
        chosen = [names[index] for index in logits.argmax(dim=1).tolist()]
        return [{"labels": chosen[start:end]} for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    def as_row(self, result: dict[str, Any]) -> dict[str, Any]:
        return {"labels": result["labels"]}
