"""Loading a classifier for the commands: every way in which it can fail is one clear line."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class UnusableModelError(ValueError):
    """A model folder or repository that cannot be used."""


def load_model(path: str) -> tuple[Any, Any]:
    """The network and the processor of a model folder or repository.

    Raises:
        UnusableModelError: Nothing there, or a broken configuration, weights or processor.
    """
    from huggingface_hub.errors import StrictDataclassError
    from safetensors import SafetensorError
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    from nuzoo.pipelines.agreement import check_agreement

    if not Path(path).exists() and (path.count("/") != 1 or path.startswith((".", "/", "~"))):
        raise UnusableModelError(
            f"{path}: expected a model folder or a repository organisation/name, got neither"
        )
    try:
        processor = AutoImageProcessor.from_pretrained(path)
        model = AutoModelForImageClassification.from_pretrained(path)
    except (ValueError, OSError, SafetensorError, StrictDataclassError) as error:
        raise UnusableModelError(f"{path}: {error}") from error
    if processor.active_rms is None:
        raise UnusableModelError(
            f"{path}: its processor has no statistics; it was saved before it was fitted"
        )
    try:
        check_agreement(model, processor)
    except ValueError as error:
        raise UnusableModelError(f"{path}: {error}") from error
    return model, processor


def load_classifier(path: str, **options: Any) -> Any:
    """`pipeline("neutrino-event-classification")` for a model folder or repository.

    Raises:
        UnusableModelError: See `load_model`.
    """
    from transformers import pipeline

    model, processor = load_model(path)
    make_pipeline: Any = pipeline  # its overloads know transformers' own tasks only
    return make_pipeline("neutrino-event-classification", model=model, image_processor=processor, **options)
