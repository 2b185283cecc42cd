"""The report of an evaluation: Markdown and figures, made from its two files alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nuzoo.evaluation.core.provenance import check_same_events
from nuzoo.evaluation.core.report_parts import cost_section, events_text
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.evaluation.core.training_events import training_warning
from nuzoo.evaluation.tasks.hit_segmentation.predictions import read_predictions
from nuzoo.evaluation.tasks.hit_segmentation.report import draw_figures
from nuzoo.evaluation.tasks.hit_segmentation.results import PER_CLASS
from nuzoo.evaluation.tasks.pre_training.results import PreTrainingResults
from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import PREDICTIONS_FILE, REPORT_FILE, RESULTS_FILE
from nuzoo.files.plain_text import plain

MEANING = {
    "chamfer_loss": "Chamfer distance of masked tokens from the true ones (squared radii and energies)",
    "energy_loss": "mean squared error of the scaled energies of masked tokens, told where their hits are",
    "svm_macro_f1": "F1 of linear support vector machines that tell which classes a token holds, mean",
    "prototypes_used": "prototypes in even use, 1 for all (1 / prototypes: collapsed)",
    "assignment_entropy": "entropy of a token's assignment, of the largest (1: it tells nothing)",
    "feature_spread": "spread of features over events, of their size (0: collapsed)",
}


def write_report(out: Path) -> Path:
    """Write `report.md` and its figures, see `TaskEvaluator.write_report`."""
    results = read_results(out / RESULTS_FILE, PreTrainingResults)
    check_same_events(results.dataset, read_predictions(out / PREDICTIONS_FILE).event_id)
    draw_figures(results, out)
    sections = [
        _summary(results),
        _classes(results),
        _health(results.health),
        cost_section(results),
        _method(results),
    ]
    write_atomically(out / REPORT_FILE, "\n\n".join(sections) + "\n")
    return out / REPORT_FILE


def _summary(results: PreTrainingResults) -> str:
    return probe_summary(results, f"{results.dataset.events:,} events with {results.hits:,} hits")


def probe_summary(results: Any, counted: str) -> str:
    """Say what was measured on what, and the numbers of all classes together.

    Args:
        results: Of a probe.
        counted: How many events, and of these what, there were.
    """
    dataset, model = results.dataset, results.model
    warning = training_warning(dataset, results.seen)
    rows = [[title, with_error(number)] for title, number in results.metrics.overall().items()]
    return (
        f"# Linear probe of {model.class_name} by {plain(results.target)}\n\n"
        + (f"> **Warning:** {warning}.\n\n" if warning else "")
        + f"Sample: **{plain(dataset.sample)}**, split **{plain(dataset.split or 'all')}**, "
        f"{counted} ({plain(dataset.counts_text())}), detector "
        f"{plain(', '.join(dataset.detectors))}. The probe was fitted on {results.probe_events:,} other "
        f"events. Model: {plain(model.model_type)}, {model.parameters:,} parameters, {model.dtype}.\n\n"
        + as_table(["", "value"], rows)
    )


def _classes(results: PreTrainingResults) -> str:
    return (
        f"## Classes\n\n{as_table(['class', *PER_CLASS.values()], results.metrics.class_rows())}\n\n"
        "![F1 of each class](classes.png)\n\n![Confusion matrix](confusion.png)"
    )


def _health(health: Mapping[str, float]) -> str:
    rows = [[_meaning(name), f"{value:.3g}"] for name, value in health.items()]
    return f"## Health of the training\n\n{as_table(['', 'value'], rows)}"


def _meaning(name: str) -> str:
    """Say what a measurement is; those of classes follow their mean, and are called `svm_f1_<class>`."""
    return MEANING.get(name) or f"{name.removeprefix('svm_f1_')} alone"


def _method(results: PreTrainingResults) -> str:
    bootstrap = results.bootstrap
    return (
        "## How the numbers were made\n\n"
        "The network is as it was saved. A multinomial logistic regression of its features of points was "
        "fitted on the validation events, at most 1,000 points of each, and asked about every hit of the "
        "others. Macro numbers are unweighted means over the classes. Errors are standard deviations of "
        f"{bootstrap.replicas:,} bootstrap replicas of the events (seed {bootstrap.seed}); they do not cover "
        f"other events for the probe, or another training.\n\n{events_text(results)}"
    )
