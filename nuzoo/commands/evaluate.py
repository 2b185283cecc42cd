"""Measure a trained model on held-out events and write the report, or compare several.

Writes results.json, predictions.parquet, report.md and its figures to the output folder. The temperature that
calibrates the probabilities is fitted on the validation split; --calibrate stores it in the model's
configuration, for `nuzoo predict` and the pipeline to use.

--compare does so for each of several models, in a folder of its own, and writes comparison.md with its tables
and figures beside them; models that have been measured before are not measured again.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nuzoo.evaluation.tasks.event_classification.asking import Asking
from nuzoo.files.names import REPORT_FOLDER


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
    from nuzoo.evaluation.tasks.event_classification.measure import evaluate_and_report

    asking = options["asking"]
    load = _load_frozen if asking.frozen else None
    if args.out is None and (asking != Asking() or not Path(args.model).is_dir()):
        raise ValueError("--out: expected a folder for the report of what is no model folder as it was saved")
    out = args.out or Path(args.model) / REPORT_FOLDER
    results = evaluate_and_report(args.model or args.frozen, args.data, out, load=load, **options)
    accuracy, events = results["metrics"]["accuracy"], results["dataset"]["events"]
    print(f"accuracy: {accuracy['value']:.3f} ± {accuracy['error']:.3f} ({events} events)")
    print(f"report: {out / 'report.md'}")
    return 0


def _load_frozen(recipe: str, training: Any) -> tuple[Any, Any]:
    from nuzoo.training.vlm.frozen_base import load_frozen_base

    return load_frozen_base(recipe, training)


def _compare(args: argparse.Namespace, options: dict[str, Any]) -> int:
    from nuzoo.evaluation.comparison.compare_models import compare_models

    if args.out is None:
        raise ValueError("--out: expected a folder for the comparison, got none")
    print(f"comparison: {compare_models(args.compare, args.data, args.out, **options)}")
    return 0
