"""Reconstruct neutrino events: flavour, charm, momenta and vertex."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import torch

from nuzoo.pipelines.event_pipeline import EventPipeline
from nuzoo.processors.detector_events.reconstructed_events import UNITS

OUTPUTS = ("flavour_logits", "charm_logits", "vis_momentum", "jet_momentum", "vertex")
CLASSES = ("flavour", "charm")


class NeutrinoEventReconstructionPipeline(EventPipeline):
    """`pipeline("neutrino-event-reconstruction")`.

    >>> reconstruct(events[0])
    {'flavour': {'label': 'numu_cc', 'score': 0.93, 'scores': {...}}, 'charm': {'label': 'none', ...},
     'vis_momentum': {'value': [0.2, -0.1, 812.3], 'unit': 'GeV/c'}, ...,
     'e_vis': {'value': 812.3, 'unit': 'GeV'}, 'pt_miss': {'value': 0.22, 'unit': 'GeV/c'},
     'vertex': {'value': [12.1, -40.9, -313.0], 'unit': 'mm'}}

    Probabilities are calibrated with the model's temperatures. What the quantities mean says
    `nuzoo.processors.detector_events.reconstructed_events`.
    """

    def postprocess(self, model_outputs: Mapping[str, torch.Tensor], **_: Any) -> list[dict[str, Any]]:
        """Turn what the heads tell into classes and quantities."""
        for name in OUTPUTS:
            self.refuse_not_finite(name, model_outputs[name])
        processor: Any = self.image_processor
        found = processor.post_process_event_reconstruction(
            SimpleNamespace(**model_outputs), self.model.config
        )
        return [
            {name: _best(event[name]) for name in CLASSES}
            | {name: {"value": event[name], "unit": unit} for name, unit in UNITS.items()}
            for event in found
        ]

    def as_row(self, result: dict[str, Any]) -> dict[str, Any]:
        """Give classes, their probabilities, and quantities with their unit in the name of the column."""
        row: dict[str, Any] = {}
        for name in CLASSES:
            row |= {name: result[name]["label"], f"{name}_score": result[name]["score"]}
            row |= {f"{name}_probability_{label}": score for label, score in result[name]["scores"].items()}
        for name, unit in UNITS.items():
            value, suffix = result[name]["value"], unit.partition("/")[0].lower()
            parts = zip("xyz", value, strict=True) if isinstance(value, list) else [("", value)]
            row |= {"_".join(filter(None, (name, axis, suffix))): number for axis, number in parts}
        return row


def _best(scores: dict[str, float]) -> dict[str, Any]:
    label = max(scores, key=lambda name: scores[name])
    return {"label": label, "score": scores[label], "scores": scores}
