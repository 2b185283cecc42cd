"""Measure a trained model on held-out events and write the report, or compare several.

Writes results.json, predictions.parquet, report.md and its figures to the output folder, and draws a few
events with the model's predictions in its folder displays. What calibrates the
model (of a classifier, the temperature) is fitted on the validation split; --calibrate stores it in the
model's folder, for `nuzoo predict` and the pipeline to use.

--compare does so for each of several models, in a folder of its own, and writes comparison.md with its tables
and figures beside them; models that have been measured before are not measured again.

--ensemble measures several classifiers as one, whose probabilities are averaged, beside the first of them
alone, and with --passes also the first asked many times with dropout as in training; it writes
uncertainty.md, .csv and figures.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nuzoo.command_parser import CommandLineError, at_least
from nuzoo.commands.inputs import listed
from nuzoo.datasets_scripts.common.loading import check_source
from nuzoo.files.names import REPORT_FILE, REPORT_FOLDER
from nuzoo.files.output_folder import check_output
from nuzoo.pipelines.loading import resolve_model
from nuzoo.quiet_libraries import quieten_libraries
from nuzoo.registry import TASKS, import_object
from nuzoo.zoo.bundled import bundled_models

if TYPE_CHECKING:
    from nuzoo.evaluation.core.evaluator import Option, TaskEvaluator

DISPLAYS = 4
DISPLAYS_FOLDER = "displays"

COMMON = ("split", "calibrate", "batch_size", "sample")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    models = parser.add_mutually_exclusive_group(required=True)
    models.add_argument("--model", help="model folder or repository")
    models.add_argument("--compare", nargs="+", metavar="MODEL", help="two or more of them, side by side")
    models.add_argument("--ensemble", nargs="+", metavar="MODEL", help="one or more classifiers, as one")
    models.add_argument(
        "--frozen", metavar="RECIPE", help="the base of a vision-language recipe, without an adapter"
    )
    parser.add_argument("--data", required=True, help="dataset folder or repository")
    parser.add_argument(
        "--split",
        default="test",
        help="events to report on (default: test); all: every event with truth, nothing fitted",
    )
    parser.add_argument("--out", type=Path, help="folder for the report (default: MODEL/report)")
    parser.add_argument(
        "--passes", type=at_least(2), help="of --ensemble: ask the first so many times with dropout"
    )
    parser.add_argument("--calibrate", action="store_true", help="store what calibrates the model in it")
    parser.add_argument("--batch-size", type=at_least(1), default=16)
    parser.add_argument(
        "--sample", help="what the events are called; that they are simulated is said beside it"
    )
    parser.add_argument(
        "--displays",
        type=at_least(0),
        default=argparse.SUPPRESS,
        help=f"events to draw (default: {DISPLAYS})",
    )
    for option in _options().values():
        parser.add_argument(
            f"--{option.flag}", help=option.help, default=argparse.SUPPRESS, **option.arguments
        )


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    if args.compare and args.out is None:
        raise CommandLineError("--out: expected a folder for the comparison, got none")
    if args.frozen and args.calibrate:
        raise CommandLineError("--calibrate: expected a model folder, got --frozen, which has none")
    models = args.compare or args.ensemble or ([args.model] if args.model else [])
    _check_ensemble(args)
    if (args.compare or args.frozen) and hasattr(args, "displays"):
        raise CommandLineError(
            "--displays: expected --model beside it, whose predictions are drawn; leave it out"
        )
    if args.compare and len(models) < 2:
        raise CommandLineError(
            f"--compare: expected two or more models to compare, got {len(models)}: {models[0]}"
        )
    if args.compare:
        args.compare = [resolve_model(model) for model in args.compare]
    elif args.ensemble:
        args.ensemble = [resolve_model(model) for model in args.ensemble]
    elif args.model:
        args.model = resolve_model(args.model)
    paths = {Path(model) for model in args.compare or args.ensemble or [args.model or args.frozen]}
    if paths & set(bundled_models().values()) and (args.out is None or args.calibrate):
        raise CommandLineError(
            "--out: expected a folder for the report of a model that comes with nuzoo, which stays as it is: "
            "give --out FOLDER, and no --calibrate"
        )
    check_source(args.data)
    if args.out is not None:
        check_output(args.out)
    return f"measuring {listed(models or [args.frozen])} on {args.data}"


def _check_ensemble(args: argparse.Namespace) -> None:
    """Refuse what does not go with an ensemble, or needs one."""
    if not args.ensemble:
        if args.passes:
            raise CommandLineError("--passes: expected --ensemble MODEL beside it, got none")
        return
    if args.out is None:
        raise CommandLineError("--out: expected a folder for the numbers of the ensemble, got none")
    if len(args.ensemble) == 1 and not args.passes:
        raise CommandLineError(
            f"--ensemble: expected two models or more, or --passes, got {args.ensemble[0]} alone"
        )
    given = [name for name in ("displays", *_options()) if hasattr(args, name)]
    if given := given + (["calibrate"] if args.calibrate else []):
        raise CommandLineError(
            f"--{given[0].replace('_', '-')}: expected --model beside it, got --ensemble: leave it out"
        )


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.evaluation.core.errors import OptionError

    try:
        return _measure(args)
    except OptionError as error:
        raise CommandLineError(str(error)) from error


def _measure(args: argparse.Namespace) -> int:
    if args.ensemble:
        return _measure_ensemble(args)
    known = _options()
    given = {name: getattr(args, name) for name in known if hasattr(args, name)}
    options = {name: getattr(args, name) for name in COMMON} | given
    if args.compare:
        return _compare(args, options)
    altered = args.frozen is not None or any(known[name].alters_model for name in given)
    return _evaluate(args, options, altered)


def _options() -> dict[str, Option]:
    """Collect what the tasks take, by name."""
    evaluators = [import_object(task.evaluator) for task in TASKS.values() if task.evaluator]
    return {option.name: option for evaluator in evaluators for option in evaluator.options}


def _evaluate(args: argparse.Namespace, options: dict[str, Any], altered: bool) -> int:
    from nuzoo.evaluation.core.evaluate_model import evaluate_model
    from nuzoo.evaluation.core.training_events import training_warning

    if args.out is None and (altered or not Path(args.model).is_dir()):
        raise CommandLineError(
            "--out: expected a folder for the report of what is no model folder as it was saved"
        )
    out = args.out or Path(args.model) / REPORT_FOLDER
    load = _load_frozen if args.frozen else None
    evaluator, results = evaluate_model(args.model or args.frozen, args.data, out, load=load, **options)
    print(f"{evaluator.headline(results)[0].told} ({results.dataset.events} events)")
    print(f"report: {out / REPORT_FILE}")
    if not altered and (number := getattr(args, "displays", DISPLAYS)):
        _draw(args, evaluator, number, out / DISPLAYS_FOLDER)
    if warning := training_warning(results.dataset, results.seen):
        print(f"warning: {warning}", file=sys.stderr)
    return 0


def _draw(args: argparse.Namespace, evaluator: TaskEvaluator, number: int, out: Path) -> None:
    """Draw the first events of the split, if networks of the task have a pipeline."""
    from nuzoo.evaluation.display.draw_events import choose_rows, draw_events, read_dataset
    from nuzoo.pipelines.loading import load_pipeline

    if TASKS[evaluator.task].pipeline is None:
        if hasattr(args, "displays"):
            print(
                f"--displays: nothing drawn, networks for {evaluator.task} say nothing of single events; "
                f"`nuzoo display {args.data}` draws the events alone",
                file=sys.stderr,
            )
        return
    split = None if args.split == "all" else args.split
    rows = choose_rows(read_dataset(args.data, split), None, number)
    paths = draw_events(rows, out, pipeline=load_pipeline(args.model), sample=args.sample, left_out=[])
    if paths:
        print(f"displays: {paths[-1]}")


def _load_frozen(recipe: str, training: Any) -> tuple[Any, Any]:
    from nuzoo.training.vlm.frozen_base import load_frozen_base

    return load_frozen_base(recipe, training)


def _measure_ensemble(args: argparse.Namespace) -> int:
    from nuzoo.evaluation.uncertainty.measure import measure_uncertainty
    from nuzoo.evaluation.uncertainty.report import TEXT

    options = {"split": args.split, "batch_size": args.batch_size, "sample": args.sample}
    found = measure_uncertainty(args.ensemble, args.data, args.out, passes=args.passes or 0, **options)
    for one in found:
        print(one.told)
    print(f"report: {args.out / TEXT}")
    return 0


def _compare(args: argparse.Namespace, options: dict[str, Any]) -> int:
    from nuzoo.evaluation.comparison.compare_models import compare_models, evaluate_alone

    alone = partial(evaluate_alone, begin=quieten_libraries)
    print(f"comparison: {compare_models(args.compare, args.data, args.out, evaluate=alone, **options)}")
    return 0
