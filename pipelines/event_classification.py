"""Classify neutrino events: detector data in, calibrated class probabilities out."""

from collections.abc import Mapping
from typing import Any

import torch

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.pipelines.event_pipeline import EventPipeline


class NeutrinoEventClassificationPipeline(EventPipeline):
    """`pipeline("neutrino-event-classification")`.

    Examples:
        >>> classify(events[0])
        {'label': 'numu_cc', 'score': 0.93, 'scores': {'nue_cc': 0.04, 'numu_cc': 0.93, 'nc': 0.03}}

    Probabilities are softmax(logits / temperature), with the temperature of the model's configuration.
    """

    def postprocess(self, model_outputs: Mapping[str, torch.Tensor], **_: Any) -> list[dict[str, Any]]:
        """Turn `logits` (events, classes) into `label`, its `score`, and `scores` of all classes."""
        config = self.model.config
        self.refuse_not_finite("logits", model_outputs["logits"])
        probabilities = (model_outputs["logits"].double() / config.temperature).softmax(dim=-1)
        return [self._result(event) for event in probabilities.tolist()]

    def _result(self, probabilities: list[float]) -> dict[str, Any]:
        scores = dict(zip(class_names_of(self.model.config), probabilities, strict=True))
        label = max(scores, key=scores.__getitem__)
        return {"label": label, "score": scores[label], "scores": scores}

    def as_row(self, result: dict[str, Any]) -> dict[str, Any]:
        """Give `label`, `score`, and the probability of each class by its name."""
        return {"label": result["label"], "score": result["score"], **result["scores"]}
