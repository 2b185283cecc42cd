"""Why a classifier answers as it does about one event: what it writes, or what an object was worth to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.evaluation.core.errors import ExplanationError
from nuzoo.evaluation.display.pixel_maps.event_display import draw_event
from nuzoo.evaluation.explain.event_objects import find_objects
from nuzoo.evaluation.explain.explain import ExplainedEvent
from nuzoo.evaluation.explain.explanations import POST_HOC, explain
from nuzoo.evaluation.explain.faithfulness import Mask, class_probabilities, masks_of
from nuzoo.evaluation.explain.masking import without

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

LEADING = "leading"


def explain_classified_event(
    model: PreTrainedModel,
    processor: EventProcessor,
    row: Mapping[str, Any],
    picture: Path,
    *,
    sample: str | None = None,
) -> ExplainedEvent:
    """Say why a classifier answers as it does about one event, see `Explainer.explain_event`.

    A model that writes text writes it. Of another one the most energetic object is masked, and as much energy
    elsewhere, and the probability of the answer is told; the picture is the event without that object.

    Raises:
        ExplanationError: There is no track or shower in the event.
    """
    if model.config.writes_text:
        (said,) = explain(model, processor, [row], batch_size=1)
        return ExplainedEvent([f"“{said.answer} {said.text}”".replace(" ”", "”"), POST_HOC])
    return _without_leading_object(model, processor, row, picture, sample)


def _without_leading_object(
    model: PreTrainedModel,
    processor: EventProcessor,
    row: Mapping[str, Any],
    picture: Path,
    sample: str | None,
) -> ExplainedEvent:
    objects = find_objects(row)
    masks = masks_of([row], [{LEADING: objects[0].pixels}]) if objects else []
    if not masks:
        raise ExplanationError("expected a track or a shower that can be masked, got an event without one")
    altered = [without(row, mask.pixels) for mask in masks]
    whole, masked, *controls = class_probabilities(
        model, processor, [without(row, {}), *altered], 16, "masked"
    )
    names, best = class_names_of(model.config), int(whole.argmax())
    said = {"label": names[int(masked.argmax())], "scores": dict(zip(names, masked.tolist(), strict=True))}
    draw_event({**row, **altered[0]}, picture, prediction=said, sample=sample)
    lines = [
        f"The probability of {names[best]} is {whole[best]:.2f}, and {masked[best]:.2f} without the most "
        f"energetic object, a {objects[0].kind} with {masks[0].energy_fraction:.0%} of the energy: the "
        "picture shows what is left.",
        _told_of_controls([float(of[best]) for of in controls], masks[1:]),
    ]
    return ExplainedEvent(lines, picture)


def _told_of_controls(probabilities: list[float], masks: list[Mask]) -> str:
    if not masks:
        return "There is not as much energy elsewhere in the event to compare with."
    told = ", ".join(f"{of:.2f}" for of in probabilities)
    fractions = ", ".join(f"{mask.energy_fraction:.0%}" for mask in masks)
    return (
        f"With other parts of the event masked, of {fractions} of the energy, it is {told}. One event proves "
        "nothing: `nuzoo explain --faithfulness N` measures it over many."
    )
