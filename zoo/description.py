"""What a bundled model is, in a line, read from its card and results without loading it."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from nuzoo.files.names import CARD_FILE, RESULTS_FILE


def describe(folder: Path) -> tuple[str, str, str, str, str]:
    """Tell name, task, detector, size and first result of a model.

    Args:
        folder: of a model as it was published, or of a bundled one.
    """
    card = yaml.safe_load((folder / CARD_FILE).read_text(encoding="utf-8").split("---\n")[1])
    results = json.loads((folder / RESULTS_FILE).read_text(encoding="utf-8"))
    measured = card["model-index"][0]["results"][0]
    metric, dataset = measured["metrics"][0], results["dataset"]
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return (
        folder.name,
        measured["task"]["name"].removeprefix("Neutrino "),
        ", ".join(dataset["detectors"]),
        f"{size / 1e6:.1f} MB",
        f"{metric['name'].partition(' (')[0].lower()} {metric['value']:.3f} on {dataset['events']:,} events "
        f"of {dataset['sample']}",
    )
