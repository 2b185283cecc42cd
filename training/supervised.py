"""Training of a network by the truth of its task: one recipe in, one model folder out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import datasets
from datasets import LargeList, List
from transformers import PreTrainedConfig, TrainerCallback, set_seed

from nuzoo.datasets_scripts.common.labelled_rows import UnusableDatasetError, check_detector, check_modality
from nuzoo.processors.contract import EventProcessor
from nuzoo.training.augmentation.bound import bound
from nuzoo.training.averaging_trainer import AveragingTrainer
from nuzoo.training.distillation.answers import answers_of
from nuzoo.training.distillation.loss import DistillationLoss
from nuzoo.training.distillation.taught_batches import TaughtBatches
from nuzoo.training.event_batches import EventBatches, as_is
from nuzoo.training.event_trainer import AddedLoss, EventTrainer
from nuzoo.training.evidential_loss import EvidentialLoss
from nuzoo.training.recipe import Recipe, RecipeError
from nuzoo.training.recipe_data import (
    check_splits,
    class_names_in,
    first_events,
    geometry_of,
    in_classes_of,
    load_streams,
    used_events,
)
from nuzoo.training.run_folder import is_finished, record_start, record_transfer, run_folder
from nuzoo.training.safe_trainer import SafeTrainer
from nuzoo.training.streamed_events import RowsToBatch, training_stream

R = TypeVar("R", bound=Recipe)


def train(
    recipe: Recipe,
    *,
    splits: Mapping[str, datasets.Dataset] | None = None,
    callbacks: list[TrainerCallback] | None = None,
) -> Path:
    """Train by a recipe, going on from the last checkpoint where there is one.

    Args:
        recipe: The run.
        splits: The events, with `train` and `validation`; read from `recipe.data` by default.
        callbacks: More `transformers.TrainerCallback`s.

    Returns:
        The output folder: model, processor, `recipe.yaml` and checkpoints.

    Raises:
        RecipeError: A value that a field cannot have, or another run in the output folder.
        FolderInUseError: The run is being trained by another process.
        UnusableDatasetError: No training or validation events, a column missing, no truth, or truth in
            other classes than the model's.
        DivergedError: The loss or the weights are no numbers any more.
    """
    return run_training(recipe, build_trainer, splits, callbacks)


def run_training(
    recipe: R,
    build: Callable[[R, Mapping[str, datasets.Dataset], list[TrainerCallback]], SafeTrainer],
    splits: Mapping[str, datasets.Dataset] | None,
    callbacks: list[TrainerCallback] | None,
) -> Path:
    """Train in the folder of a recipe, unless that is done, with the Trainer that is built for its events.

    Args:
        recipe: The run.
        build: Makes the Trainer of a recipe, its splits and callbacks.
        splits: See `train`.
        callbacks: See `train`.

    Returns:
        The output folder.
    """
    if is_finished(recipe):
        return recipe.output
    with run_folder(recipe) as checkpoint:
        used = used_events(recipe, splits)
        trainer = build(recipe, used, callbacks or [])
        processor: Any = trainer.processing_class
        record_start(recipe, used, processor.schema)
        record_transfer(recipe, trainer.model)
        trainer.train(resume_from_checkpoint=checkpoint)
        trainer.save_model()
        trainer.save_state()
    return recipe.output


def build_trainer(
    recipe: Recipe, splits: Mapping[str, datasets.Dataset], callbacks: list[TrainerCallback]
) -> EventTrainer:
    """Make the `transformers.Trainer` of a recipe.

    Args:
        recipe: The run.
        splits: `train`, and `validation` unless nothing is to be evaluated or stopped early.
        callbacks: More callbacks.

    Raises:
        RecipeError: See `train`.
        UnusableDatasetError: See `train`.
    """
    targets = recipe.targets
    set_seed(recipe.training.seed)  # the Trainer does so after the network was initialised
    processor, config = describe_network(recipe, splits.get("train"))
    head = splits.get("train")
    try:
        splits = in_classes_of(config, targets, splits)
    except UnusableDatasetError as error:
        raise UnusableDatasetError(f"{error}{recipe.model.other_classes}") from error
    for split, rows in splits.items():
        check_detector(rows, split, processor.detector)
    check_splits(recipe, splits, config, processor.schema)
    fit_constants(processor, config, splits["train"])
    batches: dict[str, Any] = {
        split: EventBatches(rows, processor, targets) for split, rows in splits.items()
    }
    if recipe.data.streaming:
        stream = load_streams(recipe)["train"]
        batches["train"] = training_stream(recipe, stream, processor, config, head)
    if recipe.teacher is not None:
        batches["train"] = _taught(recipe, processor, config, splits["train"])
    model = recipe.model.build(config)
    recipe.optimiser.check_effect(model)
    return _trainer_of(recipe)(
        added=_added_losses(recipe, model),
        augmentation=bound(recipe.augmentation, processor, targets),
        per_hit=is_per_hit(splits["train"], targets),
        optimiser=recipe.optimiser,
        model=model,
        args=recipe.training,
        data_collator=RowsToBatch(processor, targets) if recipe.data.streaming else as_is,
        train_dataset=batches["train"],
        eval_dataset=batches.get("validation"),
        processing_class=processor,
        compute_metrics=recipe.evaluator.training_metrics,
        callbacks=[*recipe.early_stopping(), *callbacks],
    )


def _trainer_of(recipe: Recipe) -> Callable[..., EventTrainer]:
    return EventTrainer if recipe.averaging is None else partial(AveragingTrainer, averaging=recipe.averaging)


def _taught(
    recipe: Recipe, processor: EventProcessor, config: PreTrainedConfig, rows: datasets.Dataset
) -> TaughtBatches:
    """Ask the teacher about training events, in one process, the others read what it said."""
    assert recipe.teacher is not None
    with recipe.training.main_process_first(desc="asking the teacher"):
        size = recipe.training.per_device_eval_batch_size
        answers = answers_of(recipe.teacher, rows, config, recipe.output, size)
    return TaughtBatches(rows, processor, recipe.targets, answers=answers)


def _added_losses(recipe: Recipe, model: Any) -> list[AddedLoss]:
    """Make what is to be paid beside the loss of the network: for wrong evidence, to a teacher."""
    added: list[AddedLoss] = []
    if getattr(model.config, "evidential", None) is not None:
        added.append(EvidentialLoss(model, recipe.training))
    if recipe.teacher is not None:
        added.append(DistillationLoss(recipe.teacher, model))
    return added


def describe_network(
    recipe: Recipe, rows: datasets.Dataset | None
) -> tuple[EventProcessor, PreTrainedConfig]:
    """Make the processor and the configuration of a recipe's network for training events.

    Raises:
        RecipeError: See `build_processor` and `NetworkChoice.config`.
        UnusableDatasetError: See `geometry_of`.
    """
    processor = build_processor(recipe, rows)
    names = class_names_in(rows, recipe.targets)
    return processor, recipe.model.config(processor, names)


def build_processor(recipe: Recipe, rows: datasets.Dataset | None) -> EventProcessor:
    """Make the processor of a recipe, for the detector of its events, not fitted.

    A recipe that starts from a checkpoint takes the checkpoint's processor as it is: the network knows no
    other scale. One that takes over parts of a network of another type measures its own.

    Raises:
        RecipeError: A setting that the processor needs is missing.
        UnusableDatasetError: See `geometry_of`.
    """
    check_modality({"train": rows}, recipe.architecture.modality)
    kind = recipe.architecture.processor_class()
    if recipe.model.pretrained and not recipe.model.is_transfer:
        return kind.from_pretrained(recipe.model.checkpoint, **recipe.processor)
    try:
        return kind.for_geometry(geometry_of(rows), **recipe.processor)
    except TypeError as error:
        raise RecipeError(f"processor: {error}, got {recipe.processor}") from error


def fit_constants(processor: EventProcessor, config: PreTrainedConfig, rows: datasets.Dataset) -> None:
    """Fit a processor on training events, unless it is; a configuration without its constants takes them."""
    if not processor.is_fitted:
        processor.fit(first_events(rows))
    for name, value in processor.network_fields().items():
        if getattr(config, name, value) is None:
            setattr(config, name, value)


def is_per_hit(rows: datasets.Dataset, targets: tuple[str, ...]) -> bool:
    """Tell whether the truth of an event is a list of any length; a vector such as a vertex is one truth."""
    features = [rows.features[target] for target in targets]
    return any(
        isinstance(kind, LargeList) or (isinstance(kind, List) and kind.length < 0) for kind in features
    )
