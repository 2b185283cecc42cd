"""What a vision-language model needs before it can be trained: packages, a base that sees, its licence."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from transformers import AutoConfig, AutoProcessor, PreTrainedConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
from transformers.utils import CONFIG_NAME

from nuzoo.training.recipe import RecipeError

PACKAGES = ("peft", "trl")
QUANTISING = "bitsandbytes"


def check_packages(quantization: str | None) -> None:
    """Refuses to begin without the packages of the extra `vlm`.

    Args:
        quantization: See `NuVlmConfig`; without it bitsandbytes is not needed.

    Raises:
        RecipeError: One is not installed.
    """
    needed = [*PACKAGES, *([QUANTISING] if quantization else [])]
    if missing := [name for name in needed if find_spec(name) is None]:
        raise RecipeError(
            f"expected {', '.join(needed)} to train a vision-language model, got no {', '.join(missing)}: "
            'pip install "nuzoo[vlm]"'
        )


def check_base(base: str, revision: str | None) -> PreTrainedConfig:
    """Refuses a base that cannot be read or has no images, by its configuration alone.

    Args:
        base: Repository or folder.
        revision: Commit of the repository.

    Returns:
        The configuration of the base.

    Raises:
        RecipeError: It is not there, gated, out of reach, or no model of images and text.
    """
    for name, value in (("base_model", base), ("base_revision", revision or "")):
        if not isinstance(value, str):
            raise RecipeError(f"model.{name}: expected a text, got {value!r}")
    file = Path(base) / CONFIG_NAME if Path(base).is_dir() else _downloaded(base, revision)
    if not file.is_file():
        raise RecipeError(f"model.base_model: expected {CONFIG_NAME} in {base}, got none: is it a model?")
    try:
        config: Any = AutoConfig.from_pretrained(file.parent)
    except (OSError, ValueError) as error:
        raise RecipeError(f"model.base_model: {base} cannot be read: {error}") from error
    if config.model_type not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        raise RecipeError(
            f"model.base_model: expected a model that takes images and text, got {base}, which is "
            f"{config.model_type!r}: name one of AutoModelForImageTextToText, such as "
            "meta-llama/Llama-3.2-11B-Vision-Instruct"
        )
    return config


def load_base_processor(base: str, revision: str | None) -> Any:
    """The base's own processor: of images, with tokenizer and chat template.

    Args:
        base: Repository or folder.
        revision: Commit of the repository.

    Raises:
        RecipeError: It has none, or one that lacks a part.
    """
    try:
        processor: Any = AutoProcessor.from_pretrained(base, revision=revision or "main")
    except (OSError, ValueError, TypeError, KeyError, ImportError) as error:
        raise RecipeError(
            f"model.base_model: expected {base} to have a processor, got none that can be read: "
            f"{' '.join(str(error).split())}"
        ) from error
    lacking = [name for name in ("tokenizer", "image_processor") if not hasattr(processor, name)]
    if not getattr(processor, "chat_template", None):
        lacking.append("chat template")
    if lacking:
        raise RecipeError(
            f"model.base_model: expected the processor of {base} to have tokenizer, image_processor and chat "
            f"template, got no {', '.join(lacking)}: name a base that was trained to answer (-Instruct)"
        )
    return processor


def _downloaded(base: str, revision: str | None) -> Path:
    problems: dict[type[Exception], str] = {
        GatedRepoError: f"is gated: accept its terms at https://huggingface.co/{base} and log in "
        "(`hf auth login`, or HF_TOKEN in the environment)",
        RevisionNotFoundError: f"has no revision {revision}: see its commits on the Hub",
        RepositoryNotFoundError: "is not on the Hub, or is private: check the name, or log in "
        "(`hf auth login`); it is no folder here either",
        LocalEntryNotFoundError: "is not in the cache, and the Hub is not within reach: connect once to "
        "download it, or give a folder",
        EntryNotFoundError: f"has no {CONFIG_NAME}: is it a model?",
        HFValidationError: "is neither a folder nor the name of a repository (owner/name)",
    }
    try:
        return Path(hf_hub_download(base, CONFIG_NAME, revision=revision))
    except tuple(problems) as error:
        problem = next(text for kind, text in problems.items() if isinstance(error, kind))
        raise RecipeError(f"model.base_model: {base} {problem}") from error
