"""Training of an event classifier: one recipe in, one model folder out."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from huggingface_hub.errors import StrictDataclassError
from transformers import (
    CONFIG_MAPPING,
    AutoImageProcessor,
    AutoModelForImageClassification,
    EarlyStoppingCallback,
    EvalPrediction,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    set_seed,
)
from transformers.trainer_utils import IntervalStrategy, get_last_checkpoint

from nuzoo.datasets_scripts.atomic_files import write_atomically
from nuzoo.datasets_scripts.labelled_rows import UnusableDatasetError, check_labelled
from nuzoo.evaluation.metrics_classification import accuracy, confusion_counts
from nuzoo.processors.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.simulation.detectors import DETECTORS
from nuzoo.training.augmenting_trainer import AugmentingTrainer
from nuzoo.training.pixel_map_batches import PixelMapBatches, as_is
from nuzoo.training.recipe import Recipe, RecipeError, load_recipe
from nuzoo.training.recipe_fields import augmentation, training_arguments

logger = logging.getLogger(__name__)

FITTED_EVENTS = 1000
PRESETS = ("tiny", "small", "huge")
STATE_FILE = "trainer_state.json"
"""What `Trainer.save_state` writes when a run has ended; checkpoints have their own."""

PROGRESS_FIELDS = ("num_train_epochs", "max_steps")


def train_event_classifier(
    recipe: Recipe,
    *,
    splits: datasets.DatasetDict | None = None,
    callbacks: list[TrainerCallback] | None = None,
) -> Path:
    """Trains by a recipe, going on from the last checkpoint where there is one.

    Args:
        recipe: The run.
        splits: The events, with `train` and `validation`; read from `recipe.data` by default.
        callbacks: More `transformers.TrainerCallback`s.

    Returns:
        The output folder: model, processor, `recipe.yaml` and checkpoints.

    Raises:
        RecipeError: An unknown field, a value that it cannot have, or another run in the output folder.
        UnusableDatasetError: No training or validation events, or events without maps or a class.
    """
    output = Path(str(training_arguments(recipe).output_dir))
    augmentation(recipe)
    if _is_finished(recipe, output):
        logger.warning("%s holds the finished run of this recipe", output)
        return output
    checkpoint = _checkpoint_to_resume(recipe, output)
    splits = splits or datasets.load_dataset(recipe.data.path, revision=recipe.data.revision)
    trainer = build_trainer(recipe, _used_events(recipe, splits), callbacks or [])
    if trainer.is_world_process_zero():
        output.mkdir(parents=True, exist_ok=True)
        write_atomically(output / "recipe.yaml", recipe.to_yaml())
    trainer.train(resume_from_checkpoint=checkpoint)
    trainer.save_model()
    trainer.save_state()
    return output


def build_trainer(
    recipe: Recipe, splits: Mapping[str, datasets.Dataset], callbacks: list[TrainerCallback]
) -> Trainer:
    """The `transformers.Trainer` of a recipe.

    Args:
        recipe: The run.
        splits: `train`, and `validation` unless nothing is to be evaluated or stopped early.
        callbacks: More callbacks.

    Raises:
        RecipeError: A field that is unknown or cannot have its value.
        UnusableDatasetError: No training or validation events, or events without maps or a class.
    """
    arguments = training_arguments(recipe)
    check_labelled(splits.get("train"), "train")
    validation = splits.get("validation")
    if arguments.eval_strategy != IntervalStrategy.NO:
        check_labelled(validation, "validation")
    set_seed(arguments.seed)  # the Trainer does so after the network was initialised
    processor = build_processor(recipe, splits["train"])
    return AugmentingTrainer(
        augmentation=augmentation(recipe),
        model=build_model(recipe, processor),
        args=arguments,
        data_collator=as_is,
        train_dataset=PixelMapBatches(splits["train"], processor),
        eval_dataset=None if validation is None else PixelMapBatches(validation, processor),
        processing_class=processor,
        compute_metrics=_metrics,
        callbacks=[*_early_stopping(recipe), *callbacks],
    )


def build_processor(recipe: Recipe, rows: datasets.Dataset) -> Any:
    """The recipe's processor, with the detector's geometry and statistics of the first training events.

    A recipe that starts from a checkpoint takes the checkpoint's processor as it is: the network knows no
    other scale.

    Raises:
        RecipeError: A field of the processor of another type.
    """
    if pretrained := recipe.model.get("pretrained"):
        return AutoImageProcessor.from_pretrained(pretrained, **recipe.processor)
    geometry = pixel_map_geometry(rows[0]["detector"])
    try:
        processor = NuPixelMapImageProcessor(**(geometry | recipe.processor))
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


def build_model(recipe: Recipe, processor: Any) -> PreTrainedModel:
    """A freshly initialised network, one that starts from timm's weights, or a whole checkpoint.

    Raises:
        RecipeError: No such type, preset or way to start, or a field of another type.
    """
    fields = dict(recipe.model)
    model_type, preset = fields.pop("model_type"), fields.pop("preset", None)
    pretrained, timm_weights = fields.pop("pretrained", None), fields.pop("timm_weights", None)
    if pretrained and timm_weights:
        raise RecipeError("model.pretrained and model.timm_weights: expected one of them, got both")
    if pretrained:
        return AutoModelForImageClassification.from_pretrained(pretrained, **fields)
    if model_type not in CONFIG_MAPPING:
        raise RecipeError(f"unknown model_type {model_type!r}: is it in nuzoo/registry.py?")
    kind = CONFIG_MAPPING[model_type]
    fields |= _input_fields(kind, processor)
    presets = [name for name in PRESETS if hasattr(kind, name)]
    if preset and preset not in presets:
        raise RecipeError(f"model.preset: expected one of {', '.join(presets)}, got {preset!r}")
    try:
        config = getattr(kind, preset)(**fields) if preset else kind(**fields)
    except StrictDataclassError as error:
        raise RecipeError(f"model: {' '.join(str(error).split())}") from error
    model = AutoModelForImageClassification.from_config(config)
    if timm_weights:
        if not hasattr(model, "load_timm_weights"):
            raise RecipeError(f"model.timm_weights: {model_type} has no counterpart in timm, leave it out")
        model.load_timm_weights(timm_weights)
    return model


def _input_fields(kind: type, processor: Any) -> dict[str, Any]:
    """What the processor decides of a configuration, as far as that has fields for it."""
    given = {"num_views": len(processor.views), "image_size": list(processor.image_size)}
    return {name: value for name, value in given.items() if hasattr(kind, name)}


def _is_finished(recipe: Recipe, output: Path) -> bool:
    """Whether the folder holds this very run, ended by its length or by early stopping."""
    return (output / STATE_FILE).exists() and load_recipe(output / "recipe.yaml") == recipe


def _checkpoint_to_resume(recipe: Recipe, output: Path) -> str | None:
    checkpoint = get_last_checkpoint(str(output)) if output.is_dir() else None
    if checkpoint is None:
        return None
    earlier = load_recipe(output / "recipe.yaml")
    if _without_length(earlier) != _without_length(recipe):
        raise RecipeError(
            f"{output} holds checkpoints of another recipe (see its recipe.yaml): "
            "give another training.output_dir, or remove the folder"
        )
    logger.warning("going on from %s", checkpoint)
    return checkpoint


def _without_length(recipe: Recipe) -> dict[str, Any]:
    training = {key: value for key, value in recipe.training.items() if key not in PROGRESS_FIELDS}
    return vars(recipe) | {"training": training}


def _used_events(recipe: Recipe, splits: Mapping[str, datasets.Dataset]) -> dict[str, datasets.Dataset]:
    """The splits, with as many training events as the recipe wants."""
    used, events = dict(splits), recipe.data.train_events
    if events is not None and "train" in used:
        used["train"] = used["train"].select(range(min(events, len(used["train"]))))
    return used


def _early_stopping(recipe: Recipe) -> list[TrainerCallback]:
    patience = recipe.early_stopping_patience
    return [] if patience is None else [EarlyStoppingCallback(early_stopping_patience=patience)]


def _metrics(prediction: EvalPrediction) -> dict[str, float]:
    logits = (
        prediction.predictions[0] if isinstance(prediction.predictions, tuple) else prediction.predictions
    )
    confusion = confusion_counts(prediction.label_ids, np.argmax(logits, axis=-1), logits.shape[-1])
    return {"accuracy": float(accuracy(confusion))}
