"""The tiny base learns to see and to write: it captions training events by their truth.

The captions tell the class in other words: an electron shower is nue_cc, a muon track numu_cc, and where only
hadrons leave the vertex it is nc. So the base is trained on the classes of the training events; what the
adapter learns after it is how they are called. The base also learns the text of the question, so that it can
write all words, those of the classes' names included.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import datasets
from huggingface_hub.errors import StrictDataclassError
from transformers import Trainer, TrainerCallback, TrainingArguments, set_seed
from transformers.trainer_utils import IntervalStrategy

from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.processors.vlm.prompts import SHIPPED, Prompt
from nuzoo.training.augmenting_trainer import AugmentingTrainer
from nuzoo.training.recipe import Recipe, RecipeError
from nuzoo.training.recipe_data import build_processor
from nuzoo.training.recipe_fields import checked_arguments
from nuzoo.training.run_folder import checkpoint_of
from nuzoo.training.vlm.answered_events import AnsweredEvents
from nuzoo.training.vlm.answers import CaptionAnswer
from nuzoo.training.vlm.event_captions import every_word
from nuzoo.training.vlm.image_augmentation import image_augmentation
from nuzoo.training.vlm.tiny_base import tiny_base_processor

BASE_FOLDER = "base"
"""Where in the folder of a run its own base lies."""

CHECKPOINTS_FOLDER = "pretraining"
FIELDS = ("base_config", "training")


def pretrain_tiny_base(
    recipe: Recipe,
    splits: Mapping[str, datasets.Dataset],
    output: Path,
    callbacks: list[TrainerCallback],
) -> Path:
    """Makes the base of a recipe, going on from the last checkpoint where there is one.

    Args:
        recipe: With a section `pretraining`.
        splits: `train`, and `validation` unless nothing is to be evaluated.
        output: Folder of the run.
        callbacks: More callbacks.

    Returns:
        `base` in the folder of the run: a model and processor for transformers' Auto classes. It appears
        when it is finished.
    """
    folder = output / BASE_FOLDER
    if folder.is_dir():
        return folder
    trainer = _build_trainer(recipe, splits, output / CHECKPOINTS_FOLDER, callbacks)
    trainer.train(resume_from_checkpoint=checkpoint_of(output / CHECKPOINTS_FOLDER))
    partial = output / CHECKPOINTS_FOLDER / BASE_FOLDER
    trainer.save_model(str(partial))
    if trainer.is_world_process_zero():
        partial.replace(folder)
        shutil.rmtree(output / CHECKPOINTS_FOLDER)
    trainer.accelerator.wait_for_everyone()
    return folder


class _PretrainingTrainer(AugmentingTrainer):
    """Loads checkpoints as models are loaded.

    The Trainer of transformers reads a checkpoint's tensors by the names in the file; for Mllama these are
    not those in the network, so that it would load none, and only warn.
    """

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        network: Any = model or self.model
        network.load_state_dict(type(network).from_pretrained(resume_from_checkpoint).state_dict())

    def _load_best_model(self) -> None:
        self._load_from_checkpoint(str(self.state.best_model_checkpoint))


def _build_trainer(
    recipe: Recipe, splits: Mapping[str, datasets.Dataset], output: Path, callbacks: list[TrainerCallback]
) -> Trainer:
    arguments = pretraining_arguments(recipe)
    arguments.output_dir = str(output)
    set_seed(arguments.seed)  # the Trainer does so after the network was initialised
    processor = _processor(recipe, splits["train"])
    events = AnsweredEvents(splits, processor, CaptionAnswer(), train_on_prompt=True)
    evaluates = arguments.eval_strategy != IntervalStrategy.NO
    return _PretrainingTrainer(
        augmentation=image_augmentation(recipe),
        model=NuVlmForEventClassification(tiny_config(recipe)).base,
        args=arguments,
        data_collator=events,
        train_dataset=events.numbers("train"),
        eval_dataset=events.numbers("validation") if evaluates else None,
        processing_class=processor.base_processor,
        callbacks=callbacks,
    )


def pretraining_arguments(recipe: Recipe) -> TrainingArguments:
    """The `transformers.TrainingArguments` of the base.

    Raises:
        RecipeError: An unknown field, or a value that it cannot have.
    """
    if unknown := sorted(set(recipe.pretraining) - set(FIELDS)):
        raise RecipeError(f"pretraining: expected fields among {', '.join(FIELDS)}, got {', '.join(unknown)}")
    for name, value in recipe.pretraining.items():
        if not isinstance(value, dict):
            raise RecipeError(f"pretraining.{name}: expected fields, got {value!r}")
    return checked_arguments("pretraining.training", recipe.pretraining.get("training", {}))


def tiny_config(recipe: Recipe) -> NuVlmConfig:
    """Configuration with the shapes of the base: the recipe's, or those for tests.

    Raises:
        RecipeError: There is no model of these shapes.
    """
    given = {name: recipe.pretraining[name] for name in ("base_config",) if name in recipe.pretraining}
    try:
        return NuVlmConfig.tiny(**given)
    except (StrictDataclassError, KeyError, TypeError, ValueError) as error:
        raise RecipeError(f"pretraining.base_config: {' '.join(str(error).split())}") from error


def _processor(recipe: Recipe, rows: datasets.Dataset) -> Any:
    prompt = Prompt.of(recipe.model.get("prompt", NuVlmConfig.prompt))
    base = tiny_processor(recipe)
    return build_processor(recipe, rows, NuVlmProcessor, base_processor=base, prompt=prompt.to_dict())


def tiny_processor(recipe: Recipe) -> Any:
    """The base's own processor, for images of the size that it takes."""
    config: Any = tiny_config(recipe).base_config
    return tiny_base_processor(every_text(), config.vision_config.image_size)


def every_text() -> list[str]:
    """All that the tiny base reads and writes."""
    prompts = [Prompt.of(str(file)) for file in sorted(SHIPPED.glob("*.json"))]
    asked = [part["text"] for prompt in prompts for part in prompt.user if part["type"] == "text"]
    answers = [prompt.answer(class_name) for prompt in prompts for class_name, _ in prompt.labels]
    captions = [f" {caption}" for caption in every_word()]
    return [*(prompt.system for prompt in prompts), *asked, *answers, *captions]
