"""Reconstruct neutrino events: flavour, charm, momenta and vertex."""

from collections.abc import Mapping, Sequence
from numbers import Integral
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from nuzoo.modeling.dropping import DropsNothingError, dropping, dropping_modules
from nuzoo.pipelines.event_pipeline import EventPipeline
from nuzoo.pipelines.pipeline_errors import PipelineOptionError
from nuzoo.processors.detector_events.reconstructed_events import UNITS

OUTPUTS = ("flavour_logits", "charm_logits", "vis_momentum", "jet_momentum", "vertex")
CLASSES = ("flavour", "charm")
ERROR = "_error"
SEED = 0
"""Of what passes drop: the same for every event, so that what is told of one is its own."""


class NeutrinoEventReconstructionPipeline(EventPipeline):
    """`pipeline("neutrino-event-reconstruction")`.

    Examples:
        >>> reconstruct(events[0])
        {'flavour': {'label': 'numu_cc', 'score': 0.93, 'scores': {...}}, 'charm': {'label': 'none', ...},
         'vis_momentum': {'value': [0.2, -0.1, 812.3], 'unit': 'GeV/c'}, ...,
         'e_vis': {'value': 812.3, 'unit': 'GeV'}, 'pt_miss': {'value': 0.22, 'unit': 'GeV/c'},
         'vertex': {'value': [12.1, -40.9, -313.0], 'unit': 'mm'}}

    Probabilities are calibrated with the model's temperatures. What the quantities mean says
    `nuzoo.processors.detector_events.reconstructed_events`.

    With `passes=N`, in the call or for all calls, the network is asked about each event N times, each time
    without what it drops by chance in training (Monte Carlo dropout, arXiv 1506.02142). Probabilities and
    quantities are then means over the passes, and beside each quantity stands its standard deviation over
    them: `vertex_error` beside `vertex`. It tells what the network does not know, and is no calibrated error.
    What is told of an event depends on no other one. A network that drops nothing is refused by name.
    """

    def _sanitize_parameters(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        given = {"passes": self._checked(kwargs.pop("passes"))} if "passes" in kwargs else {}
        reading, asking, telling = super()._sanitize_parameters(**kwargs)
        return reading | given, asking | given, telling | given

    def _checked(self, passes: Any) -> int | None:
        if passes is None:
            return None
        if isinstance(passes, bool) or not isinstance(passes, Integral) or passes < 2:
            raise PipelineOptionError(
                f"passes: expected a whole number from 2 on, got {passes!r}: correct it"
            )
        try:
            dropping_modules(self.model)
        except DropsNothingError as error:
            raise PipelineOptionError(f"passes: {error}") from error
        return int(passes)

    def preprocess(self, input_: Any, passes: int | None = None, **options: Any) -> Any:  # type: ignore[override]
        """Make a batch of events; for passes a list of batches, each of as many copies of an event."""
        batch = super().preprocess(input_, **options)
        if passes is None:
            return batch
        events = self.image_processor.split_events(input_)
        return [self.image_processor([event] * passes, **options) for event in events]

    def _forward(self, input_tensors: Any, passes: int | None = None, **_: Any) -> Any:  # type: ignore[override]
        if passes is None:
            return super()._forward(input_tensors)
        return [self._of_passes(copies) for copies in input_tensors]

    def _of_passes(self, copies: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        with dropping(self.model, SEED):
            return super()._forward(copies)

    def postprocess(  # type: ignore[override]
        self, model_outputs: Any, passes: int | None = None, **_: Any
    ) -> list[dict[str, Any]]:
        """Turn what the heads tell into classes and quantities."""
        if passes is None:
            return [_result(event) for event in self._physics(model_outputs)]
        return [_result(*_over_passes(self._physics(of_event))) for of_event in model_outputs]

    def _physics(self, outputs: Mapping[str, torch.Tensor]) -> list[dict[str, Any]]:
        """Give probabilities and quantities of each event, or each pass."""
        for name in OUTPUTS:
            self.refuse_not_finite(name, outputs[name])
        processor: Any = self.image_processor
        found: list[dict[str, Any]] = processor.post_process_event_reconstruction(
            SimpleNamespace(**outputs), self.model.config
        )
        return found

    def as_row(self, result: dict[str, Any]) -> dict[str, Any]:
        """Give classes, their probabilities, and quantities with their unit in the name of the column."""
        row: dict[str, Any] = {}
        for name in CLASSES:
            row |= {name: result[name]["label"], f"{name}_score": result[name]["score"]}
            row |= {f"{name}_probability_{label}": score for label, score in result[name]["scores"].items()}
        for name in (name for name in result if name not in CLASSES):
            value, suffix = result[name]["value"], result[name]["unit"].partition("/")[0].lower()
            parts = zip("xyz", value, strict=True) if isinstance(value, list) else [("", value)]
            row |= {"_".join(filter(None, (name, axis, suffix))): number for axis, number in parts}
        return row


def _over_passes(told: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give means of probabilities and quantities over the passes, and standard deviations of quantities."""
    means: dict[str, Any] = {
        name: {label: float(np.mean([one[name][label] for one in told])) for label in told[0][name]}
        for name in CLASSES
    }
    values = {name: np.array([one[name] for one in told]) for name in UNITS}
    means |= {name: of.mean(axis=0).tolist() for name, of in values.items()}
    return means, {name: of.std(axis=0, ddof=1).tolist() for name, of in values.items()}


def _result(event: Mapping[str, Any], errors: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give classes, and each quantity with its unit, followed by its error where it has one."""
    result = {name: _best(event[name]) for name in CLASSES}
    for name, unit in UNITS.items():
        result[name] = {"value": event[name], "unit": unit}
        if errors is not None:
            result[f"{name}{ERROR}"] = {"value": errors[name], "unit": unit}
    return result


def _best(scores: dict[str, float]) -> dict[str, Any]:
    label = max(scores, key=lambda name: scores[name])
    return {"label": label, "score": scores[label], "scores": scores}
