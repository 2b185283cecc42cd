"""Find the particles, or the interactions, of an event: an instance for each hit."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import torch

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.pipelines.event_pipeline import EventPipeline

NO_SEGMENT = -1
"""In place of an instance, of a hit that belongs to none."""

LOGITS = ("class_queries_logits", "masks_queries_logits", "stuff_logits")


class ParticleSegmentationPipeline(EventPipeline):
    """`pipeline("particle-segmentation")`.

    Examples:
        >>> found = segment(events[0])
        >>> found["instances"], found["labels"]
        ([1, 1, 2, -1, ...], ['muon', 'muon', 'photon', 'none', ...])
        >>> found["segments"][0]
        {'id': 1, 'label': 'muon', 'score': 0.97, 'hits': 812}

    There is an instance for each hit of the event, in the order of its hits, and class and score of the
    instance. Instances are numbered from 1; a hit of none has -1 and the score 0. A network that tells of
    momenta or starts adds `momentum` (MeV/c) or `start` (in the unit of the network's coordinates) to each
    segment.
    """

    own_options: ClassVar[Mapping[str, Any]] = {"return_inverse": True}  # which hits became which points
    per_hit: ClassVar[bool] = True
    list_columns: ClassVar[Mapping[str, str]] = {"instances": "int64", "labels": "text", "scores": "float64"}

    def postprocess(self, model_outputs: Mapping[str, torch.Tensor], **_: Any) -> list[dict[str, Any]]:
        """Turn what queries tell into `instances`, `labels` and `scores` of hits, and `segments`."""
        for name in LOGITS:
            self.refuse_not_finite(name, model_outputs[name])
        config, processor = self.model.config, self.image_processor
        found = processor.post_process_panoptic_segmentation(  # type: ignore[attr-defined]
            SimpleNamespace(**model_outputs), model_outputs, stuff_label_ids=config.background_labels
        )
        names = class_names_of(config)
        return [
            self._result(event, names, {key: model_outputs[key][number] for key in self._regressed})
            for number, event in enumerate(found)
        ]

    @property
    def _regressed(self) -> dict[str, str]:
        """Names of what the network tells of each query beside mask and class, by output."""
        return {f"{name}_queries": name for name in self.model.config.regressed}

    def _result(
        self, event: dict[str, Any], names: list[str], regressed: Mapping[str, torch.Tensor]
    ) -> dict[str, Any]:
        instances = event["segmentation"].tolist()
        hits = torch.bincount(event["segmentation"].clamp(min=0), minlength=1).tolist()
        segments = [
            {
                "id": one["id"],
                "label": names[one["label_id"]],
                "score": one["score"],
                "hits": hits[one["id"]] if one["id"] < len(hits) else 0,
                **self._told(regressed, one["query_id"]),
            }
            for one in event["segments_info"]
        ]
        told = {one["id"]: (one["label"], one["score"]) for one in segments}
        told[NO_SEGMENT] = (self.model.config.background, 0.0)
        return {
            "instances": instances,
            "labels": [told[number][0] for number in instances],
            "scores": [told[number][1] for number in instances],
            "segments": segments,
        }

    def _told(self, regressed: Mapping[str, torch.Tensor], query: int) -> dict[str, Any]:
        told: dict[str, Any] = {}
        for key, values in regressed.items():
            name = self._regressed[key]
            told[name] = values[query].tolist()
            if name == "momentum":
                told[name] = 1000.0 * 10.0 ** told[name][0]  # log10(p / GeV)
        return told

    def as_row(self, result: dict[str, Any]) -> dict[str, Any]:
        """Give `instances`, `labels` and `scores`, lists with an entry for each hit."""
        return {name: result[name] for name in ("instances", "labels", "scores")}
