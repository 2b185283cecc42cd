"""What a vision-language model says of events, beside the events: written after the decision."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from tqdm.auto import tqdm

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.evaluation.core.errors import ExplanationError
from nuzoo.evaluation.core.number_format import as_table
from nuzoo.evaluation.display.pixel_maps.event_display import draw_event, file_stem
from nuzoo.evaluation.display.pixel_maps.event_summary import true_class
from nuzoo.evaluation.explain.faithfulness import MATCHED, class_probabilities
from nuzoo.files.atomic import write_atomically

if TYPE_CHECKING:
    from nuzoo.simulation.detectors import Detector

POST_HOC = "Post-hoc explanation: written after the decision, no measurement of what decided."
REPORT_FILE = "explanations.md"
JSON_FILE = "explanations.json"
MOST_TOKENS = 80


@dataclass(frozen=True)
class Explanation:
    """What was said of an event.

    Attributes:
        event_id: Of the event.
        label: The most probable class.
        scores: Calibrated probability of each class.
        answer: The sentence with the label.
        text: What followed.
        truth: The true class, if known.
    """

    event_id: str
    label: str
    scores: dict[str, float]
    answer: str
    text: str
    truth: str | None


def check_explains(model: Any) -> None:
    """Refuse a model that writes no text.

    Raises:
        ExplanationError: It does not.
    """
    if not hasattr(model.config, "label_token_ids"):
        raise ExplanationError(
            f"expected a vision-language model, which writes text, got a {model.config.model_type}: train "
            "nu_vlm_tiny, or leave the text out (--faithfulness works with every classifier)"
        )


@torch.inference_mode()
def explain(
    model: Any, processor: Any, rows: Sequence[Mapping[str, Any]], *, batch_size: int = 16
) -> list[Explanation]:
    """Let a model answer and explain.

    Args:
        model: Vision-language model.
        processor: Its processor.
        rows: Events.
        batch_size: Events per batch.

    Returns:
        One explanation for each event.

    Raises:
        ExplanationError: The model writes no text.
    """
    check_explains(model)
    scores = class_probabilities(model, processor, rows, batch_size, "classify")
    names = class_names_of(model.config)
    found: list[Explanation] = []
    for first in tqdm(range(0, len(rows), batch_size), desc="explain", unit="batch"):
        batch = list(rows[first : first + batch_size])
        classes = torch.tensor(scores[first : first + batch_size].argmax(axis=1))
        inputs = processor(batch).to(model.device)
        tokens = model.generate(**inputs, classes=classes, max_new_tokens=MOST_TOKENS)
        for row, said, probability in zip(batch, tokens, scores[first:], strict=False):
            best = int(probability.argmax())
            label = model.config.label_token_ids[best]
            decode = processor.tokenizer.decode
            found.append(
                Explanation(
                    str(row.get("event_id", len(found))),
                    names[best],
                    dict(zip(names, map(float, probability), strict=True)),
                    f"{processor.prompt['answer_prefix']}{decode(label)}",
                    decode(said[len(label) :], skip_special_tokens=True).strip(),
                    true_class(row),
                )
            )
    return found


def draw_explanations(
    explanations: Sequence[Explanation],
    rows: Sequence[Mapping[str, Any]],
    detectors: Sequence[Detector],
    out: Path,
    sample: str | None = None,
) -> list[Path]:
    """Draw each event with what was said of it, `<event id>.png`.

    Args:
        explanations: One for each event.
        rows: The events.
        detectors: Of each.
        out: Folder; it exists.
        sample: What the events are called; needed unless they are our simulation.

    Returns:
        The pictures.
    """
    pictures = []
    for said, row, detector in zip(explanations, rows, detectors, strict=True):
        prediction = {"label": said.label, "score": said.scores[said.label], "scores": said.scores}
        caption = f"“{said.answer} {said.text}”\n{POST_HOC}"
        path = out / f"{file_stem(said.event_id)}.png"
        draw_event(row, detector, path, prediction=prediction, sample=sample, caption=caption)
        pictures.append(path)
    return pictures


def write_explanations(
    explanations: Sequence[Explanation],
    pictures: Sequence[Path],
    masked: Mapping[str, Any] | None,
    out: Path,
    model_name: str,
) -> Path:
    """Write `explanations.md` and `explanations.json`.

    Args:
        explanations: One for each event.
        pictures: One for each event.
        masked: What `nuzoo.evaluation.explain.faithfulness.measure_masks` returned, if it was asked.
        out: Folder.
        model_name: For the title.

    Returns:
        The report.
    """
    content = {"note": POST_HOC, "explanations": [asdict(said) for said in explanations], "masks": masked}
    write_atomically(out / JSON_FILE, json.dumps(content, indent=2) + "\n")
    parts = [f"# What {model_name} says\n\n{POST_HOC}" if explanations else f"# What matters to {model_name}"]
    for said, picture in zip(explanations, pictures, strict=True):
        truth = "not known" if said.truth is None else f"`{said.truth}`"
        parts.append(
            f"## {said.event_id}\n\n![{said.event_id}]({picture.name})\n\n> {said.answer} {said.text}\n\n"
            f"Answered `{said.label}` with probability {said.scores[said.label]:.2f}; truth {truth}."
        )
    if masked is not None:
        parts.append(_masks_text(masked))
    write_atomically(out / REPORT_FILE, "\n\n".join(parts) + "\n")
    return out / REPORT_FILE


def _masks_text(masked: Mapping[str, Any]) -> str:
    rows = [
        [
            what,
            f"{drop['events']}",
            f"{masked['energy_fraction'][what]:.2f}",
            _with_error(drop),
            _with_error(masked["difference"].get(what)),
            f"{masked['difference'][what]['events']}" if what in masked["difference"] else "",
        ]
        for what, drop in masked["mean_drop"].items()
    ]
    titles = [
        "masked",
        "events",
        "of the energy",
        "drop of the answer's probability",
        "more than its control",
        "paired events",
    ]
    return (
        f"## Does it matter?\n\n{masked['conclusion']}\n\n"
        + as_table(titles, rows)
        + "\n\nThe drop is that of the class that was answered. A control is about as much energy "
        f"elsewhere in the same event (at least {MATCHED:g} of it; many events have none), three times at "
        "random. Errors are of the bootstrap over events."
    )


def _with_error(number: Mapping[str, Any] | None) -> str:
    if number is None or number["value"] is None:
        return ""
    return f"{number['value']:+.3f}" + ("" if number["error"] is None else f" ± {number['error']:.3f}")
