"""The report of an evaluation: Markdown and figures, made from its two files alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from nuzoo.evaluation.core.evaluator import Headline
from nuzoo.evaluation.core.provenance import check_same_events
from nuzoo.evaluation.core.report_parts import cost_section, events_text
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.core.text import as_table
from nuzoo.evaluation.tasks.event_classification import card, figures
from nuzoo.evaluation.tasks.event_classification.predictions import read_predictions
from nuzoo.evaluation.tasks.event_classification.results import PER_CLASS
from nuzoo.evaluation.tasks.masked_event_modelling.measure import MEANING
from nuzoo.evaluation.tasks.masked_event_modelling.results import MaskedEventResults
from nuzoo.evaluation.tasks.pre_training.report import probe_summary
from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import PREDICTIONS_FILE, REPORT_FILE, RESULTS_FILE

CAPTIONS = {"confusion": "Confusion matrices of the probe", "roc": "ROC curves of the probe"}
"""Of the figures of the report, by the stem of their file."""


def write_report(out: Path) -> Path:
    """Write `report.md` and its figures, see `TaskEvaluator.write_report`."""
    results = read_results(out / RESULTS_FILE, MaskedEventResults)
    predictions = read_predictions(out / PREDICTIONS_FILE)
    check_same_events(results.dataset, predictions.event_id)
    figures.draw_roc(results, predictions, out / "roc.png")
    figures.draw_confusion(results, predictions, out / "confusion.png")
    sections = [
        probe_summary(results, f"{results.dataset.events:,} events"),
        _classes(results),
        _told(results),
        cost_section(results),
        _method(results),
    ]
    write_atomically(out / REPORT_FILE, "\n\n".join(sections) + "\n")
    return out / REPORT_FILE


def headline(results: MaskedEventResults) -> list[Headline]:
    """Give what the linear probe reaches, its macro AUC first, see `TaskEvaluator.headline`."""
    found = [replace(of, title=f"{of.title} of a linear probe") for of in card.headline(results)]
    return sorted(found, key=lambda of: of.key != "macro_auc")


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
