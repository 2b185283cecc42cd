"""The report of an evaluation: Markdown and figures, made from its two files alone."""

from __future__ import annotations

from pathlib import Path

from nuzoo.evaluation.core.provenance import check_same_events
from nuzoo.evaluation.core.report_parts import cost_section, events_text
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.evaluation.core.training_events import training_warning
from nuzoo.evaluation.tasks.event_classification.report import remark_on_scaling
from nuzoo.evaluation.tasks.event_reconstruction import figures, published
from nuzoo.evaluation.tasks.event_reconstruction.predictions import read_predictions
from nuzoo.evaluation.tasks.event_reconstruction.residuals import MEANING, QUANTITIES
from nuzoo.evaluation.tasks.event_reconstruction.results import (
    HEADLINE,
    NOMINAL,
    SELECTION,
    ClassifiedBy,
    ReconstructionResults,
)
from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import PREDICTIONS_FILE, REPORT_FILE, RESULTS_FILE
from nuzoo.files.plain_text import plain

FIGURES = {
    "roc.png": figures.draw_roc,
    "fom.png": figures.draw_fom,
    "confusion.png": figures.draw_confusion,
    "reliability.png": figures.draw_reliability,
    "residuals.png": figures.draw_residuals,
    "bias.png": figures.draw_bias,
    "vertex.png": figures.draw_vertex,
}

OF_CLASSES = ["class", "events", "AUC", "threshold", *SELECTION.values()]


def write_report(out: Path) -> Path:
    """Write `report.md` and its figures, see `TaskEvaluator.write_report`."""
    results = read_results(out / RESULTS_FILE, ReconstructionResults)
    predictions = read_predictions(out / PREDICTIONS_FILE)
    check_same_events(results.dataset, predictions.event_id)
    for name, draw in FIGURES.items():
        draw(results, predictions, out / name)
    sections = [
        _summary(results),
        _classes(results),
        _residuals(results),
        _vertex(results),
        _coverage(results),
        _calibration(results),
        cost_section(results),
        _method(results),
        _published(results),
    ]
    write_atomically(out / REPORT_FILE, "\n\n".join(filter(None, sections)) + "\n")
    return out / REPORT_FILE


def _summary(results: ReconstructionResults) -> str:
    dataset, model = results.dataset, results.model
    warning = training_warning(dataset, results.seen)
    numbers = results.headline()
    rows = [[title, with_error(numbers[key])] for key, title in HEADLINE.items()]
    return (
        f"# Event reconstruction: {model.class_name}\n\n"
        + (f"> **Warning:** {warning}.\n\n" if warning else "")
        + f"Sample: **{plain(dataset.sample)}**, split **{plain(dataset.split or 'all')}**, "
        f"{dataset.events:,} events ({plain(dataset.counts_text())}), detector "
        f"{plain(', '.join(dataset.detectors))}. Model: {plain(model.model_type)}, "
        f"{model.parameters:,} parameters, {model.dtype}.\n\n"
        + as_table(["", "value"], rows)
        + f"\n\n{_weights_text(results)}"
    )


def _weights_text(results: ReconstructionResults) -> str:
    """Say how events count."""
    if results.weights != NOMINAL:
        return "Every event counts once: the classes are as many as in the dataset."
    return (
        "Events count by their column `weight`, the events of the nominal sample that they stand for: tau "
        f"neutrinos, which are enriched, are as rare as in the beam. {results.dataset.events:,} events stand "
        f"for {results.weight_sum:,.1f}."
    )


def _classes(results: ReconstructionResults) -> str:
    parts = []
    for of, counts in (
        ("flavour", results.dataset.events_per_flavour),
        ("charm", results.dataset.events_per_charm),
    ):
        found: ClassifiedBy = getattr(results, of)
        absent = (
            f"\n\nWithout events, and no part of the macro average: {', '.join(map(plain, found.absent))}."
            if found.absent
            else ""
        )
        parts.append(
            f"## {of.capitalize()}\n\n{as_table(OF_CLASSES, found.rows(counts))}\n\n"
            f"Macro AUC {with_error(found.macro_auc)}; accuracy of the class of highest score "
            f"{with_error(found.accuracy)}.{absent}"
        )
    number = results.expected_events or results.weight_sum
    return (
        "\n\n".join(parts) + "\n\n![ROC curves](roc.png)\n\n![Scans of the figure of merit](fom.png)\n\n"
        "![Classes that events are assigned to](confusion.png)\n\n"
        f"S and B of S/√(S+B) are for {number:,.0f} events. The threshold of a class is that of the largest "
        "S/√(S+B) of these very events, which makes it optimistic where they are few; in bootstrap replicas "
        "it stays. An event is assigned to the class of highest score among those whose own threshold its "
        "score reaches; one that reaches none is in the last column."
    )


def _residuals(results: ReconstructionResults) -> str:
    rows = [
        [title, f"{of.events:,}", f"{of.undefined:,}", with_error(of.median), with_error(of.sigma_mad)]
        for title, of in ((title, results.residuals[name]) for name, title in QUANTITIES.items())
    ]
    return (
        "## Momenta\n\nFractional errors (true − reconstructed) / true; σ_MAD is 1.4826 times the median "
        "distance from the median. "
        f"{MEANING}\n\n"
        + as_table(["", "events", "undefined", "median", "σ_MAD"], rows)
        + "\n\n![Fractional errors in bins of truth](residuals.png)\n\n![Bias and spread](bias.png)"
    )


def _vertex(results: ReconstructionResults) -> str:
    found = results.vertex
    numbers = {"mean": found.mean_mm, "median": found.median_mm}
    numbers |= {"68 % within": found.within_68_mm, "95 % within": found.within_95_mm}
    table = as_table(["", "mm"], [[title, with_error(number)] for title, number in numbers.items()])
    return f"## Vertex\n\nDistance of the vertex from the true one.\n\n{table}\n\n![Distances](vertex.png)"


def _coverage(results: ReconstructionResults) -> str:
    if not results.coverage:
        return ""
    rows = [
        [plain(name), with_error(of.within_one), with_error(of.within_two)]
        for name, of in results.coverage.items()
    ]
    return (
        "## Uncertainties\n\nComponents within their own standard deviations; Gaussian ones of the right "
        "size have 0.683 and 0.954.\n\n" + as_table(["", "within 1 σ", "within 2 σ"], rows)
    )


def _calibration(results: ReconstructionResults) -> str:
    rows, remarks = [], []
    for of in ("flavour", "charm"):
        found = getattr(results, of).calibration
        numbers = (found.temperature, found.ece_before, found.ece_after, found.ece_if_perfect)
        rows.append([of, *map(with_error, numbers), with_error(found.nll_after)])
        said = f"{of}: {found.temperature.fitted_on}"
        remarks.append(f"Temperature of {said}.{remark_on_scaling(found)}".replace("\n\n", " "))
        if warning := found.temperature.warning:
            remarks.append(f"> **Warning:** {of}: {warning}.")
    header = ["", "temperature", "ECE at T = 1", "ECE", "ECE if perfect", "negative log-likelihood / nats"]
    return (
        "## Calibration\n\n"
        + as_table(header, rows)
        + "\n\n"
        + "\n\n".join(remarks)
        + "\n\nProbabilities are compared with these events as they are, without weights.\n\n"
        "![Reliability](reliability.png)"
    )


def _method(results: ReconstructionResults) -> str:
    bootstrap = results.bootstrap
    return (
        "## How the numbers were made\n\n"
        f"Errors are standard deviations of {bootstrap.replicas:,} bootstrap replicas of the events (seed "
        f"{bootstrap.seed}); they do not cover what another training of the model or another simulation "
        "would change. AUC is one class against the rest, from calibrated probabilities. Quantiles are those "
        "of the weighted empirical distribution."
        f"\n\n{events_text(results)}"
    )


def _published(results: ReconstructionResults) -> str:
    """Put the published numbers beside ours."""
    theirs = f"theirs ({published.SOURCE})"
    rows = []
    for of in (results.flavour, results.charm):
        for name in of.class_names:
            if (known := published.CLASSES.get(name)) is None:
                continue
            fom = known.fom or ("–",) * len(known.auc)
            areas = [f"{area:.3f}" for area in known.auc]
            rows.append([f"AUC, {plain(name)}", with_error(of.auc[name]), *areas])
            rows.append([f"S/√(S+B), {plain(name)}", with_error(of.selection[name].fom), *map(str, fom)])
    titles = HEADLINE | {"vertex_mean_mm": "Mean distance of the vertex / mm"}
    ours = results.headline() | {"vertex_mean_mm": results.vertex.mean_mm}
    whole = [[titles[key], with_error(ours[key]), f"{value:g}"] for key, value in published.WHOLE.items()]
    header = ["", "this model", *(f"theirs: {way}" for way in published.WAYS)]
    return (
        f"## Appendix: published numbers\n\n{as_table(['', 'this model', theirs], whole)}\n\n"
        f"By class, {theirs}:\n\n{as_table(header, rows)}\n\n{published.WHAT_DIFFERS}"
    )
