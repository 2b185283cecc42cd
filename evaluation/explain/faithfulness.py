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
from datasets import Dataset
from numpy.typing import NDArray

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.evaluation.core.bootstrap import bootstrap
from nuzoo.evaluation.core.calibration import probabilities
from nuzoo.evaluation.core.inference import classify_dataset, view_names
from nuzoo.evaluation.explain.event_objects import Kind, find_objects
from nuzoo.evaluation.explain.masking import Pixels, elsewhere, without

if TYPE_CHECKING:
    from nuzoo.simulation.detectors import Detector

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
    """What an explanation cites first: a shower, a track, or neither.

    Args:
        text: Of the explanation, without the label.

    Returns:
        The kind of object.
    """
    words = re.sub(DENIED, "", text.lower())
    places = [
        (match.start(), kind)
        for kind, known in WORDS.items()
        for match in re.finditer(rf"\b({'|'.join(known)})s?\b", words)
    ]
    return min(places)[1] if places else None


def masks_of(
    rows: Sequence[Mapping[str, Any]],
    detectors: Sequence[Detector],
    explanations: Sequence[str] | None,
    seed: int = 0,
) -> list[Mask]:
    """What to take out of each event.

    Args:
        rows: Events.
        detectors: Of each.
        explanations: Text of each; None of a model without text, whose leading objects are taken.
        seed: Of the controls.

    Returns:
        The masks with their controls. An event whose text cites nothing that is found has none.
    """
    rng = np.random.default_rng(seed)
    masks: list[Mask] = []
    for event, (row, detector) in enumerate(zip(rows, detectors, strict=True)):
        objects = find_objects(row, detector)
        kind = None if explanations is None else cited_kind(explanations[event])
        if explanations is None:
            cited = objects[0] if objects else None
        else:
            cited = next((found for found in objects if found.kind == kind), None)
        if cited is None:
            continue
        name = "leading" if explanations is None else "cited"
        other = next((found for found in objects if found.kind != cited.kind), None)
        masks += with_controls(event, row, detector, name, cited.pixels, rng)
        if other is not None:
            masks += with_controls(event, row, detector, "other", other.pixels, rng)
    return masks


def with_controls(
    event: int,
    row: Mapping[str, Any],
    detector: Detector,
    what: str,
    pixels: Pixels,
    rng: np.random.Generator,
) -> list[Mask]:
    """A mask and its random controls, as far as the event has as much energy elsewhere.

    Args:
        event: Number of the event.
        row: The event.
        detector: Its geometry.
        what: Name of the mask.
        pixels: Flat indices by view.
        rng: Random numbers.
    """
    mask = Mask(event, what, pixels, _fraction(row, pixels))
    patches = [elsewhere(row, detector, pixels, rng) for _ in range(CONTROLS)]
    controls = [Mask(event, f"control of {what}", patch, _fraction(row, patch)) for patch in patches]
    return [mask, *(one for one in controls if one.energy_fraction >= MATCHED * mask.energy_fraction > 0)]


def class_probabilities(
    model: Any, processor: Any, rows: Sequence[Mapping[str, Any]], batch_size: int, description: str
) -> NDArray[np.float64]:
    """Calibrated class probabilities (n, classes).

    Args:
        model: Event classifier.
        processor: Its processor.
        rows: Events.
        batch_size: Events per batch.
        description: Of the progress bar.
    """
    plain = [without(row, {}) for row in rows]
    dataset = Dataset.from_list(plain)
    outputs = classify_dataset(model, processor, dataset, batch_size=batch_size, description=description)
    return probabilities(outputs.logits, model.config.temperature)


def measure_masks(
    model: Any,
    processor: Any,
    rows: Sequence[Mapping[str, Any]],
    masks: Sequence[Mask],
    *,
    batch_size: int = 16,
    seed: int = 0,
) -> dict[str, Any]:
    """How the probabilities move when masks are applied.

    Args:
        model: Event classifier.
        processor: Its processor.
        rows: Events.
        masks: What to take out, see `masks_of`.
        batch_size: Events per batch.
        seed: Of the bootstrap over events.

    Returns:
        `events` with the change of every class; by kind of mask the `mean_drop` of the answered class and
        its `difference` from the controls, with bootstrap errors, and the mean `energy_fraction`; and
        `conclusion`.
    """
    before = class_probabilities(model, processor, rows, batch_size, "as they are")
    after = class_probabilities(
        model, processor, [without(rows[mask.event], mask.pixels) for mask in masks], batch_size, "masked"
    )
    names = class_names_of(model.config)
    answered = before.argmax(axis=1)
    drops: dict[str, dict[int, list[float]]] = {}
    moved = []
    for mask, new in zip(masks, after, strict=True):
        old = before[mask.event]
        drop = float(old[answered[mask.event]] - new[answered[mask.event]])
        drops.setdefault(mask.what, {}).setdefault(mask.event, []).append(drop)
        moved.append(
            {
                "event_id": rows[mask.event].get("event_id"),
                "mask": mask.what,
                "energy_fraction": mask.energy_fraction,
                "answered": names[answered[mask.event]],
                "change": dict(zip(names, (new - old).tolist(), strict=True)),
            }
        )
    means = {
        what: {event: float(np.mean(of)) for event, of in events.items()} for what, events in drops.items()
    }
    differences = {
        what: _difference(means[what], means.get(f"control of {what}", {}), seed)
        for what in means
        if not what.startswith("control")
    }
    return {
        "events": moved,
        "mean_drop": {what: _mean(list(of.values()), seed) for what, of in means.items()},
        "difference": differences,
        "energy_fraction": {
            what: float(np.mean([mask.energy_fraction for mask in masks if mask.what == what]))
            for what in means
        },
        "conclusion": conclusion(differences),
    }


def conclusion(differences: Mapping[str, Mapping[str, Any]]) -> str:
    """One plain sentence on what the masks showed.

    Args:
        differences: From the controls, by kind of mask.
    """
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


def _difference(of: Mapping[int, float], control: Mapping[int, float], seed: int) -> dict[str, Any]:
    """Mean over the events that have both, paired."""
    common = sorted(of.keys() & control.keys())
    return _mean([of[event] - control[event] for event in common], seed)


def _mean(values: list[float], seed: int) -> dict[str, Any]:
    if len(values) < 2:
        return {"value": values[0] if values else None, "error": None, "events": len(values)}
    array = np.array(values)
    found = bootstrap(lambda weights: {"mean": weights @ array / weights.sum(axis=1)}, len(array), seed=seed)[
        "mean"
    ]
    return {"value": found["value"], "error": found["error"], "events": len(array)}


def _fraction(row: Mapping[str, Any], pixels: Pixels) -> float:
    """Energy in the pixels in units of all energy, in the views together."""
    total = inside = 0.0
    for name in view_names(row):
        energy = np.asarray(row[f"{name}_energy"], dtype=np.float64)
        total += energy.sum()
        if name in pixels:
            inside += energy[np.isin(row[f"{name}_index"], pixels[name])].sum()
    return float(inside / total) if total else 0.0
