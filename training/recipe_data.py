"""The sections `data` and `processor` of a recipe as events and the geometry of their detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import datasets
import numpy as np
from transformers import PreTrainedConfig
from transformers.trainer_utils import IntervalStrategy

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.datasets_scripts.common.labelled_rows import (
    UnusableDatasetError,
    check_class_names,
    check_columns,
    check_labelled,
    check_lengths,
    check_split,
)
from nuzoo.datasets_scripts.common.loading import load_events
from nuzoo.datasets_scripts.common.local_dataset import UnknownConfigurationError
from nuzoo.evaluation.core.class_names import labels_by_name
from nuzoo.files.events.event_schema import EventSchema
from nuzoo.simulation.detectors import find_detector
from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe import Recipe
from nuzoo.training.streamed_events import held

FITTED_EVENTS = 1000


def used_events(
    recipe: Recipe, splits: Mapping[str, datasets.Dataset] | None = None
) -> dict[str, datasets.Dataset]:
    """Return the splits, by default those of `recipe.data`, with the training events that are wanted.

    Of training events that are streamed, the first are returned, which fits and checks are made on.

    Raises:
        RecipeError: Splits for a recipe that streams its events.
        UnusableDatasetError: There are no training events.
    """
    if recipe.data.streaming:
        if splits is not None:
            raise RecipeError("data.streaming: expected false for events that are given: leave it out")
        return {
            name: held(stream, FITTED_EVENTS if name == "train" else None)
            for name, stream in load_streams(recipe).items()
            if name in ("train", "validation")
        }
    used = dict(splits or load_splits(recipe))
    check_split(used, "train")
    events = recipe.data.train_events
    if events is not None:
        used["train"] = used["train"].select(range(min(events, len(used["train"]))))
    if recipe.data.bootstrap is not None:
        used["train"] = with_replacement(used["train"], recipe.data.bootstrap)
    return used


def with_replacement(rows: datasets.Dataset, seed: int) -> datasets.Dataset:
    """Draw as many events as there are, some more than once and some never (Breiman, bagging)."""
    drawn = np.random.default_rng(seed).integers(len(rows), size=len(rows))
    return rows.select(np.sort(drawn))


def load_splits(recipe: Recipe) -> Mapping[str, datasets.Dataset]:
    """Load the events of `recipe.data`, all of them.

    Raises:
        RecipeError: They shall be streamed; or a repository has several configurations, or not the one that
            is named.
        UnreachableDatasetError: See `load_events`.
    """
    if recipe.data.streaming:
        raise RecipeError("data.streaming: expected false where all events are needed: leave it out")
    return _load(recipe)


def load_streams(recipe: Recipe) -> Mapping[str, datasets.IterableDataset]:
    """Open the events of `recipe.data`, to be read as they are asked for; see `load_splits`."""
    return _load(recipe, streaming=True)


def _load(recipe: Recipe, **options: Any) -> Mapping[str, Any]:
    source = recipe.data
    try:
        splits: Mapping[str, Any] = load_events(
            source.path,
            name=source.config,
            revision=source.revision,
            **options,
        )
    except UnknownConfigurationError as error:
        raise RecipeError(f"data.{error}") from error
    except ValueError as error:
        told = str(error)
        if not any(words in told for words in ("BuilderConfig", "Config name is missing")):
            raise
        named = source.config or "none"
        raise RecipeError(
            f"data.config: expected a configuration that {source.path} has, got {named}: "
            f"{' '.join(told.split())}"
        ) from error
    return splits


def class_names_in(rows: datasets.Dataset | None, targets: Sequence[str]) -> list[str] | None:
    """Name the classes of events, if one column of their truth is of classes, or of lists of such."""
    features = [rows.features[target] for target in targets if target in rows.features] if rows else []
    kinds = [getattr(feature, "feature", feature) for feature in features]
    named = [list(kind.names) for kind in kinds if isinstance(kind, datasets.ClassLabel)]
    return named[0] if len(named) == 1 else None


def in_classes_of(
    config: PreTrainedConfig, targets: Sequence[str], splits: Mapping[str, datasets.Dataset]
) -> dict[str, datasets.Dataset]:
    """Renumber the classes of events as a network does, by their names; those of hits have to be as it has.

    Raises:
        UnusableDatasetError: Events of a class that the network does not have.
    """
    renumbered = dict(splits)
    for target in targets:
        for split, rows in renumbered.items():
            names = class_names_of(config, target)
            renumbered[split] = labels_by_name(rows, names, target)
            if target in rows.features:
                check_class_names(renumbered[split], names, f"split {split}", target)
    return renumbered


def check_splits(
    recipe: Recipe, splits: Mapping[str, datasets.Dataset], config: PreTrainedConfig, schema: EventSchema
) -> None:
    """Refuse events that cannot be trained on, or evaluated on where that is wanted.

    Args:
        recipe: The run.
        splits: The events.
        config: Of the network.
        schema: What its processor reads.

    Raises:
        UnusableDatasetError: No events, a column missing, no truth, or truth in other classes.
    """
    evaluated = [] if recipe.training.eval_strategy == IntervalStrategy.NO else ["validation"]
    for split in ("train", *evaluated):
        check_split(splits, split)
        check_labelled(splits.get(split), split, (), schema)
        check_lengths(splits[split], split, schema, recipe.targets)
        recipe.evaluator.check_events(splits.get(split), split, config)


def geometry_of(rows: datasets.Dataset | None) -> dict[str, Any]:
    """Return what the events of the detector that the first row names look like.

    Raises:
        UnusableDatasetError: There are no rows, they name no detector, or one that is not known.
    """
    check_labelled(rows, "train", ())
    assert rows is not None
    check_columns(rows, "train", ["detector"])
    try:
        return find_detector(rows[0]["detector"]).geometry()
    except ValueError as error:
        raise UnusableDatasetError(f"column {error}") from error


def first_events(rows: datasets.Dataset) -> datasets.Dataset:
    """Return the training events that a processor is fitted on."""
    return rows.select(range(min(FITTED_EVENTS, len(rows))))
