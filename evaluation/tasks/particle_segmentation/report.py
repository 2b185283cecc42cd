"""The report of an evaluation: Markdown and figures, made from its two files alone."""

from __future__ import annotations

from pathlib import Path

from nuzoo.evaluation.core.provenance import check_same_events
from nuzoo.evaluation.core.report_parts import cost_section, events_text
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.evaluation.core.training_events import training_warning
from nuzoo.evaluation.tasks.particle_segmentation import figures
from nuzoo.evaluation.tasks.particle_segmentation.predictions import read_predictions
from nuzoo.evaluation.tasks.particle_segmentation.results import PER_CLASS, InstanceResults
from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import PREDICTIONS_FILE, REPORT_FILE, RESULTS_FILE
from nuzoo.files.plain_text import plain


def write_report(out: Path) -> Path:
    """Write `report.md` and its figures, see `TaskEvaluator.write_report`."""
    results = read_results(out / RESULTS_FILE, InstanceResults)
    check_same_events(results.dataset, read_predictions(out / PREDICTIONS_FILE).event_id)
    figures.draw_sizes(results, out / "sizes.png")
    figures.draw_classes(results, out / "classes.png")
    sections = [_summary(results), _per_class(results), cost_section(results), _method(results)]
    write_atomically(out / REPORT_FILE, "\n\n".join(sections) + "\n")
    return out / REPORT_FILE


def _summary(results: InstanceResults) -> str:
    dataset, model = results.dataset, results.model
    warning = training_warning(dataset, results.seen)
    rows = [[title, with_error(number)] for title, number in results.metrics.overall().items()]
    return (
        f"# Segmentation into {plain(results.instances)}s: {model.class_name}\n\n"
        + (f"> **Warning:** {warning}.\n\n" if warning else "")
        + f"Sample: **{plain(dataset.sample)}**, split **{plain(dataset.split or 'all')}**, "
        f"{dataset.events:,} events with {results.hits:,} hits ({plain(dataset.counts_text())}), detector "
        f"{plain(', '.join(dataset.detectors))}. Model: {plain(model.model_type)}, "
        f"{model.parameters:,} parameters, {model.dtype}.\n\n" + as_table(["", "value"], rows)
    )


def _per_class(results: InstanceResults) -> str:
    header = ["class", f"true {plain(results.instances)}s", *PER_CLASS.values()]
    rows = results.metrics.class_rows(results.dataset.instances_per_class)
    return (
        f"## Classes and sizes\n\n{as_table(header, rows)}\n\n"
        "![Classes of matched instances](classes.png)\n\n![Part that is found, by size](sizes.png)"
    )


def _method(results: InstanceResults) -> str:
    bootstrap, dataset = results.bootstrap, results.dataset
    beyond = (
        f" {results.beyond_queries:,} true ones are more than the network has queries for in their event."
        if results.beyond_queries
        else ""
    )
    return (
        "## How the numbers were made\n\n"
        "Hits are counted as they were recorded: those that become one point have one answer. A true and a "
        f"found {results.instances} match if the intersection of their hits is more than half of the union; "
        "counts of all events are summed before they are divided (pooled). The class of a true one is that "
        "of most of its hits. PQ is the sum of the intersections over unions of matched pairs over "
        "TP + FP / 2 + FN / 2; with the right class, a pair of different classes is a false and a missed "
        "one. Efficiency is the part of the hits of a true one that its best found one has, purity the part "
        "of the hits of a found one that its best true one has, both averaged over all of them.\n\n"
        "What is found on hits of no instance (low-energy deposits) is wrong and counts. Hits of instances "
        "of the class of background are void: they count nowhere, and a found instance of which they are "
        f"more than half is not judged unless it matches ({results.not_judged:,} of {results.found:,} "
        "found).\n\n"
        f"{_told_text(results)}"
        "ARI is that of the hits of true instances, where those that nothing claims are one cluster, "
        f"averaged over events with two true instances or more; {dataset.events_with_one:,} events have one, "
        f"{dataset.events_without:,} none, and have no ARI. ARI of claimed hits only forgives what nothing "
        f"claims; it is what Panda's evaluation computes.{beyond}\n\n"
        f"Errors are standard deviations of {bootstrap.replicas:,} bootstrap replicas of the events (seed "
        f"{bootstrap.seed}). They do not cover what another training or another simulation would change."
        f"\n\n{events_text(results)}"
    )


def _told_text(results: InstanceResults) -> str:
    """Say how what is told of instances beside mask and class was compared."""
    if not (compared := results.metrics.compared):
        return ""
    pairs = " and ".join(f"{name} over {number:,}" for name, number in compared.items())
    return (
        "What the network tells of an instance beside its hits and class is compared for matched pairs of "
        f"any class where the truth is known: {pairs} pairs of all events together. Momenta are sizes at the "
        "start; distances of starts are in space.\n\n"
    )
