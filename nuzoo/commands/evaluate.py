"""Measure a trained model on held-out events and write the report, or compare several.

Writes results.json, predictions.parquet, report.md and its figures to the output folder. The temperature that
calibrates the probabilities is fitted on the validation split; --calibrate stores it in the model's
configuration, for `nuzoo predict` and the pipeline to use.

--compare does so for each of several models, in a folder of its own, and writes comparison.md with its tables
and figures beside them; models that have been measured before are not measured again.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.commands.asking import Asking
from nuzoo.commands.output_folder import check_output

if TYPE_CHECKING:
    from datasets import Dataset

REPORT_FOLDER = "report"
"""Where `nuzoo publish` looks for it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    models = parser.add_mutually_exclusive_group(required=True)
    models.add_argument("--model", help="model folder or repository")
    models.add_argument("--compare", nargs="+", metavar="MODEL", help="two or more of them, side by side")
    models.add_argument(
        "--frozen",
        metavar="RECIPE",
        help="the base of a vision-language recipe, without an adapter",
    )
    parser.add_argument("--data", required=True, help="dataset folder or repository")
    parser.add_argument(
        "--split",
        default="test",
        help="events to report on (default: test); all: every labelled event, nothing fitted",
    )
    parser.add_argument("--out", type=Path, help="folder for the report (default: MODEL/report)")
    parser.add_argument("--calibrate", action="store_true", help="store the fitted temperature in the model")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument(
        "--temperature", type=float, help="divide the logits by this, fit none (the VLM paper's T = 5: 0.2)"
    )
    parser.add_argument("--prompt", help="ask a vision-language model with another prompt: a name or file")
    parser.add_argument(
        "--few-shot", action="store_true", help="show it one solved training event of each class before each"
    )
    parser.add_argument("--energy-edges", type=float, nargs="+", help="bins of efficiency and purity, GeV")
    parser.add_argument("--sample", help="what the events are called, unless they are nuzoo's simulation")


def run(args: argparse.Namespace) -> int:
    """Does it."""
    if args.batch_size < 1:
        raise ValueError(f"--batch-size: expected 1 or more, got {args.batch_size}")
    options = {
        name: getattr(args, name) for name in ("split", "calibrate", "batch_size", "energy_edges", "sample")
    }
    asking = Asking(args.prompt, args.few_shot, args.frozen is not None, args.temperature)
    if args.compare:
        if asking != Asking():
            raise ValueError(
                "--compare measures models as they are saved: leave out --prompt, --few-shot, --temperature"
            )
        return _compare(args, options)
    return _evaluate(args, options | {"asking": asking})


def _evaluate(args: argparse.Namespace, options: dict[str, Any]) -> int:
    asking = options["asking"]
    if args.out is None and (asking != Asking() or not Path(args.model).is_dir()):
        raise ValueError("--out: expected a folder for the report of what is no model folder as it was saved")
    out = args.out or Path(args.model) / REPORT_FOLDER
    results = evaluate_and_report(args.model or args.frozen, args.data, out, **options)
    accuracy, events = results["metrics"]["accuracy"], results["dataset"]["events"]
    print(f"accuracy: {accuracy['value']:.3f} ± {accuracy['error']:.3f} ({events} events)")
    print(f"report: {out / 'report.md'}")
    return 0


def _compare(args: argparse.Namespace, options: dict[str, Any]) -> int:
    from nuzoo.commands.compare_models import compare_models

    if args.out is None:
        raise ValueError("--out: expected a folder for the comparison, got none")
    print(f"comparison: {compare_models(args.compare, args.data, args.out, **options)}")
    return 0


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
    from nuzoo.commands.datasets import load_events
    from nuzoo.datasets_scripts.labelled_rows import all_labelled, check_labelled

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
    import torch

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

    Returns:
        The contents of `results.json`.

    Raises:
        ValueError: A dataset without this split, maps or classes, a folder that cannot be written to, or no
            folder or no fit to calibrate with.
    """
    from nuzoo.commands.asking import examples_shown, load_asked
    from nuzoo.evaluation.classification_results import DEFAULT_ENERGY_EDGES
    from nuzoo.evaluation.evaluate_classifier import evaluate_classifier
    from nuzoo.evaluation.predictions import PREDICTIONS_FILE
    from nuzoo.evaluation.report import write_report
    from nuzoo.evaluation.results_file import RESULTS_FILE

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
    model, processor = load_asked(model_path, asking, events.training)
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
    from nuzoo.modeling.adapter_files import write_calibration
    from nuzoo.modeling.modeling_utils_nu import has_adapter

    model.config.temperature = temperature
    if has_adapter(model):
        write_calibration(folder, temperature)
    else:
        model.config.save_pretrained(folder)
