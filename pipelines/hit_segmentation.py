"""Tell the class of every hit of an event."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from transformers.modeling_outputs import SemanticSegmenterOutput

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.pipelines.event_pipeline import EventPipeline

LEFT_OUT = "left out"
"""In place of a class, of a hit that the processor does not give to the network."""


class HitSegmentationPipeline(EventPipeline):
    """`pipeline("hit-segmentation")`.

    Examples:
        >>> segment(events[0])
        {'labels': ['track', 'track', 'shower', ...], 'scores': [0.99, 0.98, 0.71, ...]}

    There is a label and its probability for each hit of the event, in the order of its hits. A hit that the
    processor leaves out, such as one below its threshold, has the label "left out" and the score 0.
    """

    own_options: ClassVar[Mapping[str, Any]] = {"return_inverse": True}  # which hits became which points
    per_hit: ClassVar[bool] = True
    list_columns: ClassVar[Mapping[str, str]] = {"labels": "text", "scores": "float64"}

    def postprocess(self, model_outputs: Mapping[str, torch.Tensor], **_: Any) -> list[dict[str, Any]]:
        """Turn `logits` (points, classes) into `labels` and `scores` of hits."""
        self.refuse_not_finite("logits", model_outputs["logits"])
        processor: Any = self.image_processor
        probabilities = model_outputs["logits"].double().softmax(dim=-1)
        events = processor.post_process_semantic_segmentation(
            SemanticSegmenterOutput(logits=probabilities), model_outputs, return_segmentation_scores=True
        )
        names = [*class_names_of(self.model.config), LEFT_OUT]
        return [
            {
                "labels": [names[label] for label in event["segmentation"].tolist()],
                "scores": event["segmentation_scores"].amax(dim=0).tolist(),
            }
            for event in events
        ]

    def as_row(self, result: dict[str, Any]) -> dict[str, Any]:
        """Give `labels` and `scores`, lists with an entry for each hit."""
        return result
