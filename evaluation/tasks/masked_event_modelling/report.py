"""The report of an evaluation: Markdown and figures, made from its two files alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nuzoo.evaluation.core.provenance import check_same_events
from nuzoo.evaluation.core.report_parts import cost_section, events_text
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.evaluation.core.training_events import training_warning
from nuzoo.evaluation.tasks.event_classification import figures
from nuzoo.evaluation.tasks.event_classification.predictions import read_predictions
from nuzoo.evaluation.tasks.event_classification.results import PER_CLASS
from nuzoo.evaluation.tasks.masked_event_modelling.measure import MEANING
from nuzoo.evaluation.tasks.masked_event_modelling.results import MaskedEventResults
from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import PREDICTIONS_FILE, REPORT_FILE, RESULTS_FILE
from nuzoo.files.plain_text import plain

CAPTIONS = {"confusion": "Confusion matrices of the probe", "roc": "ROC curves of the probe"}
"""Of the figures of the report, by the stem of their file."""


def write_report(out: Path) -> Path:
    """Write `report.md` and its figures, see `TaskEvaluator.write_report`."""
    results = read_results(out / RESULTS_FILE, MaskedEventResults)
    predictions = read_predictions(out / PREDICTIONS_FILE)
    check_same_events(results.dataset, predictions.event_id)
    figures.draw_roc(results, predictions, out / "roc.png")
    figures.draw_confusion(results, predictions, out / "confusion.png")
    sections = [_summary(results), _classes(results), _told(results), cost_section(results), _method(results)]
    write_atomically(out / REPORT_FILE, "\n\n".join(sections) + "\n")
    return out / REPORT_FILE


def _summary(results: MaskedEventResults) -> str:
    dataset, model = results.dataset, results.model
    warning = training_warning(dataset, results.seen)
    rows = [[title, with_error(number)] for title, number in results.metrics.overall().items()]
    return (
        f"# Linear probe of {model.class_name} by {plain(results.target)}\n\n"
        + (f"> **Warning:** {warning}.\n\n" if warning else "")
        + f"Sample: **{plain(dataset.sample)}**, split **{plain(dataset.split or 'all')}**, "
        f"{dataset.events:,} events ({plain(dataset.counts_text())}), detector "
        f"{plain(', '.join(dataset.detectors))}. The probe was fitted on {results.probe_events:,} other "
        f"events. Model: {plain(model.model_type)}, {model.parameters:,} parameters, {model.dtype}.\n\n"
        + as_table(["", "value"], rows)
    )


def _classes(results: MaskedEventResults) -> str:
    return (
        f"## Classes\n\n{as_table(['class', *PER_CLASS.values()], results.metrics.class_rows())}\n\n"
        "![Confusion matrices](confusion.png)\n\n![ROC curves](roc.png)"
    )


def _told(results: MaskedEventResults) -> str:
    return (
        "## What was hidden, and hits\n\n"
        + as_table(["", "value"], told_rows(results))
        + "\n\nWhat is hidden is always the same of an event. Losses are means over batches, without weights."
    )


def told_rows(results: MaskedEventResults) -> list[list[str]]:
    """Write what is told with its meaning, for a table."""
    return [[MEANING[name], f"{results.told[name]:.3g}"] for name in MEANING if name in results.told]


def _method(results: MaskedEventResults) -> str:
    bootstrap = results.bootstrap
    return (
        "## How the numbers were made\n\n"
        "The network is as it was saved. A multinomial logistic regression of the mean of the latents of "
        "whole events was fitted on validation events. Macro numbers are unweighted means over the classes. "
        f"Errors are standard deviations of {bootstrap.replicas:,} bootstrap replicas of the events (seed "
        f"{bootstrap.seed}); they do not cover other events for the probe, or another training.\n\n"
        f"{events_text(results)}"
    )


def card_values(model: Any, processor: Any, results: MaskedEventResults) -> dict[str, Any]:
    """Make the values of the task's section of a card, see `TaskEvaluator.card_values`."""
    return {"captions": CAPTIONS, "told": told_rows(results)}
