"""Propose the points of interest of an event: vertices, and ends of tracks."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import torch

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.pipelines.event_pipeline import EventPipeline

OUTPUTS = ("score_logits", "keypoint_places", "logits")


class PointProposalPipeline(EventPipeline):
    """`pipeline("point-proposal")`.

    Examples:
        >>> propose(events[0])
        {'keypoints': [{'label': 'vertex', 'score': 0.98, 'position': [312.4, 95.1, 407.8]}, ...]}

    Points of interest come best first; their positions are in the unit of the event's.
    """

    list_columns: ClassVar[Mapping[str, str]] = {"labels": "text"} | dict.fromkeys(
        ("scores", *"xyz"), "float64"
    )
    own_options: ClassVar[Mapping[str, Any]] = {"return_inverse": False}  # a point of interest is of no hit

    def postprocess(self, model_outputs: Mapping[str, torch.Tensor], **_: Any) -> list[dict[str, Any]]:
        """Turn what points tell into `keypoints` of events."""
        for name in OUTPUTS:
            self.refuse_not_finite(name, model_outputs[name])
        processor: Any = self.image_processor
        found = processor.post_process_keypoint_detection(
            SimpleNamespace(**model_outputs), model_outputs, self.model.config.keypoint_radius
        )
        names = class_names_of(self.model.config)
        return [
            {
                "keypoints": [
                    {"label": names[label], "score": score, "position": position}
                    for label, score, position in zip(
                        event["labels"].tolist(),
                        event["scores"].tolist(),
                        event["keypoints"].tolist(),
                        strict=True,
                    )
                ]
            }
            for event in found
        ]

    def as_row(self, result: dict[str, Any]) -> dict[str, Any]:
        """Give `labels`, `scores`, `x`, `y` and `z`, lists with an entry for each point of interest."""
        found = result["keypoints"]
        places = {axis: [one["position"][number] for one in found] for number, axis in enumerate("xyz")}
        return {
            "labels": [one["label"] for one in found],
            "scores": [one["score"] for one in found],
            **places,
        }
