"""The recipe of a vision-language model: a base, an adapter, answers, and perhaps a base made first."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from transformers import PreTrainedConfig, TrainingArguments

from nuzoo.configuration.configuration_nu_vlm import NuVlmConfig
from nuzoo.pipelines.loading import resolve_model
from nuzoo.processors.pixel_maps.image_processing_nu_pixel_map import NuPixelMapImageProcessor
from nuzoo.processors.vlm.prompts import Prompt
from nuzoo.registry import TASKS, import_object
from nuzoo.training.fields import Count, RecipeError, checked_fields, made_of, types_of
from nuzoo.training.recipe import SECTIONS, Recipe
from nuzoo.training.training_arguments import checked_arguments, training_arguments
from nuzoo.training.vlm.requirements import check_packages

MODEL_FIELDS = (
    "base_model",
    "base_revision",
    "quantization",
    "image_tiles",
    "prompt",
    "temperature",
    "id2label",
)

OF_CHECKPOINTS = ("quantization", "image_tiles", "prompt", "id2label")
"""Fields that a checkpoint brings, unless others are given."""


@dataclass(frozen=True)
class AnswerStyle:
    """How answers are written, and what of the text is learnt.

    Attributes:
        captions: A sentence on the particles follows the class, so that the model learns to explain.
        train_on_prompt: The loss is on system and user text as well, as in the code of arXiv 2509.08461v4.
    """

    captions: bool = False
    train_on_prompt: bool = False


@dataclass(frozen=True)
class Pretraining:
    """A tiny base that is made first, in place of one that is named.

    Attributes:
        base_config: Its shapes.
        arguments: Fields of `transformers.TrainingArguments`.
    """

    base_config: PreTrainedConfig
    arguments: Mapping[str, Any]

    @classmethod
    def parse(cls, given: Any) -> "Pretraining":
        """Check the section, or raise `RecipeError`; its `base_config` is by default that for tests."""
        types = {"base_config": dict[str, Any], "training": dict[str, Any]}
        given = checked_fields("pretraining", given, types)
        arguments = checked_arguments("pretraining.training", given.pop("training", {}))
        try:
            config: Any = NuVlmConfig.tiny(**given).base_config
        except (StrictDataclassError, KeyError, TypeError, ValueError) as error:
            raise RecipeError(f"pretraining.base_config: {' '.join(str(error).split())}") from error
        return cls(config, arguments)

    def training(self, output: Path) -> TrainingArguments:
        """Make the arguments of its trainer, whose checkpoints go to `output`, or raise `RecipeError`."""
        return training_arguments("pretraining.training", {**self.arguments, "output_dir": str(output)})


class VlmRecipe(Recipe):
    """One training run of a vision-language model.

    Args:
        given: The sections, as in YAML.

    Attributes:
        model: Fields of `NuVlmConfig`.
        pretrained: Another vision-language model, whose adapter becomes part of the base; None for none.
        adapter: A `peft.LoraConfig`.
        answers: How answers are written.
        pretraining: Of a tiny base that is made first; None where one is named.

    Raises:
        RecipeError: An unknown field, a value that it cannot have, or a package that is not installed.
        PromptError: No such prompt.
    """

    sections = (*SECTIONS, "adapter", "answers", "pretraining")
    streams = False

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)
        check_packages(self.model.get("quantization"))
        self.adapter = lora_config(self.given.get("adapter", {}))
        self.answers = made_of(AnswerStyle, "answers", self.given.get("answers", {}))
        pretraining = self.given.get("pretraining")
        self.pretraining = None if pretraining is None else Pretraining.parse(pretraining)
        self._check_starts()
        if "optimiser" in self.given:
            raise RecipeError("optimiser: expected none, as an adapter learns at one rate: leave it out")
        if self.augmentation.intensity_jitter:
            raise RecipeError(
                "augmentation.intensity_jitter: expected 0 for images of 8 bits, got "
                f"{self.augmentation.intensity_jitter}: leave it out"
            )
        if self.augmentation.noise:
            raise RecipeError(
                "augmentation.noise: expected none for images of 8 bits, got "
                f"{self.augmentation.noise}: leave it and noise_probability out"
            )
        Prompt.of(self.prompt)

    def _check_starts(self) -> None:
        starts = {
            "model.base_model": "base_model" in self.model,
            "model.pretrained": self.pretrained is not None,
            "pretraining": self.pretraining is not None,
        }
        if len(given := [name for name, is_given in starts.items() if is_given]) > 1:
            raise RecipeError(f"{' and '.join(given)}: expected one of them, got {len(given)}: leave one out")
        if self.pretrained and self.processor:
            raise RecipeError(
                "processor: expected none with model.pretrained, which brings its own, got "
                f"{', '.join(self.processor)}: leave it out"
            )

    @cached_property
    def checkpoint(self) -> str:
        """The folder or repository that `pretrained` means."""
        return resolve_model(str(self.pretrained))

    @cached_property
    def start(self) -> NuVlmConfig:
        """The configuration of the checkpoint.

        Raises:
            RecipeError: It is of another architecture.
        """
        found = PreTrainedConfig.get_config_dict(self.checkpoint)[0].get("model_type")
        if found != NuVlmConfig.model_type:
            raise RecipeError(
                f"model.pretrained: expected a {NuVlmConfig.model_type}, got {self.pretrained}, which is "
                f"{f'a {found}' if found else 'no model that says its type'}"
            )
        config: NuVlmConfig = NuVlmConfig.from_pretrained(self.checkpoint)
        return config

    @property
    def targets(self) -> tuple[str, ...]:
        """Columns of a row that hold the truth."""
        return TASKS[self.task].targets

    @property
    def prompt(self) -> Any:
        """Name or file of the prompt."""
        return self.model.get("prompt", self.start.prompt if self.pretrained else NuVlmConfig.prompt)

    def parse_model(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Give the fields of `NuVlmConfig`, or raise `RecipeError`: also for another network."""
        if import_object(self.architecture.config) is not NuVlmConfig:
            raise RecipeError(
                f"model.model_type: expected {NuVlmConfig.model_type} for {self.task}, got "
                f"{self.architecture.model_type}"
            )
        types = types_of(NuVlmConfig)
        known = {"model_type": str, "pretrained": str} | {name: types[name] for name in MODEL_FIELDS}
        fields = checked_fields("model", given, known)
        del fields["model_type"]
        self.pretrained: str | None = fields.pop("pretrained", None)
        return fields

    def processor_settings(self) -> dict[str, Any]:
        """Name the settings of the processor that a recipe may have, with their types."""
        settings = types_of(NuPixelMapImageProcessor) | super().processor_settings()
        return {name: kind for name, kind in settings.items() if name not in ("base_processor", "prompt")}


def lora_config(given: Any) -> Any:
    """Make a `peft.LoraConfig`.

    It has no task type: with one, PEFT's Auto classes load the language model without its vision tower.

    Raises:
        RecipeError: An unknown field, or a value that it cannot have.
    """
    from peft import LoraConfig

    fields = checked_fields("adapter", given, types_of(LoraConfig) | {"r": Count, "lora_alpha": Count})
    if fields.get("task_type") is not None:
        raise RecipeError(
            f"adapter.task_type: expected none, got {fields['task_type']!r}: PEFT would load the base "
            "without its images; leave it out"
        )
    if not fields.get("target_modules"):
        raise RecipeError("adapter.target_modules: expected names of layers, got none")
    try:
        return LoraConfig(**fields)
    except (TypeError, ValueError) as error:
        raise RecipeError(f"adapter: {error}; see peft.LoraConfig") from error
