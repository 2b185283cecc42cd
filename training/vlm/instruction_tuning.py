"""Training of a vision-language model: a base and a recipe in, an adapter that classifies events out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import torch
from huggingface_hub.errors import StrictDataclassError
from jinja2 import TemplateError
from transformers import (
    TrainerCallback,
    TrainingArguments,
)
from transformers.trainer_utils import IntervalStrategy

from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig
from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.files.atomic import write_atomically
from nuzoo.files.names import RECIPE_FILE, TRAINING_ARGUMENTS_FILE
from nuzoo.modeling.adapter_files import ADAPTER_FOLDER, name_base_of_adapter
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.training.recipe import Recipe, RecipeError
from nuzoo.training.recipe_data import build_processor, check_splits, used_events
from nuzoo.training.recipe_fields import early_stopping, training_arguments, whole_numbers_as_floats
from nuzoo.training.run_folder import checkpoint_to_resume, is_finished
from nuzoo.training.safe_trainer import write_training_arguments
from nuzoo.training.vlm.adapter_fields import adapter_config, check_adapter
from nuzoo.training.vlm.answered_events import AnsweredEvents
from nuzoo.training.vlm.answers import ClassAnswer, answer_style
from nuzoo.training.vlm.image_augmentation import check_augmentable, image_augmentation
from nuzoo.training.vlm.requirements import check_base, check_packages, load_base_processor
from nuzoo.training.vlm.tiny_pretraining import (
    BASE_FOLDER,
    pretrain_tiny_base,
    pretraining_arguments,
    tiny_config,
    tiny_processor,
)

MODEL_FIELDS = ("base_model", "base_revision", "quantization", "prompt", "temperature", "id2label")


def train_vlm(
    recipe: Recipe,
    *,
    splits: Mapping[str, datasets.Dataset] | None = None,
    callbacks: list[TrainerCallback] | None = None,
) -> Path:
    """Trains an adapter by a recipe, going on from the last checkpoint where there is one.

    With a section `pretraining` the base is made first, in the folder of the run.

    Args:
        recipe: The run.
        splits: The events, with `train` and `validation`; read from `recipe.data` by default.
        callbacks: More `transformers.TrainerCallback`s.

    Returns:
        The output folder: configuration, adapter, processors, `recipe.yaml` and checkpoints.

    Raises:
        RecipeError: A field that is unknown or cannot have its value, a base that cannot be used, a package
            that is not installed, or another run in the output folder.
        UnusableDatasetError: No training or validation events, or events without maps or a class, or of
            other classes than the model's.
        PromptError: The prompt has not one place for each view of the dataset.
        MissingTruthError: Events shall be captioned, and of one it is not known what happened.
    """
    arguments = training_arguments(recipe)
    output = Path(str(arguments.output_dir))
    config = check_vlm_recipe(recipe)
    if is_finished(recipe, output):
        return output
    checkpoint = checkpoint_to_resume(recipe, output)
    splits = used_events(recipe, splits)
    check_splits(splits, class_names_of(config), arguments)
    if arguments.process_index == 0:
        output.mkdir(parents=True, exist_ok=True)
        write_atomically(output / RECIPE_FILE, recipe.to_yaml())
    if recipe.pretraining:
        pretrain_tiny_base(recipe, splits, output, callbacks or [])
    tuning = build_tuning(recipe, splits, callbacks or [])
    tuning.trainer.train(resume_from_checkpoint=checkpoint)
    tuning.save(output)
    return output


@dataclass(frozen=True)
class InstructionTuning:
    """A run that is ready to start.

    Attributes:
        config: What the finished model is configured with.
        processor: Its processor.
        trainer: A `trl.SFTTrainer`.
    """

    config: NuVlmConfig
    processor: NuVlmProcessor
    trainer: Any

    def save(self, output: Path) -> None:
        """Writes what `NuVlmForEventClassification.from_pretrained` and plain PEFT load."""
        if not self.trainer.is_world_process_zero():
            return
        adapter = output / ADAPTER_FOLDER
        self.trainer.accelerator.unwrap_model(self.trainer.model).save_pretrained(str(adapter))
        (adapter / "README.md").unlink(missing_ok=True)
        name_base_of_adapter(adapter, self.config.base_model, self.config.base_revision)
        self.config.save_pretrained(output)
        self.processor.save_pretrained(output)
        write_training_arguments(output / TRAINING_ARGUMENTS_FILE, self.trainer.args)
        self.trainer.save_state()


def build_tuning(
    recipe: Recipe, splits: Mapping[str, datasets.Dataset], callbacks: list[TrainerCallback]
) -> InstructionTuning:
    """The base of a recipe with a fresh adapter, and what trains it.

    Args:
        recipe: The run; a base of its own must have been made.
        splits: `train`, and `validation` unless nothing is to be evaluated or stopped early.
        callbacks: More callbacks.

    Raises:
        RecipeError: See `train_vlm`.
    """
    from nuzoo.training.vlm.instruction_trainer import InstructionTrainer, instruction_arguments

    arguments, style = training_arguments(recipe), answer_style(recipe)
    config = vlm_config(recipe)
    processor = vlm_processor(recipe, config, splits["train"])
    prompt = Prompt.of(processor.prompt)
    config.num_views, config.prompt = len(processor.views), prompt.name
    class_names = class_names_of(config)
    config.label_token_ids = processor.label_token_ids(class_names)
    answer = ClassAnswer(prompt, class_names, style.captions)
    events = AnsweredEvents(splits, processor, answer, style.train_on_prompt)
    check_augmentable(recipe, events([{"split": "train", "row": 0}])["pixel_values"])
    model = NuVlmForEventClassification.from_base(config, **_placement(arguments))
    if recipe.pretraining:
        config.base_model = BASE_FOLDER  # in the run's folder, wherever that is taken
    evaluates = arguments.eval_strategy != IntervalStrategy.NO
    trainer = InstructionTrainer(
        augmentation=image_augmentation(recipe),
        model=model.base,
        args=instruction_arguments(arguments),
        data_collator=events,
        train_dataset=events.numbers("train"),
        eval_dataset=events.numbers("validation") if evaluates else None,
        processing_class=processor.base_processor,
        peft_config=adapter_config(recipe),
        callbacks=[*early_stopping(recipe), *callbacks],
    )
    return InstructionTuning(config, processor, trainer)


def vlm_config(recipe: Recipe) -> NuVlmConfig:
    """The configuration that a recipe describes; of a base, only its configuration is read.

    Raises:
        RecipeError: A field that cannot have its value, or a base that cannot be used.
    """
    given = {name: recipe.model[name] for name in MODEL_FIELDS if name in recipe.model}
    given = whole_numbers_as_floats(NuVlmConfig, given)
    base: Any
    if recipe.pretraining:
        given["base_model"] = str(Path(str(training_arguments(recipe).output_dir)) / BASE_FOLDER)
        base = tiny_config(recipe).base_config
    else:
        where = given.get("base_model", NuVlmConfig.base_model)
        base = check_base(where, given.get("base_revision"))
        given["base_model"] = str(Path(where).resolve()) if Path(where).is_dir() else where
    try:
        return NuVlmConfig(**given, base_config=base)
    except StrictDataclassError as error:
        raise RecipeError(f"model: {' '.join(str(error).split())}") from error


def check_vlm_recipe(recipe: Recipe) -> NuVlmConfig:
    """Refuses what can be seen to be wrong without the events.

    Returns:
        The configuration of the model.

    Raises:
        RecipeError: See `train_vlm`.
    """
    known = ("model_type", *MODEL_FIELDS)
    if unknown := sorted(set(recipe.model) - set(known)):
        raise RecipeError(f"model: expected fields among {', '.join(known)}, got {', '.join(unknown)}")
    check_packages(recipe.model.get("quantization"))
    answer_style(recipe)
    image_augmentation(recipe)
    Prompt.of(recipe.model.get("prompt", NuVlmConfig.prompt))
    pretraining_arguments(recipe)
    if recipe.pretraining and "base_model" in recipe.model:
        raise RecipeError("model.base_model and pretraining: expected one of them, got both")
    config = vlm_config(recipe)
    check_adapter(recipe, config)
    _check_question(recipe, config)
    return config


def _check_question(recipe: Recipe, config: NuVlmConfig) -> None:
    """Refuses a prompt that the base cannot be asked, or that has not words for every class."""
    base = (
        tiny_processor(recipe)
        if recipe.pretraining
        else load_base_processor(config.base_model, config.base_revision)
    )
    views = [f"view {place}" for place in range(Prompt.of(config.prompt).image_slots)]
    try:
        processor = NuVlmProcessor(base_processor=base, prompt=config.prompt, views=views)
        config.label_token_ids = processor.label_token_ids(class_names_of(config))
        config.validate_architecture()
        str(processor.question)
    except (ValueError, TemplateError) as error:
        raise RecipeError(f"model.prompt: {' '.join(str(error).split())}") from error


def vlm_processor(recipe: Recipe, config: NuVlmConfig, rows: datasets.Dataset) -> Any:
    """The processor of a recipe, with statistics of the first training events."""
    base = load_base_processor(config.base_model, config.base_revision)
    return build_processor(recipe, rows, NuVlmProcessor, base_processor=base, prompt=config.prompt)


def _placement(arguments: TrainingArguments) -> dict[str, Any]:
    """Where the base goes: shared out over all GPUs, or one to each process of several."""
    if arguments.use_cpu or not torch.cuda.is_available():
        return {}
    return {"device_map": "auto" if arguments.world_size == 1 else {"": arguments.local_process_index}}
