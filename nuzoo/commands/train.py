"""Train a model by a recipe.

RECIPE is a YAML file or the name of one that comes with nuzoo (nu_cnn_tiny, nu_vlm_tiny). Any field can be
overridden, for example `data.path=DIR training.learning_rate=1e-4`. A run that was stopped goes on when the
same command is given again. Under torchrun it uses every process.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from nuzoo.files.output_folder import check_output

if TYPE_CHECKING:
    from nuzoo.training.recipe import Recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Says what the command takes."""
    parser.add_argument("recipe")
    parser.add_argument("overrides", nargs="*", metavar="SECTION.FIELD=VALUE")
    parser.add_argument("--folds", type=int, help="cross-validate on all splits together, with K folds")
    parser.add_argument("--sample", help="what the events are called, unless they are nuzoo's simulation")


def run(args: argparse.Namespace) -> int:
    """Does it."""
    from nuzoo.datasets_scripts.common.loading import load_events
    from nuzoo.training.recipe import load_recipe
    from nuzoo.training.recipe_fields import augmentation, training_arguments

    recipe = load_recipe(args.recipe, args.overrides)
    augmentation(recipe)
    check_output(Path(str(training_arguments(recipe).output_dir)))
    if args.folds is not None:
        return _cross_validate(recipe, args.folds, args.sample)
    from nuzoo.training.train_model import train_model

    splits = load_events(recipe.data.path, revision=recipe.data.revision)
    print(f"model: {train_model(recipe, splits=splits)}")
    return 0


def _cross_validate(recipe: Recipe, folds: int, sample: str | None) -> int:
    from nuzoo.datasets_scripts.common.labelled_rows import all_labelled
    from nuzoo.datasets_scripts.common.loading import load_events
    from nuzoo.evaluation.tasks.event_classification.cross_validated import report_cross_validation
    from nuzoo.training.cross_validation import cross_validate

    rows = all_labelled(load_events(recipe.data.path, revision=recipe.data.revision))
    logits = cross_validate(recipe, rows, folds)
    out = Path(recipe.training["output_dir"])
    results = report_cross_validation(logits, rows, folds, out, sample)
    accuracy = results["metrics"]["accuracy"]
    print(f"accuracy: {accuracy['value']:.3f} ± {accuracy['error']:.3f} ({len(rows)} events, {folds} folds)")
    print(f"results: {out}")
    return 0
