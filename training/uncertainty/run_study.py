"""Train what a study of uncertainty needs, ask it, and say which method knows best how sure it is."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError
from nuzoo.evaluation.core.inference import to_inference_device
from nuzoo.evaluation.core.provenance import describe_dataset
from nuzoo.evaluation.core.results import DatasetFacts
from nuzoo.evaluation.uncertainty.dropping import dropping_modules
from nuzoo.evaluation.uncertainty.figures import draw_rejection, draw_reliability
from nuzoo.evaluation.uncertainty.numbers import ClassUncertainty, class_uncertainty
from nuzoo.evaluation.uncertainty.sampling import Network, Samples, sample_members, sample_passes
from nuzoo.files.atomic import replacing, write_atomically
from nuzoo.pipelines.loading import load_model
from nuzoo.registry import TASKS, import_object
from nuzoo.training.recipe import Recipe
from nuzoo.training.recipe_data import in_classes_of, load_splits
from nuzoo.training.run_folder import holds_finished
from nuzoo.training.supervised import describe_network
from nuzoo.training.uncertainty.report import study_text
from nuzoo.training.uncertainty.study import DROPOUT, TITLES, UncertaintyStudy

TABLE, TEXT = "uncertainty.csv", "uncertainty.md"


@dataclass(frozen=True)
class Measured:
    """A method at one output of the networks.

    Attributes:
        method: Its name.
        output: Name of the output, such as `logits`.
        samples: What it told.
        numbers: How good that is.
    """

    method: str
    output: str
    samples: Samples
    numbers: ClassUncertainty


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
        EvaluationError: The network drops nothing, and Monte Carlo dropout is wanted; or events of
            unnamed origin.
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
    found = []
    for method in study.methods:
        for one in measure_method(study, method, test):
            accuracy, area = one.numbers.accuracy.value, one.numbers.entropy_auroc.value
            tell(f"{method}, {one.output}: accuracy {accuracy:.3f}, entropy AUROC {area or float('nan'):.3f}")
            found.append(one)
    return _write(study, found, facts)


def check_dropout(recipe: Recipe, rows: Dataset) -> None:
    """Refuse a recipe whose network drops nothing, before it is trained.

    Raises:
        EvaluationError: Its network has neither dropout nor drop-path.
    """
    _, config = describe_network(recipe, rows)
    dropping_modules(recipe.model.build(config))


def measure_method(study: UncertaintyStudy, method: str, test: Dataset) -> Iterator[Measured]:
    """Ask the networks of a method about events, and measure each output that tells classes."""
    recipes = [study.recipe_of(member) for member in study.members_of(method)]
    asked: dict[str, Any] = {
        "targets": recipes[0].targets,
        "batch_size": recipes[0].training.per_device_eval_batch_size,
    }
    networks = networks_of(recipes)
    first = next(networks)
    rows = in_classes_of(first[0].config, recipes[0].targets, {"test": test})["test"]
    if method == DROPOUT:
        samples = sample_passes(*first, rows, passes=study.passes, **asked)
    else:
        samples = sample_members(_again(first, networks), rows, **asked)
    for output, told in samples.items():
        numbers = class_uncertainty(told.predictive(), told.truth, told.event)
        yield Measured(method, output, told, numbers)


def networks_of(recipes: Iterable[Recipe]) -> Iterator[Network]:
    """Load networks that were trained, one after the other, where inference runs."""
    for recipe in recipes:
        model, processor = load_model(str(recipe.output))
        to_inference_device(model)
        yield model, processor


def _again(first: Network, others: Iterator[Network]) -> Iterator[Network]:
    yield first
    yield from others


def _write(study: UncertaintyStudy, found: list[Measured], events: DatasetFacts) -> list[Path]:
    """Write table, text, and two figures of each output."""
    table, text = study.folder / TABLE, study.folder / TEXT
    _write_table(table, found)
    pictures: list[Path] = []
    numbers: dict[str, dict[str, ClassUncertainty]] = {}
    tag = f"{events.sample}, {events.events:,} events"
    for output in dict.fromkeys(one.output for one in found):
        of_output = {TITLES[one.method]: one for one in found if one.output == output}
        numbers[output] = {title: one.numbers for title, one in of_output.items()}
        samples = {title: one.samples for title, one in of_output.items()}
        rejection, reliability = (
            study.folder / f"{output}_{stem}.png" for stem in ("rejection", "reliability")
        )
        draw_rejection(numbers[output], tag, rejection)
        draw_reliability(samples, tag, reliability)
        pictures += [rejection, reliability]
    write_atomically(text, study_text(study, numbers, events))
    return [table, text, *pictures, *(picture.with_suffix(".pdf") for picture in pictures)]


def _write_table(path: Path, found: Iterable[Measured]) -> None:
    with replacing(path) as partial, partial.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["output", "method", "number", "value", "error"])
        for one in found:
            for title, number in one.numbers.by_title().items():
                if number is not None:
                    writer.writerow([one.output, one.method, title, number.value, number.error])
