"""List the trained models that come with nuzoo, show the card of one, or make one again.

Their names can be given to --model of every command and to `model.pretrained` of a recipe. --remake simulates
the events, trains, measures and writes the same kind of folder: about an hour on two CPU cores. When it was
stopped, the same command goes on.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from nuzoo.command_parser import CommandLineError, at_least
from nuzoo.commands.steps import on_local_hub, run_command
from nuzoo.files.aligned import aligned
from nuzoo.files.nearest_names import did_you_mean
from nuzoo.files.output_folder import check_output
from nuzoo.registry import TASKS, import_object
from nuzoo.zoo.origins import ORIGINS

ORGANISATION = "nuzoo"

OF_REMAKE: dict[str, Any] = {"work": Path("runs/zoo"), "report": [], "num_proc": os.cpu_count() or 1}
"""Options that --remake alone heeds, with their defaults."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("name", nargs="?", help="show the card of this model; all are listed by default")
    parser.add_argument("--remake", type=Path, metavar="FOLDER", help="make the model again, in a new folder")
    parser.add_argument(
        "--work",
        type=Path,
        default=OF_REMAKE["work"],
        help="folder for events and training (default: runs/zoo)",
    )
    parser.add_argument(
        "--report",
        type=Path,
        action="append",
        default=OF_REMAKE["report"],
        metavar="FOLDER",
        help="of another sample, for the card; may be repeated",
    )
    parser.add_argument("--num-proc", type=at_least(1), default=OF_REMAKE["num_proc"])


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    if args.remake is None:
        if given := [name for name, value in OF_REMAKE.items() if getattr(args, name) != value]:
            options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise CommandLineError(
                f"{options}: expected --remake FOLDER beside it, which it is for; leave it out"
            )
        return ""
    if args.name not in ORIGINS:
        raise CommandLineError(
            f"--remake: expected one of {', '.join(ORIGINS)} before it, got "
            f"{args.name}{did_you_mean([args.name], ORIGINS)}"
        )
    check_output(args.remake)
    return f"making {args.name} in {args.remake}: simulate, train, evaluate"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.files.names import CARD_FILE
    from nuzoo.zoo.bundled import bundled

    if args.remake is not None:
        return _remake(args)
    if args.name is None:
        return _list()
    print((Path(bundled(args.name)) / CARD_FILE).read_text(encoding="utf-8"))
    return 0


def _list() -> int:
    from nuzoo.zoo.bundled import bundled_models
    from nuzoo.zoo.description import describe

    lines = [("name", "task", "detector", "size", "result"), *map(describe, bundled_models().values())]
    for line in aligned(lines):
        print(line)
    return 0


def _remake(args: argparse.Namespace) -> int:
    with on_local_hub(args.work):
        _make(args)
    return 0


def _make(args: argparse.Namespace) -> None:
    from nuzoo.hub.model.bundle import bundle_model
    from nuzoo.hub.model.half_weights import halve_weights
    from nuzoo.training.recipe import load_recipe

    origin = ORIGINS[args.name]
    data, training = args.work / origin.events.name, args.work / args.name
    repository = f"{ORGANISATION}/{origin.events.name}"
    run_command("simulate", *origin.events.arguments.split(), "--out", data, "--num-proc", args.num_proc)
    run_command("train", origin.recipe, f"data.path={data}", f"training.output_dir={training}")
    halve_weights(training)
    calibrate = ["--calibrate"] if _calibrates(load_recipe(origin.recipe).task) else []
    run_command("evaluate", "--model", training, "--data", data, "--displays", 0, *calibrate)
    run_command("publish", data, "--repo", repository, "--type", "dataset")
    bundle_model(training, args.name, args.remake, dataset=repository, others=args.report)
    print(f"{args.name}: {args.remake}")


def _calibrates(task: str) -> bool:
    evaluator = TASKS[task].evaluator
    return evaluator is not None and import_object(evaluator).store_calibration is not None
