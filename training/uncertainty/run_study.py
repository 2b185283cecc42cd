"""Train what a study of uncertainty needs, ask it, and say which method knows best how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from datasets import Dataset

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.evaluation.core.inference import to_inference_device
from nuzoo.evaluation.core.provenance import describe_dataset
from nuzoo.evaluation.core.results import DatasetFacts
from nuzoo.evaluation.uncertainty.report import (
    TABLE,
    TEXT,
    Measured,
    draw_methods,
    measured,
    write_table,
)
from nuzoo.evaluation.uncertainty.sampling import Network, sample_members, sample_passes
from nuzoo.files.atomic import write_atomically
from nuzoo.modeling.dropping import dropping_modules
from nuzoo.pipelines.loading import load_model
from nuzoo.registry import TASKS, import_object
from nuzoo.training.recipe import Recipe
from nuzoo.training.recipe_data import in_classes_of, load_splits
from nuzoo.training.run_folder import holds_finished
from nuzoo.training.supervised import describe_network
from nuzoo.training.uncertainty.report import study_text
from nuzoo.training.uncertainty.study import DROPOUT, TITLES, UncertaintyStudy


def run_study(
    study: UncertaintyStudy, sample: str | None = None, tell: Callable[[str], Any] = print
) -> list[Path]:
    """Train what of a study has not been trained yet, measure it, and write table, text and figures.

    Args:
        study: Methods and their trainings.
        sample: What the events are called; needed unless they are our simulation.
        tell: Takes a line for each training and each method.

    Returns:
        The files.

    Raises:
        RecipeError: See `nuzoo.training.supervised.train`.
        UnusableDatasetError: The dataset has no events to test on.
        DropsNothingError: The network drops nothing, and Monte Carlo dropout is wanted.
        EvaluationError: Events of unnamed origin.
    """
    trainings = list(study.trainings())
    splits = load_splits(study.recipe_of(trainings[0]))
    test = splits.get("test")
    if test is None or not len(test):
        raise UnusableDatasetError("expected a split test to measure on, got none")
    facts = describe_dataset(test, sample)
    if DROPOUT in study.methods:
        check_dropout(study.recipe_of(study.members_of(DROPOUT)[0]), splits["train"])
    for number, member in enumerate(trainings, start=1):
        recipe = study.recipe_of(member)
        if not holds_finished(recipe):
            import_object(TASKS[recipe.task].trainer)(recipe)
        tell(f"{number} of {len(trainings)} trained: {recipe.output}")
    found: list[Measured] = []
    for method in study.methods:
        of_method = measure_method(study, method, test)
        for one in of_method:
            tell(one.told)
        found += of_method
    return _write(study, found, facts)


def check_dropout(recipe: Recipe, rows: Dataset) -> None:
    """Refuse a recipe whose network drops nothing, before it is trained.

    Raises:
        DropsNothingError: Its network has neither dropout nor drop-path.
    """
    _, config = describe_network(recipe, rows)
    dropping_modules(recipe.model.build(config))


def measure_method(study: UncertaintyStudy, method: str, test: Dataset) -> list[Measured]:
    """Ask the networks of a method about events, and measure each output that tells classes."""
    recipes = [study.recipe_of(member) for member in study.members_of(method)]
    targets, batch_size = recipes[0].targets, recipes[0].training.per_device_eval_batch_size
    networks = networks_of(recipes)
    first = next(networks)
    rows = in_classes_of(first[0].config, targets, {"test": test})["test"]
    if method == DROPOUT:
        told = sample_passes(*first, rows, passes=study.passes, targets=targets, batch_size=batch_size)
    else:
        members = chain([first], networks)
        told = sample_members(members, rows, targets=targets, batch_size=batch_size)
    return measured(TITLES[method], told)


def networks_of(recipes: Iterable[Recipe]) -> Iterator[Network]:
    """Load networks that were trained, one after the other, where inference runs."""
    for recipe in recipes:
        model, processor = load_model(str(recipe.output))
        to_inference_device(model)
        yield model, processor


def _write(study: UncertaintyStudy, found: list[Measured], events: DatasetFacts) -> list[Path]:
    table, text = study.folder / TABLE, study.folder / TEXT
    write_table(table, found)
    pictures = draw_methods(study.folder, found, events)
    write_atomically(text, study_text(study, found, events))
    return [table, text, *pictures]
