"""Let a classifier explain its answers, and test whether what it cites matters."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.evaluation.core.class_names import labels_by_name
from nuzoo.evaluation.core.errors import ExplanationError
from nuzoo.evaluation.core.evaluator import imported
from nuzoo.evaluation.core.events import Events
from nuzoo.evaluation.explain.choice import choose_events
from nuzoo.evaluation.explain.explain import Explained
from nuzoo.evaluation.explain.explanations import explain, write_explanations
from nuzoo.evaluation.explain.faithfulness import masks_of, measure_masks, what_to_mask
from nuzoo.evaluation.explain.masking import rectangle
from nuzoo.evaluation.tasks.event_classification.asking import asked

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor


def explain_classifier(
    model: PreTrainedModel,
    processor: EventProcessor,
    rows: Dataset,
    out: Path,
    *,
    name: str,
    events: int = 5,
    event_ids: Sequence[str] | None = None,
    prompt: str | None = None,
    faithfulness: int = 0,
    region: str | None = None,
    batch_size: int = 16,
    sample: str | None = None,
) -> Explained:
    """Let a classifier explain its answers, see `Explainer.explain`.

    Args:
        model: Classifies events.
        processor: Its processor.
        rows: Events with labels.
        out: Folder for pictures and report.
        name: Of the model.
        events: How many to explain.
        event_ids: Explain these instead.
        prompt: Name or file of another prompt.
        faithfulness: Events of the split in which what is cited is masked.
        region: Mask this in place of what is cited, see `rectangle`.
        batch_size: Events per batch.
        sample: What the events are called; needed unless they are our simulation.

    Raises:
        ExplanationError: A model that writes no text and nothing to mask, or nothing found.
    """
    processor, _ = asked(processor, Events(rows), model.config, prompt=prompt)
    rows = labels_by_name(rows, class_names_of(model.config))
    writes = model.config.writes_text
    if not (faithfulness or region or writes):
        raise ExplanationError(
            f"expected a vision-language model, which writes text, got a {model.config.model_type}: train "
            "nu_vlm_tiny, or leave the text out (--faithfulness works with every classifier)"
        )
    shown = choose_events(rows, event_ids, events) if writes or region else []
    said = explain(model, processor, shown, batch_size=batch_size) if writes else []
    found = None
    if faithfulness or region:
        masked = shown if region else choose_events(rows, None, faithfulness)
        if region:
            chosen = [{"region": rectangle(row, region)} for row in masked]
        elif writes:
            texts = explain(model, processor, masked, batch_size=batch_size)
            chosen = [what_to_mask(row, one.text) for row, one in zip(masked, texts, strict=True)]
        else:
            chosen = [what_to_mask(row, None) for row in masked]
        if not (masks := masks_of(masked, chosen)):
            raise ExplanationError(
                "expected something to mask in these events, found nothing: take more of them"
            )
        found = measure_masks(model, processor, masked, masks, batch_size=batch_size)
    report = write_explanations(said, shown if said else [], found, out, name, sample)
    lines = [f"{one.event_id} ({one.truth}): {one.answer} {one.text}" for one in said]
    return Explained(report, lines if found is None else [*lines, found["conclusion"]])


class ClassifierExplainer:
    """Fulfils `nuzoo.evaluation.explain.explain.Explainer`."""

    options: ClassVar[Collection[str]] = ("prompt", "faithfulness", "region")
    explain = imported(f"{__name__}.explain_classifier")
    explain_event = imported("nuzoo.evaluation.explain.explain_classified_event.explain_classified_event")


EXPLAINER = ClassifierExplainer()
