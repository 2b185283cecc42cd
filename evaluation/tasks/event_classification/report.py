"""The report of an evaluation: Markdown and PNG figures, made from its two files alone."""

from __future__ import annotations

from pathlib import Path

from nuzoo.evaluation.core.provenance import check_same_events
from nuzoo.evaluation.core.report_parts import cost_section, events_text
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.core.text import as_table, with_error
from nuzoo.evaluation.core.training_events import training_warning
from nuzoo.evaluation.tasks.event_classification import figures
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions, read_predictions
from nuzoo.evaluation.tasks.event_classification.published import (
    LARTPC_CLASSIFIERS,
    SOURCE,
    WHAT_DIFFERS,
    is_like_published,
)
from nuzoo.evaluation.tasks.event_classification.results import (
    HALF_RESOLUTION_MEANING,
    OVERALL,
    PER_CLASS,
    Calibration,
    ClassificationResults,
    ClassifiedEvents,
    Metrics,
)
from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import PREDICTIONS_FILE, REPORT_FILE, RESULTS_FILE
from nuzoo.files.plain_text import plain


def write_report(out: Path) -> Path:
    """Write `report.md` and its figures, see `TaskEvaluator.write_report`."""
    results, predictions = read_evaluation(out)
    draw_figures(results, predictions, out)
    sections = [
        _summary(results),
        _per_class(results.metrics),
        _calibration(results),
        _energy(results),
        _half_resolution(results),
        cost_section(results),
        _method(results),
        _published(results),
    ]
    write_atomically(out / REPORT_FILE, "\n\n".join(filter(None, sections)) + "\n")
    return out / REPORT_FILE


def read_evaluation(folder: Path) -> tuple[ClassificationResults, Predictions]:
    """Read results and predictions that `evaluate_classifier` wrote into a folder.

    Raises:
        ResultsFileError: A file cannot be read, or the two are not of one evaluation.
    """
    results = read_results(folder / RESULTS_FILE, ClassificationResults)
    predictions = read_predictions(folder / PREDICTIONS_FILE)
    check_same_events(results.dataset, predictions.event_id)
    return results, predictions


def draw_figures(results: ClassifiedEvents, predictions: Predictions, out: Path) -> None:
    """Draw every figure that the results allow into a folder."""
    drawings = {
        "roc.png": figures.draw_roc,
        "confusion.png": figures.draw_confusion,
        "confidence.png": figures.draw_confidence,
        "reliability.png": figures.draw_reliability,
    }
    if results.energy:
        drawings["energy.png"] = figures.draw_energy
    for name, draw in drawings.items():
        draw(results, predictions, out / name)


def _summary(results: ClassificationResults) -> str:
    dataset, model, asked = results.dataset, results.model, results.processor
    question = (
        f" Asked with the prompt `{plain(asked.prompt)}`, after {asked.examples or 'no'} solved examples."
    )
    warning = training_warning(dataset, results.seen)
    rows = [[title, with_error(number)] for title, number in results.metrics.overall().items()]
    rows.append(["Expected calibration error", with_error(results.calibration.ece_after)])
    return (
        f"# Classification: {model.class_name}\n\n"
        + (f"> **Warning:** {warning}.\n\n" if warning else "")
        + f"Sample: **{plain(dataset.sample)}**, split **{plain(dataset.split or 'all')}**, "
        f"{dataset.events:,} events ({plain(dataset.counts_text())}), detector "
        f"{plain(', '.join(dataset.detectors))}. "
        f"Model: {plain(model.model_type)}, {model.parameters:,} parameters, {model.dtype}."
        f"{question if asked.prompt else ''}\n\n" + as_table(["", "value"], rows)
    )


def _per_class(metrics: Metrics) -> str:
    return (
        f"## Classes\n\n{as_table(['class', *PER_CLASS.values()], metrics.class_rows())}\n\n"
        "Errors in the tables are bootstrap standard deviations; those in the confusion matrices are 68.27 % "
        "Wilson intervals, which keep a width where none or all of the events are in a cell, and are stated "
        "in the table there.\n\n"
        "![Confusion matrices](confusion.png)\n\n![ROC curves](roc.png)\n\n"
        "![Confidence of correct and wrong answers](confidence.png)"
    )


def _calibration(results: ClassificationResults) -> str:
    found = results.calibration
    measured = {
        "expected calibration error": (found.ece_before, found.ece_after),
        "negative log-likelihood (nats)": (found.nll_before, found.nll_after),
    }
    if found.temperature.is_fitted:
        header = ["", "T = 1", "scaled"]
        rows = [[name, with_error(before), with_error(after)] for name, (before, after) in measured.items()]
    else:
        header = ["", f"T = {with_error(found.temperature)}"]
        rows = [[name, with_error(after)] for name, (_, after) in measured.items()]
    warning = found.temperature.warning
    return (
        "## Calibration\n\n"
        + (f"> **Warning:** {warning}.\n\n" if warning else "")
        + f"Temperature T = {with_error(found.temperature)} "
        f"({found.temperature.fitted_on}).\n\n"
        + as_table(header, rows)
        + remark_on_scaling(found)
        + "\n\nPerfectly calibrated probabilities would show a calibration error of "
        f"{with_error(found.ece_if_perfect)} on as many events, because bins fluctuate."
        + (
            f" Less entropy tells right answers from wrong ones with an AUC of "
            f"{with_error(found.certainty_auc)}."
            if found.certainty_auc
            else ""
        )
        + "\n\n![Reliability](reliability.png)"
    )


def remark_on_scaling(found: Calibration) -> str:
    """Say where scaling by a fitted temperature made the calibration of these events worse."""
    if not found.temperature.is_fitted:
        return ""
    pairs = {
        "expected calibration error": (found.ece_before.value, found.ece_after.value),
        "negative log-likelihood": (found.nll_before.value, found.nll_after.value),
    }
    worse = [name for name, (before, after) in pairs.items() if (after or 0) > (before or 0)]
    if not worse:
        return ""
    return (
        f"\n\nOn these events scaling made the {' and the '.join(worse)} larger, not smaller: the "
        "temperature was fitted on others."
    )


def _energy(results: ClassificationResults) -> str:
    if results.energy is None:
        return ""
    outside = results.energy.events_outside
    return (
        "## Energy dependence\n\n![Efficiency and purity against energy](energy.png)\n\n"
        "Vertical bars are 68.27 % Wilson intervals, horizontal ones the bins. Purity holds for the "
        "class fractions of this sample." + (f" {outside:,} events lie outside the bins." if outside else "")
    )


def _half_resolution(results: ClassificationResults) -> str:
    if results.half_resolution is None:
        return ""
    rows = [["full resolution", *map(with_error, results.metrics.overall().values())]]
    for mode, half in results.half_resolution.items():
        rows.append([HALF_RESOLUTION_MEANING[mode], *(with_error(half[key]) for key in OVERALL)])
        rows.append(["– change", *(with_error(half[f"{key}_change"]) for key in OVERALL)])
    return (
        "## Half resolution\n\nThe same model, not trained again, on the same events. Errors of "
        "the changes are paired event by event.\n\n" + as_table(["", *OVERALL.values()], rows)
    )


def _published(results: ClassificationResults) -> str:
    """Put the published numbers beside those of events that are like theirs."""
    if not is_like_published(results.dataset):
        return ""
    image = (results.half_resolution or {}).get("image")
    ours = [
        f"this model, {plain(results.dataset.sample)}",
        *map(with_error, results.metrics.overall().values()),
        *(with_error(image[key]) if image else "–" for key in ("accuracy", "macro_auc")),
        f"{results.model.trainable_parameters / 1e6:,.1f} M",
    ]
    theirs = [
        [
            f"theirs: {row.name}",
            *(f"{value:.2f}" for value in (*row.full, row.half.accuracy, row.half.auc)),
            f"{row.trainable_parameters:g} M",
        ]
        for row in LARTPC_CLASSIFIERS
    ]
    header = ["", "accuracy", "precision", "recall", "AUC"]
    header += ["half-resolution accuracy", "half-resolution AUC", "trainable"]
    return (
        f"## Appendix: published numbers\n\nTheirs are from {SOURCE}.\n\n"
        + as_table(header, [ours, *theirs])
        + f"\n\nWhat differs: {WHAT_DIFFERS}"
    )


def _method(results: ClassificationResults) -> str:
    bootstrap = results.bootstrap
    return (
        "## How the numbers were made\n\n"
        f"Errors are standard deviations of {bootstrap.replicas:,} bootstrap replicas of the "
        f"events (seed {bootstrap.seed}); they do not cover what another training of the model "
        "or another simulation would change. Those of times are the scatter between batches; that "
        "of the temperature is the sandwich estimate. AUC is one class against the rest, from "
        "calibrated probabilities.\n\n"
        f"{events_text(results)}"
    )
