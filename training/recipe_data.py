"""The sections `data` and `processor` of a recipe as events and a fitted processor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import datasets
from transformers import AutoImageProcessor, TrainingArguments
from transformers.trainer_utils import IntervalStrategy

from nuzoo.datasets_scripts.common.labelled_rows import (
    UnusableDatasetError,
    check_class_names,
    check_labelled,
)
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.simulation.detectors import DETECTORS
from nuzoo.training.recipe import Recipe, RecipeError

FITTED_EVENTS = 1000


def used_events(
    recipe: Recipe, splits: Mapping[str, datasets.Dataset] | None = None
) -> dict[str, datasets.Dataset]:
    """The splits, with as many training events as the recipe wants.

    Args:
        recipe: The run.
        splits: The events; read from `recipe.data` by default.
    """
    used = dict(splits or datasets.load_dataset(recipe.data.path, revision=recipe.data.revision))
    events = recipe.data.train_events
    if events is not None and "train" in used:
        used["train"] = used["train"].select(range(min(events, len(used["train"]))))
    return used


def check_splits(
    splits: Mapping[str, datasets.Dataset], class_names: Sequence[str], arguments: TrainingArguments
) -> None:
    """Refuses events that cannot be trained on, or evaluated on where that is wanted.

    Args:
        splits: The events.
        class_names: The classes of the model, in its order.
        arguments: Say whether anything is evaluated.

    Raises:
        UnusableDatasetError: No events, events without maps or a class, or of other classes.
    """
    evaluated = [] if arguments.eval_strategy == IntervalStrategy.NO else ["validation"]
    for split in ("train", *evaluated):
        check_labelled(splits.get(split), split)
        check_class_names(splits[split], class_names, f"split {split}")


def build_processor(
    recipe: Recipe, rows: datasets.Dataset, kind: type = NuPixelMapImageProcessor, **fields: Any
) -> Any:
    """The recipe's processor, with the detector's geometry and statistics of the first training events.

    A recipe that starts from a checkpoint takes the checkpoint's processor as it is: the network knows no
    other scale.

    Args:
        recipe: The run.
        rows: Training events.
        kind: Class of the processor.
        **fields: Fields of that class that other sections decide.

    Raises:
        RecipeError: A field of the processor of another type.
    """
    if pretrained := recipe.model.get("pretrained"):
        return AutoImageProcessor.from_pretrained(pretrained, **recipe.processor)
    geometry = pixel_map_geometry(rows[0]["detector"])
    try:
        processor = kind(**(geometry | recipe.processor | fields))
    except TypeError as error:
        raise RecipeError(f"processor: {error}, got {recipe.processor}") from error
    return processor.fit(rows.select(range(min(FITTED_EVENTS, len(rows)))))


def pixel_map_geometry(detector: str) -> dict[str, Any]:
    """The processor's fields that follow from a detector of `nuzoo.simulation.detectors`."""
    if detector not in DETECTORS:
        raise UnusableDatasetError(
            f"column detector: expected one of {', '.join(DETECTORS)}, got {detector!r}"
        )
    views = DETECTORS[detector].views
    return {
        "detector": detector,
        "views": [view.name for view in views],
        "height": views[0].rows,
        "width": views[0].columns,
        "pixel_pitch_mm": [[view.row_pitch_mm, view.column_pitch_mm] for view in views],
    }
