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
from nuzoo.evaluation.core.text import as_table
from nuzoo.evaluation.display.event_summary import true_class
from nuzoo.evaluation.display.pixel_maps.event_display import draw_event
from nuzoo.evaluation.explain.faithfulness import MATCHED, class_probabilities
from nuzoo.files.atomic import write_atomically
from nuzoo.files.file_stems import FileStems
from nuzoo.files.plain_text import plain

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

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


@torch.inference_mode()
def explain(
    model: PreTrainedModel,
    processor: EventProcessor,
    rows: Sequence[Mapping[str, Any]],
    *,
    batch_size: int = 16,
) -> list[Explanation]:
    """Let a vision-language model answer and explain, once for each event."""
    writer: Any = model
    asking: Any = processor
    scores = class_probabilities(model, processor, rows, batch_size, "classify")
    names = class_names_of(model.config)
    found: list[Explanation] = []
    for first in tqdm(range(0, len(rows), batch_size), desc="explain", unit="batch"):
        batch = list(rows[first : first + batch_size])
        classes = torch.tensor(scores[first : first + batch_size].argmax(axis=1))
        inputs = processor(batch).to(model.device)
        tokens = writer.generate(**inputs, classes=classes, max_new_tokens=MOST_TOKENS)
        for row, said, probability in zip(batch, tokens, scores[first:], strict=False):
            best = int(probability.argmax())
            label = model.config.label_token_ids[best]
            decode = asking.tokenizer.decode
            found.append(
                Explanation(
                    str(row.get("event_id", len(found))),
                    names[best],
                    dict(zip(names, map(float, probability), strict=True)),
                    f"{asking.prompt['answer_prefix']}{decode(label)}",
                    decode(said[len(label) :], skip_special_tokens=True).strip(),
                    true_class(row),
                )
            )
    return found


def write_explanations(
    explanations: Sequence[Explanation],
    rows: Sequence[Mapping[str, Any]],
    masked: Mapping[str, Any] | None,
    out: Path,
    model_name: str,
    sample: str | None = None,
) -> Path:
    """Write `explanations.md`, `explanations.json`, and each event with what was said of it as a picture.

    Args:
        explanations: One for each event; none of a model that writes no text.
        rows: The events of them.
        masked: What `measure_masks` returned, if it was asked.
        out: Folder; made if absent.
        model_name: For the title.
        sample: What the events are called; needed unless they are our simulation.

    Returns:
        The report.
    """
    out.mkdir(parents=True, exist_ok=True)
    name, stem_of = plain(model_name), FileStems()
    parts = [f"# What {name} says\n\n{POST_HOC}" if explanations else f"# What matters to {name}"]
    for said, row in zip(explanations, rows, strict=True):
        prediction = {"label": said.label, "score": said.scores[said.label], "scores": said.scores}
        whole = f"{said.answer} {said.text}".strip()
        picture = out / f"{stem_of(said.event_id)}.png"
        draw_event(row, picture, prediction=prediction, sample=sample, caption=f"“{whole}”\n{POST_HOC}")
        truth = "not known" if said.truth is None else plain(said.truth)
        event = plain(said.event_id)
        parts.append(
            f"## {event}\n\n![{event}]({picture.name})\n\n> {plain(whole)}\n\n"
            f"Answered {plain(said.label)} with probability {said.scores[said.label]:.2f}; truth {truth}."
        )
    content = {"note": POST_HOC, "explanations": [asdict(said) for said in explanations], "masks": masked}
    write_atomically(out / JSON_FILE, json.dumps(content, indent=2) + "\n")
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
    titles = ["masked", "events", "of the energy", "drop of the answer's probability"]
    titles += ["more than its control", "paired events"]
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
