"""From a model and a dataset by name to a written report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from nuzoo.datasets_scripts.common.labelled_rows import all_labelled, check_labelled
from nuzoo.datasets_scripts.common.loading import load_events
from nuzoo.evaluation.tasks.event_classification.asking import Asking, examples_shown, load_asked
from nuzoo.evaluation.tasks.event_classification.evaluate_classifier import evaluate_classifier
from nuzoo.evaluation.tasks.event_classification.report import write_report
from nuzoo.evaluation.tasks.event_classification.results import DEFAULT_ENERGY_EDGES
from nuzoo.files.names import PREDICTIONS_FILE, RESULTS_FILE
from nuzoo.files.output_folder import check_output
from nuzoo.modeling.adapter_files import write_calibration
from nuzoo.modeling.modeling_utils_nu import has_adapter

if TYPE_CHECKING:
    from datasets import Dataset

    from nuzoo.evaluation.tasks.event_classification.asking import Load


@dataclass(frozen=True)
class Events:
    """Labelled events for an evaluation.

    Attributes:
        rows: That numbers are reported for.
        validation: To fit the temperature on, if any.
        training: That the model may have been trained on, if any.
    """

    rows: Dataset
    validation: Dataset | None
    training: Dataset | None

    @property
    def training_events(self) -> int | None:
        """In the dataset's training split."""
        return None if self.training is None else len(self.training)

    def without(self, shown: Dataset | None) -> Events:
        """Without events whose answers the model is told, neither to report on nor to fit on."""
        if shown is None:
            return self
        told = set(shown["event_id"])
        validation = None if self.validation is None else _leave_out(self.validation, told)
        return Events(_leave_out(self.rows, told), validation, self.training)

    def one_per_detector(self) -> Dataset:
        """The first event of each detector."""
        detectors = list(self.rows["detector"])
        return self.rows.select(sorted(detectors.index(detector) for detector in set(detectors)))


def _leave_out(rows: Dataset, event_ids: set[str]) -> Dataset:
    return rows.select([place for place, name in enumerate(rows["event_id"]) if name not in event_ids])


def read_events(data: str, split: str, calibrate: bool = False) -> Events:
    """The events of a dataset that a model is measured on, all of them labelled.

    Args:
        data: Dataset folder or repository.
        split: Name of a split, or "all".
        calibrate: Whether events to fit the temperature on are needed.

    Raises:
        ValueError: A dataset without this split, maps or classes.
    """
    splits = load_events(data)
    training = splits.get("train")
    if split == "all":
        splits = {"all": all_labelled(splits)}
    if split not in splits:
        raise ValueError(f"{data} has no split {split!r}, it has {', '.join(splits)}: is it too small?")
    if calibrate and "validation" not in splits:
        raise ValueError(f"--calibrate: {data} has no split 'validation' to fit the temperature on")
    for name in (split, "validation"):
        if name in splits:
            check_labelled(splits[name], name)
    return Events(splits[split], splits.get("validation"), training)


def inference_device() -> str:
    """Where networks run: on the GPU if there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def evaluate_and_report(
    model_path: str,
    data: str,
    out: Path,
    *,
    split: str = "test",
    calibrate: bool = False,
    batch_size: int = 16,
    energy_edges: list[float] | None = None,
    sample: str | None = None,
    asking: Asking | None = None,
    load: Load | None = None,
) -> dict[str, Any]:
    """Measures a model and writes the report; with `calibrate` its folder gets the fitted temperature.

    Args:
        model_path: Model folder or repository, or the recipe of a frozen base.
        data: Dataset folder or repository.
        out: Folder of the report.
        split: Name of a split, or "all".
        calibrate: Store the fitted temperature.
        batch_size: Events per batch.
        energy_edges: Bins of efficiency and purity, GeV.
        sample: What the events are called.
        asking: How a vision-language model is asked; as it was saved by default.
        load: See `load_asked`.

    Returns:
        The contents of `results.json`.

    Raises:
        ValueError: A dataset without this split, maps or classes, a folder that cannot be written to, or no
            folder or no fit to calibrate with.
    """
    asking = asking or Asking()
    if calibrate and asking != Asking():
        raise ValueError(
            "--calibrate: expected a model that is asked as it was saved, got --prompt, --few-shot, "
            "--frozen or --temperature as well: leave them out"
        )
    if calibrate and not Path(model_path).is_dir():
        raise ValueError(f"--calibrate: expected a model folder, got {model_path}")
    check_output(out)
    events = read_events(data, split, calibrate)
    model, processor = load_asked(model_path, asking, events.training, load)
    events = events.without(examples_shown(asking, events.training))
    model = model.to(inference_device())
    results = evaluate_classifier(
        model,
        processor,
        events.rows,
        out=out,
        validation=events.validation if asking.temperature is None else None,
        batch_size=batch_size,
        energy_edges=energy_edges or DEFAULT_ENERGY_EDGES,
        sample=sample,
    )
    if calibrate:
        _store_temperature(model, model_path, results["calibration"]["temperature"]["value"])
    write_report(out / RESULTS_FILE, out / PREDICTIONS_FILE, out)
    return results


def _store_temperature(model: Any, folder: str, temperature: float) -> None:

    model.config.temperature = temperature
    if has_adapter(model):
        write_calibration(folder, temperature)
    else:
        model.config.save_pretrained(folder)
