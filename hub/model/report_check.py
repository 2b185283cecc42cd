"""Read a report for a card: complete, and its headline numbers those of its own predictions."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.tasks.event_classification.predictions import read_predictions
from nuzoo.evaluation.tasks.event_classification.results import classification_results
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE
from nuzoo.hub.errors import MissingResultsError, ResultsMismatchError, UnpublishableContentError
from nuzoo.hub.model.event_classifier_card import HEADLINE
from nuzoo.hub.model.results_shape import check_shape


def read_report(report: Path, run: Path) -> dict[str, Any]:
    """Read the results of a report folder.

    Args:
        report: As `nuzoo evaluate` wrote it.
        run: Folder of the model, for the message.

    Returns:
        Contents of the results file.

    Raises:
        MissingResultsError: There are none, or not all of them.
        ResultsFileError: The file cannot be read.
        UnpublishableContentError: A file of the folder is a link to another place.
    """
    advice = _advice(report, run)
    _refuse_links(report)
    if not (report / RESULTS_FILE).is_file():
        raise MissingResultsError(
            f"no {RESULTS_FILE} in {report}: a card shows measured results; {advice} first, or give "
            "--report FOLDER"
        )
    results = read_results(report / RESULTS_FILE)
    check_shape(results, report / RESULTS_FILE, f"{advice} again")
    try:
        json.dumps(results, allow_nan=False)
    except ValueError as error:
        raise MissingResultsError(
            f"{report / RESULTS_FILE} holds NaN or infinity, which nobody measured; {advice} again"
        ) from error
    return results


def _refuse_links(report: Path) -> None:
    if links := sorted(path for path in report.glob("*") if path.is_symlink()):
        raise UnpublishableContentError(
            f"{links[0]}: expected a file of the report, got a link, which may lead to anything; remove it, "
            "or put the file there"
        )


def check_headline(results: dict[str, Any], report: Path, run: Path) -> None:
    """Compute the headline numbers again from the predictions beside them.

    Args:
        results: Contents of the results file.
        report: Its folder.
        run: Folder of the model, for the message.

    Raises:
        ResultsFileError: The predictions cannot be read.
        ResultsMismatchError: A number is not what they give.
    """
    predictions = read_predictions(report / PREDICTIONS_FILE)
    stated_events = results["dataset"]["events"]
    if len(predictions.label) != stated_events or results["dataset"]["split"] == "train":
        raise ResultsMismatchError(
            f"{report / RESULTS_FILE} is of {stated_events} events of split {results['dataset']['split']!r}, "
            f"its {PREDICTIONS_FILE} hold {len(predictions.label)}; a card shows all held-out events: "
            f"{_advice(report, run)} again"
        )
    temperature = results["calibration"]["temperature"]["value"]
    again = classification_results(
        predictions.logits, predictions.label, results["class_names"], temperature=temperature, replicas=2
    )
    for name in HEADLINE:
        stated, found = results["metrics"][name]["value"], again["metrics"][name]["value"]
        if not math.isclose(stated, found, rel_tol=1e-6, abs_tol=1e-9):
            raise ResultsMismatchError(
                f"{report / RESULTS_FILE} says {name} {stated}, its {PREDICTIONS_FILE} give {found:.6g}; "
                f"{_advice(report, run)} again"
            )


def _advice(report: Path, run: Path) -> str:
    return f"run `nuzoo evaluate --model {run} --data DATASET --out {report} --calibrate`"
