"""Measure a trained model on held-out events and write the report.

Writes results.json, predictions.parquet, report.md and its figures to the output folder. The temperature that
calibrates the probabilities is fitted on the validation split and stored in the model's configuration.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("--model", required=True, help="model folder or repository")
    parser.add_argument("--data", required=True, help="dataset folder or repository")
    parser.add_argument(
        "--split",
        default="test",
        help="events to report on (default: test); all: every labelled event, nothing fitted",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the report")
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--sample", help="what the events are called, unless they are nuzoo's simulation")


def run(args: argparse.Namespace) -> int:
    """Does it."""
    results = evaluate_and_report(
        args.model, args.data, args.out, split=args.split, batch_size=args.batch_size, sample=args.sample
    )
    accuracy, events = results["metrics"]["accuracy"], results["dataset"]["events"]
    print(f"accuracy: {accuracy['value']:.3f} ± {accuracy['error']:.3f} ({events} events)")
    print(f"report: {args.out / 'report.md'}")
    return 0


def evaluate_and_report(
    model_path: str,
    data: str,
    out: Path,
    *,
    split: str = "test",
    batch_size: int = 16,
    sample: str | None = None,
) -> dict[str, Any]:
    """Measures a model, stores its temperature if it is a folder, and writes the report.

    Returns:
        The contents of `results.json`.

    Raises:
        ValueError: The dataset has no such split.
    """
    from datasets import load_dataset
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    from nuzoo.datasets_scripts.pixel_map_rows import all_labelled
    from nuzoo.evaluation.evaluate_classifier import evaluate_classifier
    from nuzoo.evaluation.predictions import PREDICTIONS_FILE
    from nuzoo.evaluation.report import write_report
    from nuzoo.evaluation.results_file import RESULTS_FILE

    model = AutoModelForImageClassification.from_pretrained(model_path)
    splits = load_dataset(data)
    if split == "all":
        splits = {"all": all_labelled(splits)}
    if split not in splits:
        raise ValueError(f"{data} has no split {split!r}; it has {', '.join(splits)}")
    results = evaluate_classifier(
        model,
        AutoImageProcessor.from_pretrained(model_path),
        splits[split],
        out=out,
        validation=splits.get("validation"),
        batch_size=batch_size,
        sample=sample,
    )
    if Path(model_path).is_dir():
        model.config.temperature = results["calibration"]["temperature"]["value"]
        model.config.save_pretrained(model_path)
    write_report(out / RESULTS_FILE, out / PREDICTIONS_FILE, out)
    return results
