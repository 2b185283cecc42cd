"""The report of an evaluation: Markdown and PNG figures, made from its two files alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nuzoo.evaluation.core.errors import ResultsFileError
from nuzoo.evaluation.core.number_format import as_table, with_error
from nuzoo.evaluation.core.provenance import events_digest
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.tasks.event_classification import figures as figures
from nuzoo.evaluation.tasks.event_classification.predictions import Predictions, read_predictions
from nuzoo.evaluation.tasks.event_classification.published import LARTPC_CLASSIFIERS, SOURCE, WHAT_DIFFERS
from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import REPORT_FILE

Results = dict[str, Any]

HALF_RESOLUTION_MEANING = {
    "energy": "energy of 2 × 2 pixels shared (a coarser detector, objects keep their size)",
    "image": "2 × 2 pixels averaged into one (objects half as large, but for a vision-language model, whose "
    "processor scales the image up again)",
}


def write_report(results_json: Path, predictions_parquet: Path, out: Path) -> Path:
    """Write `report.md` and its figures.

    Args:
        results_json: Results file of `evaluate_classifier`.
        predictions_parquet: Predictions file of the same evaluation.
        out: Folder, made if absent.

    Returns:
        Path of the report.

    Raises:
        ResultsFileError: A file cannot be read, or the two are not of one evaluation.
    """
    results, predictions = read_results(results_json), read_predictions(predictions_parquet)
    check_same_events(results, predictions)
    out.mkdir(parents=True, exist_ok=True)
    draw_figures(results, predictions, out)
    sections = [
        _summary(results),
        _per_class(results),
        _calibration(results),
        _energy(results),
        _half_resolution(results),
        _cost(results),
        _published(results),
        _method(results),
    ]
    report = out / REPORT_FILE
    write_atomically(report, "\n\n".join(filter(None, sections)) + "\n")
    return report


def draw_figures(results: Results, predictions: Predictions, out: Path) -> list[Path]:
    """Draw every figure that the results allow into a folder, and return their paths."""
    drawings = {
        "roc.png": figures.draw_roc,
        "confusion.png": figures.draw_confusion,
        "confidence.png": figures.draw_confidence,
        "reliability.png": figures.draw_reliability,
    }
    if "energy" in results:
        drawings["energy.png"] = figures.draw_energy
    for name, draw in drawings.items():
        draw(results, predictions, out / name)
    return [out / name for name in drawings]


def check_same_events(results: Results, predictions: Predictions) -> None:
    """Refuse two files that are not of one evaluation.

    Raises:
        ResultsFileError: They are of different events.
    """
    expected, found = results["dataset"], predictions.event_id
    if expected["events"] != len(found) or expected["event_ids_sha256"] != events_digest(found):
        raise ResultsFileError(
            f"results are of {expected['events']} events, predictions of {len(found)}"
            f"{' others' if expected['events'] == len(found) else ''}; give the two files of one evaluation"
        )


def _summary(results: Results) -> str:
    dataset, model, metrics = results["dataset"], results["model"], results["metrics"]
    counts = ", ".join(f"{n:,} {name}" for name, n in dataset["events_per_class"].items())
    names = {
        "Accuracy": "accuracy",
        "Macro precision": "macro_precision",
        "Macro recall": "macro_recall",
        "Macro one-vs-rest AUC": "macro_auc",
    }
    rows = [[title, with_error(metrics[key])] for title, key in names.items()]
    rows.append(["Expected calibration error", with_error(results["calibration"]["ece_after"])])
    return (
        f"# Event classification: {model['class']}\n\n"
        f"Sample: **{dataset['sample']}**, {dataset['events']:,} events ({counts}), detector "
        f"{', '.join(dataset['detectors'])}. "
        f"Model: `{model['model_type']}`, {model['parameters']:,} parameters, {model['dtype']}."
        f"{_question(results)}\n\n" + as_table(["", "value"], rows)
    )


def _per_class(results: Results) -> str:
    metrics = results["metrics"]
    rows = [
        [name, *(with_error(metrics[key][name]) for key in ("recall", "precision", "auc"))]
        for name in results["class_names"]
    ]
    return (
        "## Classes\n\n"
        + as_table(["class", "recall (efficiency)", "precision (purity)", "AUC"], rows)
        + "\n\n![Confusion matrices](confusion.png)\n\n![ROC curves](roc.png)\n\n"
        "![Confidence of right and wrong answers](confidence.png)"
    )


def _calibration(results: Results) -> str:
    calibration = results["calibration"]
    temperature = calibration["temperature"]
    rows = [
        ["expected calibration error", *_before_after(calibration, "ece")],
        ["negative log-likelihood (nats)", *_before_after(calibration, "nll")],
    ]
    return (
        f"## Calibration\n\nTemperature T = {with_error(temperature)} "
        f"({temperature['fitted_on']}).\n\n"
        + as_table(["", "T = 1", "scaled"], rows)
        + "\n\nPerfectly calibrated probabilities would show a calibration error of "
        f"{with_error(calibration['ece_if_perfect'])} on as many events, because bins fluctuate."
        "\n\n![Reliability](reliability.png)"
    )


def _before_after(calibration: Results, name: str) -> list[str]:
    return [with_error(calibration[f"{name}_{when}"]) for when in ("before", "after")]


def _energy(results: Results) -> str:
    if "energy" not in results:
        return ""
    outside = results["energy"]["events_outside"]
    return (
        "## Energy dependence\n\n![Efficiency and purity against energy](energy.png)\n\n"
        "Bars are 68.27 % Wilson intervals. Purity holds for the class fractions of this sample."
        + (f" {outside:,} events lie outside the bins." if outside else "")
    )


def _half_resolution(results: Results) -> str:
    if "half_resolution" not in results:
        return ""
    metrics, halves = results["metrics"], results["half_resolution"]
    keys = ("accuracy", "macro_precision", "macro_recall", "macro_auc")
    rows = [["full resolution", *(with_error(metrics[key]) for key in keys)]]
    for mode, half in halves.items():
        rows.append([HALF_RESOLUTION_MEANING[mode], *(with_error(half[key]) for key in keys)])
        rows.append(["– change", *(with_error(half[f"{key}_change"]) for key in keys)])
    header = ["", "accuracy", "macro precision", "macro recall", "macro AUC"]
    return (
        "## Half resolution\n\nThe same model, not trained again, on the same events. Errors of "
        "the changes are paired event by event.\n\n" + as_table(header, rows)
    )


def _cost(results: Results) -> str:
    cost, machine = results["cost"], results["machine"]
    rows = [[part, with_error(time)] for part, time in cost["ms_per_event"].items()]
    memory = cost["peak_memory"]
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"## Cost\n\nBatches of {cost['batch_size']} on {machine.get('gpu', machine['processor'])} "
        f"({machine['threads']} threads). Peak memory {memory['mib']:,.0f} MiB "
        f"({memory['counts']}).\n\n"
        + as_table(["step", "ms per event"], rows)
        + f"\n\n{machine['system']}, Python {machine['python']}, {packages}."
    )


def _published(results: Results) -> str:
    metrics, halves = results["metrics"], results.get("half_resolution", {})
    image = halves.get("image")
    ours = [
        f"this model, {results['dataset']['sample']}",
        *(with_error(metrics[key]) for key in ("accuracy", "macro_precision", "macro_recall", "macro_auc")),
        *(with_error(image[key]) if image else "–" for key in ("accuracy", "macro_auc")),
        f"{results['model']['trainable_parameters'] / 1e6:,.1f} M",
    ]
    theirs = [
        [
            f"theirs: {row.name}",
            *(f"{v:.2f}" for v in (row.accuracy, row.precision, row.recall, row.auc)),
            f"{row.half_resolution_accuracy:.2f}",
            f"{row.half_resolution_auc:.2f}",
            f"{row.trainable_parameters:g} M",
        ]
        for row in LARTPC_CLASSIFIERS
    ]
    header = ["", "accuracy", "precision", "recall", "AUC"]
    header += ["half-resolution accuracy", "half-resolution AUC", "trainable"]
    return (
        f"## Published numbers\n\nTheirs are from {SOURCE}.\n\n"
        + as_table(header, [ours, *theirs])
        + f"\n\nWhat differs: {WHAT_DIFFERS}"
    )


def _question(results: Results) -> str:
    processor = results["processor"]
    if "prompt" not in processor:
        return ""
    shown = processor["examples"] or "no"
    return f" Asked with the prompt `{processor['prompt']}`, after {shown} solved examples."


def _method(results: Results) -> str:
    bootstrap, dataset = results["bootstrap"], results["dataset"]
    sources = "; ".join(dataset["sources"])
    more = dataset["source_count"] - len(dataset["sources"])
    return (
        "## How the numbers were made\n\n"
        f"Errors are standard deviations of {bootstrap['replicas']:,} bootstrap replicas of the "
        f"events (seed {bootstrap['seed']}); they do not cover what another training of the model "
        "or another simulation would change. Those of times are the scatter between batches; that "
        "of the temperature is the sandwich estimate. AUC is one class against the rest, from "
        "calibrated probabilities.\n\n"
        f"Events: {sources}{f' and {more:,} more sources' if more else ''}; SHA-256 of the sorted "
        f"event ids `{dataset['event_ids_sha256']}`. Evaluated {results['created']}."
    )
