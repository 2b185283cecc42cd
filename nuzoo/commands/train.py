"""Train a model by a recipe.

RECIPE is a YAML file or the name of one that comes with nuzoo (nu_cnn, nu_cnn_tiny). Any field can be
overridden, for example `data.path=DIR training.learning_rate=1e-4`. A run that was stopped goes on when the
same command is given again. Under torchrun it uses every process.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("recipe")
    parser.add_argument("overrides", nargs="*", metavar="SECTION.FIELD=VALUE")


def run(args: argparse.Namespace) -> int:
    """Does it."""
    from nuzoo.training.event_classification import train_event_classifier
    from nuzoo.training.recipe import load_recipe

    print(f"model: {train_event_classifier(load_recipe(args.recipe, args.overrides))}")
    return 0
