"""Train a model by a recipe.

RECIPE is a YAML file or the name of one that comes with nuzoo (`nuzoo recipes` lists them). Any field can be
overridden, for example `data.path=DIR training.learning_rate=1e-4`. A run that was stopped goes on when the
same command is given again. Under torchrun it uses every process.
"""

from __future__ import annotations

import argparse
import logging
import os
from typing import TYPE_CHECKING

from nuzoo.command_parser import CommandLineError, at_least
from nuzoo.datasets_scripts.common.loading import check_source
from nuzoo.files.output_folder import check_output
from nuzoo.pipelines.loading import resolve_model
from nuzoo.training.field_names import field_names
from nuzoo.training.fields import refuse_unknown
from nuzoo.training.recipe_files import read_recipe

if TYPE_CHECKING:
    from nuzoo.training.recipe import Recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("recipe")
    parser.add_argument("overrides", nargs="*", metavar="SECTION.FIELD=VALUE")
    parser.add_argument(
        "--folds", type=at_least(2), help="cross-validate on all splits together, with K folds"
    )
    parser.add_argument("--sample", help="what the events are called, unless they are nuzoo's simulation")


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    if args.sample and args.folds is None:
        raise CommandLineError("--sample: expected with --folds, which writes a report; leave it out")
    given = read_recipe(args.recipe, args.overrides)
    training, data, model = (given.get(section) for section in ("training", "data", "model"))
    known = field_names("transformers", "training_args.py", "TrainingArguments")
    if known and isinstance(training, dict):
        refuse_unknown("training", training, known)
    if isinstance(data, dict) and isinstance(path := data.get("path"), str):
        check_source(path)
    if isinstance(model, dict) and isinstance(pretrained := model.get("pretrained"), str):
        resolve_model(pretrained)
    return f"training by the recipe {args.recipe}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    is_first = os.environ.get("RANK", "0") == "0"
    if not is_first:
        logging.getLogger("nuzoo").setLevel(logging.ERROR)  # the first process says it
    given = read_recipe(args.recipe, args.overrides)
    told = _follow(given, args)
    if is_first:
        print(told)
    return 0


def _follow(given: dict[str, object], args: argparse.Namespace) -> str:
    from nuzoo.training.recipe import parse_recipe

    recipe = parse_recipe(given)
    check_output(recipe.output)
    return _train(recipe) if args.folds is None else _cross_validate(recipe, args)


def _train(recipe: Recipe) -> str:
    from nuzoo.registry import TASKS, import_object
    from nuzoo.training.curves import CURVES_FILE, summary

    folder = import_object(TASKS[recipe.task].trainer)(recipe)
    return "\n".join([*summary(folder), f"curves: {folder / CURVES_FILE}", f"model: {folder}"])


def _cross_validate(recipe: Recipe, args: argparse.Namespace) -> str:
    from nuzoo.training.cross_validation import cross_validate_and_report
    from nuzoo.training.recipe_data import load_splits

    return cross_validate_and_report(recipe, load_splits(recipe), args.folds, args.sample)
