"""Training of an event classifier: one recipe in, one model folder out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from huggingface_hub.errors import StrictDataclassError
from transformers import (
    CONFIG_MAPPING,
    AutoConfig,
    AutoModelForImageClassification,
    EvalPrediction,
    PreTrainedModel,
    Trainer,
    TrainerCallback,
    set_seed,
)

from nuzoo.configuration.event_classifier_config import EventClassifierConfig, class_names_of
from nuzoo.evaluation.tasks.event_classification.formulas import accuracy, confusion_counts
from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import RECIPE_FILE
from nuzoo.training.augmenting_trainer import AugmentingTrainer
from nuzoo.training.pixel_map_batches import PixelMapBatches, as_is
from nuzoo.training.recipe import Recipe, RecipeError
from nuzoo.training.recipe_data import build_processor, check_splits, used_events
from nuzoo.training.recipe_fields import (
    augmentation,
    early_stopping,
    training_arguments,
    whole_numbers_as_floats,
)
from nuzoo.training.run_folder import checkpoint_to_resume, is_finished

PRESETS = ("tiny", "small", "huge")


def train_event_classifier(
    recipe: Recipe,
    *,
    splits: Mapping[str, datasets.Dataset] | None = None,
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
        UnusableDatasetError: No training or validation events, or events without maps or a class, or of
            other classes than the model's.
    """
    output = Path(str(training_arguments(recipe).output_dir))
    augmentation(recipe)
    if is_finished(recipe, output):
        return output
    checkpoint = checkpoint_to_resume(recipe, output)
    trainer = build_trainer(recipe, used_events(recipe, splits), callbacks or [])
    if trainer.is_world_process_zero():
        output.mkdir(parents=True, exist_ok=True)
        write_atomically(output / RECIPE_FILE, recipe.to_yaml())
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
        UnusableDatasetError: No training or validation events, or events without maps or a class, or of
            other classes than the model's.
    """
    arguments = training_arguments(recipe)
    check_splits(splits, _class_names(recipe), arguments)
    validation = splits.get("validation")
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
        callbacks=[*early_stopping(recipe), *callbacks],
    )


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
    if model_type not in CONFIG_MAPPING:
        raise RecipeError(f"unknown model_type {model_type!r}: is it in nuzoo/registry.py?")
    kind = CONFIG_MAPPING[model_type]
    fields = whole_numbers_as_floats(kind, fields)
    if pretrained:
        return AutoModelForImageClassification.from_pretrained(pretrained, **fields)
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


def _class_names(recipe: Recipe) -> list[str]:
    """The classes of the network that `build_model` makes."""
    given = {name: recipe.model[name] for name in ("id2label", "num_labels") if name in recipe.model}
    pretrained = recipe.model.get("pretrained")
    try:
        config = (
            AutoConfig.from_pretrained(pretrained, **given) if pretrained else EventClassifierConfig(**given)
        )
    except StrictDataclassError as error:
        raise RecipeError(f"model: {' '.join(str(error).split())}") from error
    return class_names_of(config)


def _input_fields(kind: type, processor: Any) -> dict[str, Any]:
    """What the processor decides of a configuration, as far as that has fields for it."""
    given = {"num_views": len(processor.views), "image_size": list(processor.image_size)}
    return {name: value for name, value in given.items() if hasattr(kind, name)}


def _metrics(prediction: EvalPrediction) -> dict[str, float]:
    logits = (
        prediction.predictions[0] if isinstance(prediction.predictions, tuple) else prediction.predictions
    )
    confusion = confusion_counts(prediction.label_ids, np.argmax(logits, axis=-1), logits.shape[-1])
    return {"accuracy": float(accuracy(confusion))}
