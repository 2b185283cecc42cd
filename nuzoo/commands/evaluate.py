"""Measure a trained model on held-out events and write the report.

Writes results.json, predictions.parquet, report.md and its figures to the output folder. The temperature that
calibrates the probabilities is fitted on the validation split; --calibrate stores it in the model's
configuration, for `nuzoo predict` and the pipeline to use.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nuzoo.commands.output_folder import check_output

REPORT_FOLDER = "report"
"""Where `nuzoo publish` looks for it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("--model", required=True, help="model folder or repository")
    parser.add_argument("--data", required=True, help="dataset folder or repository")
    parser.add_argument(
        "--split",
        default="test",
        help="events to report on (default: test); all: every labelled event, nothing fitted",
    )
    parser.add_argument("--out", type=Path, help="folder for the report (default: MODEL/report)")
    parser.add_argument("--calibrate", action="store_true", help="store the fitted temperature in the model")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--energy-edges", type=float, nargs="+", help="bins of efficiency and purity, GeV")
    parser.add_argument("--sample", help="what the events are called, unless they are nuzoo's simulation")


def run(args: argparse.Namespace) -> int:
    """Does it."""
    if args.out is None and not Path(args.model).is_dir():
        raise ValueError(f"--out: expected a folder for the report, since {args.model} is none")
    out = args.out or Path(args.model) / REPORT_FOLDER
    results = evaluate_and_report(
        args.model,
        args.data,
        out,
        split=args.split,
        calibrate=args.calibrate,
        batch_size=args.batch_size,
        energy_edges=args.energy_edges,
        sample=args.sample,
    )
    accuracy, events = results["metrics"]["accuracy"], results["dataset"]["events"]
    print(f"accuracy: {accuracy['value']:.3f} ± {accuracy['error']:.3f} ({events} events)")
    print(f"report: {out / 'report.md'}")
    return 0


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
) -> dict[str, Any]:
    """Measures a model and writes the report; with `calibrate` its folder gets the fitted temperature.

    Returns:
        The contents of `results.json`.

    Raises:
        ValueError: A dataset without this split, maps or classes, a folder that cannot be written to, or no
            folder or no fit to calibrate with.
    """
    import torch

    from nuzoo.commands.classifier import load_model
    from nuzoo.commands.datasets import load_events
    from nuzoo.datasets_scripts.labelled_rows import all_labelled, check_labelled
    from nuzoo.evaluation.classification_results import DEFAULT_ENERGY_EDGES
    from nuzoo.evaluation.evaluate_classifier import evaluate_classifier
    from nuzoo.evaluation.predictions import PREDICTIONS_FILE
    from nuzoo.evaluation.report import write_report
    from nuzoo.evaluation.results_file import RESULTS_FILE

    if calibrate and not Path(model_path).is_dir():
        raise ValueError(f"--calibrate: expected a model folder, got {model_path}")
    check_output(out)
    splits = load_events(data)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, processor = load_model(model_path)
    model = model.to(device)
    if split == "all":
        splits = {"all": all_labelled(splits)}
    if split not in splits:
        raise ValueError(f"{data} has no split {split!r}, it has {', '.join(splits)}: is it too small?")
    if calibrate and "validation" not in splits:
        raise ValueError(f"--calibrate: {data} has no split 'validation' to fit the temperature on")
    for name in (split, "validation"):
        if name in splits:
            check_labelled(splits[name], name)
    results = evaluate_classifier(
        model,
        processor,
        splits[split],
        out=out,
        validation=splits.get("validation"),
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
