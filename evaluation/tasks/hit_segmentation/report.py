"""The report of an evaluation: Markdown and figures, made from its two files alone."""

from __future__ import annotations

from pathlib import Path

from nuzoo.evaluation.core.provenance import check_same_events
from nuzoo.evaluation.core.report_parts import cost_section, events_text
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.evaluation.core.training_events import training_warning
from nuzoo.evaluation.tasks.hit_segmentation import figures
from nuzoo.evaluation.tasks.hit_segmentation.predictions import read_predictions
from nuzoo.evaluation.tasks.hit_segmentation.results import (
    PER_CLASS,
    MichelResults,
    SegmentationResults,
    SegmentedHits,
)
from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import PREDICTIONS_FILE, REPORT_FILE, RESULTS_FILE
from nuzoo.files.plain_text import plain


def write_report(out: Path) -> Path:
    """Write `report.md` and its figures, see `TaskEvaluator.write_report`."""
    results = read_results(out / RESULTS_FILE, SegmentationResults)
    check_same_events(results.dataset, read_predictions(out / PREDICTIONS_FILE).event_id)
    draw_figures(results, out)
    michel = [_michel(results.michel)] if results.michel else []
    if results.michel:
        figures.draw_michel(results.michel, results.dataset.sample, out / "michel.png")
    sections = [_summary(results), _per_class(results), *michel, cost_section(results), _method(results)]
    write_atomically(out / REPORT_FILE, "\n\n".join(sections) + "\n")
    return out / REPORT_FILE


def draw_figures(results: SegmentedHits, out: Path) -> None:
    """Draw every figure into a folder."""
    figures.draw_confusion(results, out / "confusion.png")
    figures.draw_classes(results, out / "classes.png")


def _summary(results: SegmentationResults) -> str:
    dataset, model = results.dataset, results.model
    warning = training_warning(dataset, results.seen)
    rows = [[title, with_error(number)] for title, number in results.metrics.overall().items()]
    return (
        f"# Hit segmentation by {plain(results.target)}: {model.class_name}\n\n"
        + (f"> **Warning:** {warning}.\n\n" if warning else "")
        + f"Sample: **{plain(dataset.sample)}**, split **{plain(dataset.split or 'all')}**, "
        f"{dataset.events:,} events with {results.hits:,} hits ({plain(dataset.counts_text())}), detector "
        f"{plain(', '.join(dataset.detectors))}. Model: {plain(model.model_type)}, "
        f"{model.parameters:,} parameters, {model.dtype}.\n\n" + as_table(["", "value"], rows)
    )


def _per_class(results: SegmentationResults) -> str:
    return (
        f"## Classes\n\n{as_table(['class', *PER_CLASS.values()], results.metrics.class_rows())}\n\n"
        "![F1 of each class](classes.png)\n\n![Confusion matrix](confusion.png)"
    )


def _michel(michel: MichelResults) -> str:
    return (
        f"## Michel electrons\n\nOf {michel.least_hits} hits and more: {michel.true:,} true, "
        f"{michel.found:,} found, {michel.pairs:,} pairs of both. A found one is connected "
        "voxels of hits that are given the class; it is a true one's if more than half of its hits are, of "
        "several such the one with the most. The others are false. Energies are those of the hits.\n\n"
        f"{as_table(['', 'value'], michel.rows())}\n\n![Energy of Michel electrons](michel.png)"
    )


def _method(results: SegmentationResults) -> str:
    bootstrap = results.bootstrap
    left_out = (
        f" {results.hits_left_out:,} hits are not given to the network and do not count."
        if results.hits_left_out
        else ""
    )
    return (
        "## How the numbers were made\n\n"
        "The hits of all events are counted together, as they were recorded: those that become one point "
        f"have one answer.{left_out} Macro numbers are unweighted means over the classes. Errors are "
        f"standard deviations of {bootstrap.replicas:,} bootstrap replicas of the events (seed "
        f"{bootstrap.seed}): hits of an event are not independent. They do not cover what another training "
        f"or another simulation would change.\n\n{events_text(results)}"
    )
