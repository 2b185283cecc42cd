"""Does what an explanation cites matter? Mask it, and see how the class probabilities move.

For each event three kinds of masks are compared: the object that the text cites (or, of a model without text,
the most energetic one), the most energetic object of the other kind, and controls: as much energy elsewhere
in the same event. If the cited object matters more than a control, the probability of the class that
was answered falls more. A text is still written after the decision: that its object matters does not make
it the reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.events import columns_read
from nuzoo.evaluation.display.pixel_maps.event_views import event_views
from nuzoo.evaluation.explain.event_objects import Kind, find_objects
from nuzoo.evaluation.explain.masking import Pixels, elsewhere, without
from nuzoo.evaluation.tasks.event_classification.evaluate import classify

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

CONTROLS = 3
"""Random patches for each masked object."""

MATCHED = 0.8
"""Least energy of a control, in units of what it is compared with. Often there is not as much elsewhere."""

LEAST_EVENTS = 10
"""Fewer are not judged."""

WORDS: dict[Kind, tuple[str, ...]] = {
    "shower": ("shower", "electron", "positron", "electromagnetic"),
    "track": ("track", "muon"),
}
DENIED = r"\b(no|not|neither|nor|without)\b[^,.;:]*"
"""What a text says is not there."""

CLEAR = 2.0
"""Standard errors that a difference needs to be called one."""


@dataclass(frozen=True)
class Mask:
    """One way to take something out of an event.

    Attributes:
        event: Number of the event.
        what: "cited" or, without a text, "leading"; "other", "region"; or "control of" one of them.
        pixels: Flat indices by view.
        energy_fraction: Of the event's energy.
    """

    event: int
    what: str
    pixels: Pixels
    energy_fraction: float


def cited_kind(text: str) -> Kind | None:
    """Tell what an explanation, without the label, cites first: a shower, a track, or neither."""
    words = re.sub(DENIED, "", text.lower())
    places = [
        (match.start(), kind)
        for kind, known in WORDS.items()
        for match in re.finditer(rf"\b({'|'.join(known)})s?\b", words)
    ]
    return min(places)[1] if places else None


def what_to_mask(row: Mapping[str, Any], text: str | None) -> dict[str, Pixels]:
    """Choose what to take out of an event.

    Args:
        row: The event.
        text: Its explanation; None of a model without text.

    Returns:
        "cited", the most energetic object of the kind that the text cites, or without a text "leading", the
        most energetic one; and "other", the most energetic of the other kind. Nothing where none is found.
    """
    objects = find_objects(row)
    kind = None if text is None else cited_kind(text)
    first = next((found for found in objects if text is None or found.kind == kind), None)
    if first is None:
        return {}
    chosen: dict[str, Pixels] = {"leading" if text is None else "cited": first.pixels}
    if other := next((found for found in objects if found.kind != first.kind), None):
        chosen["other"] = other.pixels
    return chosen


def masks_of(
    rows: Sequence[Mapping[str, Any]], chosen: Sequence[Mapping[str, Pixels]], seed: int = 0
) -> list[Mask]:
    """Make masks of what is chosen, and random controls as far as there is as much energy elsewhere."""
    rng = np.random.default_rng(seed)
    masks: list[Mask] = []
    for event, (row, wanted) in enumerate(zip(rows, chosen, strict=True)):
        for what, pixels in wanted.items():
            if fraction := _fraction(row, pixels):
                patches = [elsewhere(row, pixels, rng) for _ in range(CONTROLS)]
                controls = [Mask(event, f"control of {what}", of, _fraction(row, of)) for of in patches]
                masks.append(Mask(event, what, pixels, fraction))
                masks += [of for of in controls if of.energy_fraction >= MATCHED * fraction]
    return masks


def class_probabilities(
    model: PreTrainedModel,
    processor: EventProcessor,
    rows: Sequence[Mapping[str, Any]],
    batch_size: int,
    description: str,
) -> NDArray[np.float64]:
    """Compute calibrated class probabilities (n, classes); `description` is of the progress bar."""
    needed = columns_read(processor)
    dataset = Dataset.from_list([{name: row[name] for name in needed if name in row} for row in rows])
    logits, _ = classify(model, processor, dataset, batch_size=batch_size, description=description)
    return probabilities(logits, model.config.temperature)


def measure_masks(
    model: PreTrainedModel,
    processor: EventProcessor,
    rows: Sequence[Mapping[str, Any]],
    masks: Sequence[Mask],
    *,
    batch_size: int = 16,
) -> dict[str, Any]:
    """Measure how the probabilities move when masks are applied.

    Returns:
        `events` with the change of every class; by kind of mask the `mean_drop` of the answered class and
        its `difference` from the controls, with bootstrap errors, and the mean `energy_fraction`; and
        `conclusion`.
    """
    whole = class_probabilities(model, processor, rows, batch_size, "as they are")
    masked = [without(rows[mask.event], mask.pixels) for mask in masks]
    before = whole[[mask.event for mask in masks]]
    change = class_probabilities(model, processor, masked, batch_size, "masked") - before
    names, answered = class_names_of(model.config), before.argmax(axis=1)
    table = pd.DataFrame([(mask.what, mask.event, mask.energy_fraction) for mask in masks])
    table.columns = pd.Index(["what", "event", "energy_fraction"])
    table["drop"] = -np.take_along_axis(change, answered[:, None], axis=1)[:, 0]
    drops = {what: of.groupby("event")["drop"].mean() for what, of in table.groupby("what", sort=False)}
    differences = {
        what: _mean((of - drops.get(f"control of {what}", pd.Series(dtype=float))).dropna())
        for what, of in drops.items()
        if not what.startswith("control")
    }
    return {
        "events": [
            {
                "event_id": rows[mask.event].get("event_id"),
                "mask": mask.what,
                "energy_fraction": mask.energy_fraction,
                "answered": names[answer],
                "change": dict(zip(names, of.tolist(), strict=True)),
            }
            for mask, answer, of in zip(masks, answered, change, strict=True)
        ],
        "mean_drop": {what: _mean(of) for what, of in drops.items()},
        "difference": differences,
        "energy_fraction": table.groupby("what", sort=False)["energy_fraction"].mean().to_dict(),
        "conclusion": conclusion(differences),
    }


def conclusion(differences: Mapping[str, Mapping[str, Any]]) -> str:
    """Say in one plain sentence what the masks showed, given the differences from the controls."""
    known = {"cited": "what is cited", "leading": "the most energetic object", "region": "the region"}
    name, what = next((pair for pair in known.items() if pair[0] in differences), ("cited", known["cited"]))
    of = differences.get(name)
    if not of or of["events"] < LEAST_EVENTS:
        return (
            f"Whether {what} matters cannot be told: fewer than {LEAST_EVENTS} events have a mask and as "
            "much energy elsewhere."
        )
    value, error = of["value"], of["error"]
    told = f"by {value:+.3f} ± {error:.3f} more than masking as much energy elsewhere"
    verdict = "whether it matters cannot be told"
    if abs(value) > CLEAR * error:
        verdict = "it matters" if value > 0 else "it matters less than other energy"
    return f"Masking {what} lowers the probability of the answer {told}: {verdict}."


def _mean(values: pd.Series[float]) -> dict[str, Any]:
    """Average over events, with the error of the bootstrap."""
    array = values.to_numpy()
    if len(array) < 2:
        return {"value": float(array[0]) if len(array) else None, "error": None, "events": len(array)}
    found = bootstrap(lambda weights: {"mean": weights @ array / weights.sum(axis=1)}, len(array))["mean"]
    return {"value": found.value, "error": found.error, "events": len(array)}


def _fraction(row: Mapping[str, Any], pixels: Pixels) -> float:
    """Divide the energy in the pixels by all energy, in the views together."""
    total = inside = 0.0
    for shown in event_views(row):
        total += shown.energy.sum()
        inside += shown.energy[np.isin(shown.index, pixels.get(shown.view.name, ()))].sum()
    return float(inside / total) if total else 0.0
