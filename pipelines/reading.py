"""How files are read for a model."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nuzoo.configuration.event_classifier_config import class_names_of

if TYPE_CHECKING:
    from nuzoo.pipelines.event_pipeline import EventPipeline


def reading_for(pipeline: EventPipeline, reader: Callable[..., Any]) -> dict[str, Any]:
    """Give the arguments of a reader that suit a model: its processor's, and its classes where labels count.

    Args:
        pipeline: the model.
        reader: of its modality, see `nuzoo.registry.Modality.reader`.
    """
    options = pipeline.image_processor.reading_options()
    if "classes" in inspect.signature(reader).parameters:
        options["classes"] = class_names_of(pipeline.model.config)
    return options
