"""The report of an evaluation: Markdown and figures, made from its two files alone."""

from __future__ import annotations

from pathlib import Path

from nuzoo.evaluation.core.provenance import check_same_events
from nuzoo.evaluation.core.report_parts import cost_section, events_text
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.evaluation.core.training_events import training_warning
from nuzoo.evaluation.tasks.point_proposal import figures
from nuzoo.evaluation.tasks.point_proposal.predictions import read_predictions
from nuzoo.evaluation.tasks.point_proposal.results import FAR, NEAR, PER_KIND, ProposalResults
from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import PREDICTIONS_FILE, REPORT_FILE, RESULTS_FILE
from nuzoo.files.plain_text import plain


def write_report(out: Path) -> Path:
    """Write `report.md` and its figures, see `TaskEvaluator.write_report`."""
    results = read_results(out / RESULTS_FILE, ProposalResults)
    check_same_events(results.dataset, read_predictions(out / PREDICTIONS_FILE).event_id)
    figures.draw_distances(results, out / "distances.png")
    sections = [_summary(results), _per_kind(results), cost_section(results), _method(results)]
    write_atomically(out / REPORT_FILE, "\n\n".join(sections) + "\n")
    return out / REPORT_FILE


def _summary(results: ProposalResults) -> str:
    dataset, model = results.dataset, results.model
    warning = training_warning(dataset, results.seen)
    rows = [[title, with_error(number)] for title, number in results.metrics.overall().items()]
    return (
        f"# Points of interest: {model.class_name}\n\n"
        + (f"> **Warning:** {warning}.\n\n" if warning else "")
        + f"Sample: **{plain(dataset.sample)}**, split **{plain(dataset.split or 'all')}**, "
        f"{dataset.events:,} events ({plain(dataset.counts_text())}; {results.found:,} found), detector "
        f"{plain(', '.join(dataset.detectors))}. Model: {plain(model.model_type)}, "
        f"{model.parameters:,} parameters, {model.dtype}.\n\n" + as_table(["", "value"], rows)
    )


def _per_kind(results: ProposalResults) -> str:
    rows = results.metrics.kind_rows(results.dataset.keypoints_per_kind)
    return (
        f"## Kinds and distances\n\n{as_table(['kind', 'true', *PER_KIND.values()], rows)}\n\n"
        "![Distances of found from true points](distances.png)"
    )


def _method(results: ProposalResults) -> str:
    bootstrap = results.bootstrap
    return (
        "## How the numbers were made\n\n"
        f"Proposals have a score of {results.threshold:g} or more, and no better one near. True and found "
        "points of an event are paired one to one, the nearest pair first, whatever their kinds; those of "
        f"each kind among themselves, within {NEAR} voxels of {results.voxel_mm:g} mm. Precision is pairs "
        "over found points, recall pairs over true ones, with the counts of all events summed before they "
        f"are divided; distances are those of pairs within {FAR} voxels. Of {results.dataset.events:,} "
        f"events {results.dataset.events_without:,} have no true point: what is found in them is wrong and "
        f"counts.\n\nErrors are standard deviations of {bootstrap.replicas:,} bootstrap replicas of the "
        f"events (seed {bootstrap.seed}). They do not cover what another training or another simulation "
        f"would change.\n\n{events_text(results)}"
    )
