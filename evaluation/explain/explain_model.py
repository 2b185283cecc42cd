"""From a model and a dataset by name to explanations and what masking showed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.datasets_scripts.common.labelled_rows import check_modality
from nuzoo.evaluation.core.class_names import labels_by_name
from nuzoo.evaluation.core.errors import ExplanationError
from nuzoo.evaluation.core.events import Events, read_splits, select_events
from nuzoo.evaluation.core.inference import to_inference_device
from nuzoo.evaluation.display.draw_events import named_row
from nuzoo.evaluation.explain.explanations import Explanation, explain, write_explanations
from nuzoo.evaluation.explain.faithfulness import masks_of, measure_masks, what_to_mask
from nuzoo.evaluation.explain.masking import rectangle
from nuzoo.evaluation.tasks.event_classification.asking import asked
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.files.output_folder import check_output
from nuzoo.pipelines.loading import load_model

if TYPE_CHECKING:
    from datasets import Dataset


def explain_model(
    path: str,
    data: str,
    out: Path,
    *,
    split: str = "test",
    events: int = 5,
    event_ids: Sequence[str] | None = None,
    prompt: str | None = None,
    faithfulness: int = 0,
    region: str | None = None,
    batch_size: int = 16,
    sample: str | None = None,
) -> tuple[Path, list[Explanation], dict[str, Any] | None]:
    """Let a model explain its answers, and test whether what it cites matters.

    Args:
        path: Model folder or repository.
        data: Dataset folder or repository.
        out: Folder for pictures and report.
        split: Of the dataset.
        events: How many to explain.
        event_ids: Explain these instead.
        prompt: Name or file of another prompt.
        faithfulness: Events of the split in which what is cited is masked.
        region: Mask this in place of what is cited, see `rectangle`.
        batch_size: Events per batch.
        sample: What the events are called; needed unless they are our simulation.

    Returns:
        The report, what was said of each event (if the model writes), what masking showed (if asked for).

    Raises:
        ValueError: No such split or event, a model that writes no text and nothing to mask, or nothing found.
    """
    check_output(out)
    splits = read_splits(data, split)
    model, processor = load_model(path)
    check_modality(splits, processor.modality)
    rows = select_events(splits, split, ("label",)).rows
    processor, _ = asked(processor, Events(rows), model.config, prompt=prompt)
    rows = labels_by_name(rows, class_names_of(model.config))
    writes = model.config.writes_text
    if not (faithfulness or region or writes):
        raise ExplanationError(
            f"expected a vision-language model, which writes text, got a {model.config.model_type}: train "
            "nu_vlm_tiny, or leave the text out (--faithfulness works with every classifier)"
        )
    to_inference_device(model.eval())
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
    report = write_explanations(said, shown if said else [], found, out, Path(path).name, sample)
    return report, said, found


def choose_events(rows: Dataset, event_ids: Sequence[str] | None, number: int) -> list[dict[str, Any]]:
    """Choose the events that are named, or a number of each class in turn, in the order of the dataset.

    Raises:
        ExplanationError: A named event is not there.
    """
    known = list(rows["event_id"])
    if event_ids:
        if missing := [name for name in event_ids if name not in known]:
            raise ExplanationError(
                f"no event {', '.join(missing)} there: expected the name of an event such as {known[0]}"
                f"{did_you_mean(missing, known)}"
            )
        return [named_row(rows[known.index(name)], rows.features) for name in event_ids]
    labels = list(rows["label"]) if "label" in rows.column_names else 0
    classes = pd.Series(labels, index=range(len(rows)))
    order = pd.DataFrame({"turn": classes.groupby(classes, dropna=False).cumcount(), "label": classes})
    places = order.sort_values(["turn", "label"], kind="stable").index[:number]
    return [named_row(rows[place], rows.features) for place in places]
