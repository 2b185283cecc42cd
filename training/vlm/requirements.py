"""What a vision-language model needs before it can be trained: packages, a base that sees, its licence."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download
from transformers import AutoConfig, AutoProcessor, PreTrainedConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
from transformers.utils import CONFIG_NAME

from nuzoo.files.hub_access import check_repo_id, explained
from nuzoo.training.fields import RecipeError

PACKAGES = ("peft", "trl")
QUANTISING = "bitsandbytes"


def check_packages(quantization: str | None) -> None:
    """Refuse to begin without the packages of the extra `vlm`.

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
    """Refuse a base that cannot be read or has no images, by its configuration alone, which is returned.

    Args:
        base: Repository or folder.
        revision: Commit of the repository.

    Raises:
        RecipeError: It is no model of images and text.
        HubError: It is not there, gated, or out of reach.
    """
    if Path(base).is_dir():
        file = Path(base) / CONFIG_NAME
    else:
        check_repo_id(base)
        with explained(f"read {base}, the model.base_model, which is no folder here"):
            file = Path(hf_hub_download(base, CONFIG_NAME, revision=revision))
    if not file.is_file():
        raise RecipeError(f"model.base_model: expected {CONFIG_NAME} in {base}, got none: is it a model?")
    try:
        config: Any = AutoConfig.from_pretrained(file.parent, trust_remote_code=False)
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
    """Load the base's own processor: of images, with tokenizer and chat template.

    Raises:
        RecipeError: It has none, or one that lacks a part.
    """
    try:
        processor: Any = AutoProcessor.from_pretrained(
            base, revision=revision or "main", trust_remote_code=False
        )
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
