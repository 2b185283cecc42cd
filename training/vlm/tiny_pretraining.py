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
from transformers import MllamaProcessor, Trainer, TrainerCallback, set_seed
from transformers.trainer_utils import IntervalStrategy

from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig
from nuzoo.files.names import OWN_BASE_FOLDER
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.processors.vlm.prompts import SHIPPED, Prompt
from nuzoo.processors.vlm.tiny_base import tiny_base_processor
from nuzoo.training.checkpoints import last_checkpoint
from nuzoo.training.event_trainer import EventTrainer
from nuzoo.training.recipe_data import first_events, geometry_of
from nuzoo.training.vlm.answered_events import AnsweredEvents
from nuzoo.training.vlm.event_captions import TRUTH_COLUMNS, caption, every_word
from nuzoo.training.vlm.image_augmentation import ImageAugmentation
from nuzoo.training.vlm.recipe import Pretraining, VlmRecipe

CHECKPOINTS_FOLDER = "pretraining"


def pretrain_tiny_base(
    recipe: VlmRecipe,
    pretraining: Pretraining,
    splits: Mapping[str, datasets.Dataset],
    callbacks: list[TrainerCallback],
) -> Path:
    """Make the base of a recipe, going on from the last checkpoint where there is one.

    Args:
        recipe: The run.
        pretraining: Its section.
        splits: `train`, and `validation` unless nothing is to be evaluated.
        callbacks: More callbacks.

    Returns:
        `base` in the folder of the run, which appears when it is finished: a model and processor for
        transformers' Auto classes.
    """
    folder, checkpoints = recipe.output / OWN_BASE_FOLDER, recipe.output / CHECKPOINTS_FOLDER
    if folder.is_dir():
        shutil.rmtree(checkpoints, ignore_errors=True)  # of a run that was killed just before
        return folder
    trainer = _build_trainer(recipe, pretraining, splits, checkpoints, callbacks)
    trainer.train(resume_from_checkpoint=last_checkpoint(checkpoints))
    partial = checkpoints / OWN_BASE_FOLDER
    trainer.save_model(str(partial))
    if trainer.is_world_process_zero():
        partial.replace(folder)
        shutil.rmtree(checkpoints)
    trainer.accelerator.wait_for_everyone()
    return folder


class _PretrainingTrainer(EventTrainer):
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
    recipe: VlmRecipe,
    pretraining: Pretraining,
    splits: Mapping[str, datasets.Dataset],
    output: Path,
    callbacks: list[TrainerCallback],
) -> Trainer:
    arguments = pretraining.training(output)
    set_seed(arguments.seed)  # the Trainer does so after the network was initialised
    processor = NuVlmProcessor.for_geometry(
        geometry_of(splits["train"]),
        base_processor=tiny_processor(pretraining),
        prompt=Prompt.of(recipe.prompt).to_dict(),
        **recipe.processor,
    ).fit(first_events(splits["train"]))
    events = AnsweredEvents(splits, processor, _caption, TRUTH_COLUMNS, train_on_prompt=True)
    evaluates = arguments.eval_strategy != IntervalStrategy.NO
    return _PretrainingTrainer(
        augmentation=ImageAugmentation(recipe.augmentation),
        model=NuVlmForEventClassification(tiny_config(pretraining)).base,
        args=arguments,
        data_collator=events,
        train_dataset=events.numbers("train"),
        eval_dataset=events.numbers("validation") if evaluates else None,
        processing_class=processor.base_processor,
        callbacks=callbacks,
    )


def _caption(row: Mapping[str, Any]) -> str:
    """Caption a row after a space, as where it follows the name of a class."""
    return f" {caption(row)}"


def tiny_config(pretraining: Pretraining) -> NuVlmConfig:
    """Make the configuration of a network on the base."""
    return NuVlmConfig.tiny(base_config=pretraining.base_config)


def tiny_processor(pretraining: Pretraining) -> MllamaProcessor:
    """Make the base's own processor, for images of the size and the number of tiles that it takes."""
    vision: Any = pretraining.base_config.vision_config
    return tiny_base_processor(every_text(), vision.image_size, vision.max_num_tiles)


def every_text() -> list[str]:
    """Collect all that the tiny base reads and writes."""
    prompts = [Prompt.of(str(file)) for file in sorted(SHIPPED.glob("*.json"))]
    asked = [part["text"] for prompt in prompts for part in prompt.user if part["type"] == "text"]
    answers = [prompt.answer(class_name) for prompt in prompts for class_name, _ in prompt.labels]
    captions = [f" {caption}" for caption in every_word()]
    return [*(prompt.system for prompt in prompts), *asked, *answers, *captions]
