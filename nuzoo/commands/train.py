"""Train a model by a recipe.

RECIPE is a YAML file or the name of one that comes with nuzoo (nu_cnn_tiny, nu_vlm_tiny). Any field can be
overridden, for example `data.path=DIR training.learning_rate=1e-4`. A run that was stopped goes on when the
same command is given again. Under torchrun it uses every process.
"""

from __future__ import annotations

import argparse

from nuzoo.files.output_folder import check_output
from nuzoo.files.places import check_place
from nuzoo.training.field_names import field_names
from nuzoo.training.fields import refuse_unknown
from nuzoo.training.recipe_files import read_recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("recipe")
    parser.add_argument("overrides", nargs="*", metavar="SECTION.FIELD=VALUE")
    parser.add_argument("--folds", type=int, help="cross-validate on all splits together, with K folds")
    parser.add_argument("--sample", help="what the events are called, unless they are nuzoo's simulation")


def begin(args: argparse.Namespace) -> str:
    """Refuse what the arguments alone show to be wrong; give the first word of the command."""
    if args.sample and args.folds is None:
        raise ValueError("--sample: expected with --folds, which writes a report; leave it out")
    given = read_recipe(args.recipe, args.overrides)
    training, data = (given.get(section) for section in ("training", "data"))
    known = field_names("transformers", "training_args.py", "TrainingArguments")
    if known and isinstance(training, dict):
        refuse_unknown("training", training, known)
    if isinstance(data, dict) and isinstance(path := data.get("path"), str):
        check_place(path, "dataset")
    return f"training by the recipe {args.recipe}"


def run(args: argparse.Namespace) -> int:
    """Do it."""
    from nuzoo.datasets_scripts.common.loading import load_events
    from nuzoo.registry import TASKS, import_object
    from nuzoo.training.recipe import load_recipe

    recipe = load_recipe(args.recipe, args.overrides)
    check_output(recipe.output)
    splits = load_events(recipe.data.path, revision=recipe.data.revision)
    if args.folds is None:
        print(f"model: {import_object(TASKS[recipe.task].trainer)(recipe, splits=splits)}")
        return 0
    from nuzoo.training.cross_validation import cross_validate_and_report

    print(cross_validate_and_report(recipe, splits, args.folds, args.sample))
    return 0
