"""Classify particles: hits in, calibrated class probabilities out."""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from nuzoo.pipelines.event_classification import NeutrinoEventClassificationPipeline


class ParticleClassificationPipeline(NeutrinoEventClassificationPipeline):
    """`pipeline("particle-classification")`.

    Examples:
        >>> identify(events[0])  # of events with one particle
        {'label': 'muon', 'score': 0.87, 'scores': {'proton': 0.01, 'pion': 0.12, 'muon': 0.87, …}}
        >>> identify(events[0])  # of events whose hits say which particle they are of
        {'particles': [0, 2], 'labels': ['muon', 'proton'], 'scores': [0.87, 0.99]}

    Probabilities are softmax(logits / temperature), with the temperature of the model's configuration.
    `particles` are rows of particles of the event; those of too few hits are left out.
    """

    own_options: ClassVar[Mapping[str, Any]] = {"return_particles": True}

    def postprocess(self, model_outputs: Mapping[str, torch.Tensor], **_: Any) -> list[dict[str, Any]]:
        """Turn `logits` (images, classes) into the result of each event."""
        results = super().postprocess(model_outputs)
        if "event_offset" not in model_outputs:
            return results
        particles, ends = model_outputs["particle"].tolist(), model_outputs["event_offset"].tolist()
        spans = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
        return [
            {
                "particles": particles[span],
                "labels": [result["label"] for result in results[span]],
                "scores": [result["score"] for result in results[span]],
            }
            for span in spans
        ]

    def as_row(self, result: dict[str, Any]) -> dict[str, Any]:
        """Give `label`, `score` and the probability of each class; or lists, an entry for each particle."""
        return result if "particles" in result else super().as_row(result)
