"""Is this evaluation in its folder already? Then it need not be made again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nuzoo.evaluation.core.errors import ResultsFileError
from nuzoo.evaluation.core.results_file import read_results
from nuzoo.evaluation.tasks.event_classification.predictions import read_predictions
from nuzoo.evaluation.tasks.event_classification.report import check_same_events
from nuzoo.files.names import PREDICTIONS_FILE, REPORT_FILE, RESULTS_FILE


def is_measured(
    folder: Path,
    subject: dict[str, Any],
    *,
    temperature: float | None,
    batch_size: int,
    energy_edges: Sequence[float],
) -> bool:
    """Whether a folder holds a whole evaluation of this model on these events, with these settings.

    Args:
        folder: Of the report.
        subject: What would be measured (`describe_evaluation`).
        temperature: That the results must have; None for any, because it is fitted.
        batch_size: Events per batch.
        energy_edges: Bins of efficiency and purity, GeV.
    """
    try:
        results = read_results(folder / RESULTS_FILE)
        check_same_events(results, read_predictions(folder / PREDICTIONS_FILE))
    except ResultsFileError:
        return False
    as_read = json.loads(json.dumps(subject))
    edges = [float(edge) for edge in energy_edges]
    used_temperature = results.get("calibration", {}).get("temperature", {}).get("value")
    return (
        (folder / REPORT_FILE).is_file()
        and all(results.get(key) == value for key, value in as_read.items())
        and results.get("cost", {}).get("batch_size") == batch_size
        and results.get("energy", {}).get("edges_gev", edges) == edges
        and temperature in (None, used_temperature)
    )
