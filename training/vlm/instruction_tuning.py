"""Training of a vision-language model: a base and a recipe in, an adapter that classifies events out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import torch
from huggingface_hub.errors import StrictDataclassError
from jinja2 import TemplateError
from transformers import TrainerCallback, TrainingArguments
from transformers.trainer_utils import IntervalStrategy

from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig
from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.datasets_scripts.common.labelled_rows import check_detector, check_modality
from nuzoo.files.events.event_schema import EventSchema
from nuzoo.files.modes import unlock_weights
from nuzoo.files.names import OWN_BASE_FOLDER, TRAINING_ARGUMENTS_FILE
from nuzoo.modeling.adapter_files import ADAPTER_FOLDER, name_base_of_adapter
from nuzoo.modeling.modeling_nu_vlm import NuVlmForEventClassification
from nuzoo.processors.vlm.processing_nu_vlm import NuVlmProcessor
from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.training.fields import RecipeError
from nuzoo.training.recipe_data import (
    check_splits,
    class_names_in,
    first_events,
    geometry_of,
    in_classes_of,
    used_events,
)
from nuzoo.training.run_folder import is_finished, record_start, run_folder
from nuzoo.training.safe_trainer import write_training_arguments
from nuzoo.training.vlm.answered_events import AnsweredEvents
from nuzoo.training.vlm.event_captions import TRUTH_COLUMNS, caption
from nuzoo.training.vlm.image_augmentation import ImageAugmentation
from nuzoo.training.vlm.merged_base import merge_base
from nuzoo.training.vlm.recipe import OF_CHECKPOINTS, VlmRecipe
from nuzoo.training.vlm.requirements import check_base, load_base_processor
from nuzoo.training.vlm.tiny_pretraining import (
    CHECKPOINTS_FOLDER,
    pretrain_tiny_base,
    tiny_processor,
)


def train_vlm(
    recipe: VlmRecipe,
    *,
    splits: Mapping[str, datasets.Dataset] | None = None,
    callbacks: list[TrainerCallback] | None = None,
) -> Path:
    """Train an adapter by a recipe, going on from the last checkpoint where there is one.

    With a section `pretraining` the base is made first, in the folder of the run. With `model.pretrained` it
    is the base of that model with the adapter in its weights, written there, and a new adapter is learnt.

    Args:
        recipe: The run.
        splits: The events, with `train` and `validation`; read from `recipe.data` by default.
        callbacks: More `transformers.TrainerCallback`s.

    Returns:
        The output folder: configuration, adapter, processors, `recipe.yaml` and checkpoints.

    Raises:
        RecipeError: A value that a field cannot have, a base that cannot be used, or another run in the
            output folder.
        UnusableDatasetError: No training or validation events, or events without maps or a class, or of
            other classes than the model's.
        PromptError: The prompt has not one place for each view of the dataset.
        MissingTruthError: Events shall be captioned, and of one it is not known what happened.
        FolderInUseError: The run is being trained by another process.
        DivergedError: The loss or the weights are no numbers any more.
    """
    if is_finished(recipe):
        return recipe.output
    targets = recipe.targets
    with run_folder(recipe) as checkpoint:
        used = used_events(recipe, splits)
        config = check_base_of(recipe, class_names_in(used.get("train"), targets))
        schema = _schema_of(recipe, used)
        used = in_classes_of(config, targets, used)
        check_splits(recipe, used, config, schema)
        record_start(recipe, used, schema)
        if recipe.pretraining:
            pretrain_tiny_base(recipe, recipe.pretraining, used, callbacks or [])
        if recipe.pretrained:
            merge_base(recipe)
        tuning = build_tuning(recipe, config, used, callbacks or [])
        tuning.trainer.train(resume_from_checkpoint=checkpoint)
        tuning.save(recipe.output)
    return recipe.output


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
        """Write what `NuVlmForEventClassification.from_pretrained` and plain PEFT load, into a folder."""
        if not self.trainer.is_world_process_zero():
            return
        adapter = output / ADAPTER_FOLDER
        self.trainer.accelerator.unwrap_model(self.trainer.model).save_pretrained(str(adapter))
        unlock_weights(adapter)
        (adapter / "README.md").unlink(missing_ok=True)
        name_base_of_adapter(adapter, self.config.base_model, self.config.base_revision)
        self.config.save_pretrained(output)
        self.processor.save_pretrained(output)
        write_training_arguments(output / TRAINING_ARGUMENTS_FILE, self.trainer.args)
        self.trainer.save_state()


def build_tuning(
    recipe: VlmRecipe,
    config: NuVlmConfig,
    splits: Mapping[str, datasets.Dataset],
    callbacks: list[TrainerCallback],
) -> InstructionTuning:
    """Load the base of a recipe, which must have been made, with a fresh adapter, and what trains it.

    Args:
        recipe: The run.
        config: See `check_base_of`.
        splits: `train`, and `validation` unless nothing is to be evaluated or stopped early.
        callbacks: More callbacks.

    Raises:
        RecipeError: See `train_vlm`.
    """
    from nuzoo.training.vlm.instruction_trainer import InstructionTrainer, instruction_arguments

    arguments, style = recipe.training, recipe.answers
    processor = vlm_processor(recipe, config, splits["train"])
    prompt = Prompt.of(processor.prompt)
    config.prompt = prompt.name
    config.num_views = processor.network_fields()["num_views"]
    answer = partial(_answer, prompt, class_names_of(config), style.captions)
    columns = ("label", *TRUTH_COLUMNS) if style.captions else ("label",)
    events = AnsweredEvents(splits, processor, answer, columns, style.train_on_prompt)
    augmentation = ImageAugmentation(recipe.augmentation)
    augmentation.check_fits(events([{"split": "train", "row": 0}])["pixel_values"])
    model = NuVlmForEventClassification.from_base(config, **_placement(arguments))
    if recipe.pretraining or recipe.pretrained:
        config.base_model = OWN_BASE_FOLDER  # in the run's folder, wherever that is taken
    evaluates = arguments.eval_strategy != IntervalStrategy.NO
    trainer = InstructionTrainer(
        augmentation=augmentation,
        model=model.base,
        args=instruction_arguments(arguments),
        data_collator=events,
        train_dataset=events.numbers("train"),
        eval_dataset=events.numbers("validation") if evaluates else None,
        processing_class=processor.base_processor,
        peft_config=deepcopy(recipe.adapter),
        callbacks=[*recipe.early_stopping(), *callbacks],
    )
    return InstructionTuning(config, processor, trainer)


def _answer(prompt: Prompt, class_names: list[str], captions: bool, row: Mapping[str, Any]) -> str:
    """Answer for a row, such as "I classify the pixel maps as NuE CC.", and say why with captions."""
    return prompt.answer(class_names[row["label"]], caption(row) if captions else "")


def _config_of(recipe: VlmRecipe, class_names: Sequence[str] | None) -> NuVlmConfig:
    """Make the configuration that a recipe describes, without weights of a base, or raise `RecipeError`."""
    given = ({} if class_names is None else {"id2label": dict(enumerate(class_names))}) | recipe.model
    if recipe.pretraining:
        given["base_model"] = str(recipe.output / OWN_BASE_FOLDER)
        base: Any = recipe.pretraining.base_config
    elif recipe.pretrained:
        given = {name: getattr(recipe.start, name) for name in OF_CHECKPOINTS} | recipe.model
        given["base_model"] = str(recipe.output / OWN_BASE_FOLDER)
        base = recipe.start.base_config
    else:
        where = given.get("base_model", NuVlmConfig.base_model)
        base = check_base(where, given.get("base_revision"))
        given["base_model"] = str(Path(where).resolve()) if Path(where).is_dir() else where
    try:
        return NuVlmConfig(**given, base_config=base)
    except StrictDataclassError as error:
        raise RecipeError(f"model: {' '.join(str(error).split())}") from error


def check_base_of(recipe: VlmRecipe, class_names: Sequence[str] | None = None) -> NuVlmConfig:
    """Refuse what can be seen to be wrong of base, adapter and prompt without the events.

    Args:
        recipe: The run.
        class_names: Of the events, which the model takes unless the recipe names others.

    Returns:
        The configuration of the model, with the tokens of its labels.

    Raises:
        RecipeError: See `train_vlm`.
    """
    if recipe.pretraining:
        recipe.pretraining.training(recipe.output / CHECKPOINTS_FOLDER)
    config = _config_of(recipe, class_names)
    _check_adapter(recipe, config)
    _check_question(recipe, config)
    return config


def _check_adapter(recipe: VlmRecipe, config: NuVlmConfig) -> None:
    """Refuse an adapter that does not fit the base, by attaching it to one without weights."""
    from peft import get_peft_model

    try:
        with torch.device("meta"):
            adapted = get_peft_model(NuVlmForEventClassification(config).base, deepcopy(recipe.adapter))
    except (TypeError, ValueError, AttributeError, KeyError, NotImplementedError) as error:
        raise RecipeError(f"adapter: {' '.join(str(error).split())}; see peft.LoraConfig") from error
    wanted = recipe.given["adapter"]["target_modules"]
    layers = [f".{name}" for name, _ in adapted.named_modules()]
    known = {name for name in wanted if any(layer.endswith(f".{name}") for layer in layers)}
    if isinstance(wanted, list) and (unknown := [name for name in wanted if name not in known]):
        raise RecipeError(
            f"adapter.target_modules: expected names of layers of the base, got {', '.join(unknown)}"
        )


def _check_question(recipe: VlmRecipe, config: NuVlmConfig) -> None:
    """Refuse a prompt that the base cannot be asked, or that has not words for every class."""
    if recipe.pretraining:
        base = tiny_processor(recipe.pretraining)
    elif recipe.pretrained:
        base = _checkpoint_processor(recipe).base_processor
    else:
        base = load_base_processor(config.base_model, config.base_revision)
    views = [f"view {place}" for place in range(Prompt.of(config.prompt).image_slots)]
    try:
        processor = NuVlmProcessor(base_processor=base, prompt=config.prompt, views=views)
        config.label_token_ids = processor.label_token_ids(class_names_of(config))
        config.validate_architecture()
        str(processor.question)
    except (ValueError, TemplateError) as error:
        raise RecipeError(f"model.prompt: {' '.join(str(error).split())}") from error


def vlm_processor(recipe: VlmRecipe, config: NuVlmConfig, rows: datasets.Dataset | None) -> NuVlmProcessor:
    """Make the processor, with statistics of the first training events, or take that of a checkpoint."""
    if recipe.pretrained:
        return _checkpoint_processor(recipe)
    base = load_base_processor(config.base_model, config.base_revision)
    if config.image_tiles is not None:
        base.image_processor.max_image_tiles = config.image_tiles
    processor = NuVlmProcessor.for_geometry(
        geometry_of(rows), base_processor=base, prompt=config.prompt, **recipe.processor
    )
    return processor.fit(first_events(rows))


def _checkpoint_processor(recipe: VlmRecipe) -> NuVlmProcessor:
    processor: NuVlmProcessor = NuVlmProcessor.from_pretrained(recipe.checkpoint)
    return processor.with_prompt(recipe.prompt) if "prompt" in recipe.model else processor


def _schema_of(recipe: VlmRecipe, splits: Mapping[str, datasets.Dataset]) -> EventSchema:
    """Return what the processor of a recipe will read, which needs no new base to be known."""
    rows = splits.get("train")
    check_modality({"train": rows}, NuVlmProcessor.modality)
    if recipe.pretrained:
        processor = _checkpoint_processor(recipe)
        for split, events in splits.items():
            check_detector(events, split, processor.detector)
        return processor.schema
    settings = {"prompt": recipe.prompt, **recipe.processor}
    return NuVlmProcessor.for_geometry(geometry_of(rows), **settings).schema


def _placement(arguments: TrainingArguments) -> dict[str, Any]:
    """Say where the base goes: shared out over all GPUs, or one to each process of several."""
    if arguments.use_cpu or not torch.cuda.is_available():
        return {}
    return {"device_map": "auto" if arguments.world_size == 1 else {"": arguments.local_process_index}}
