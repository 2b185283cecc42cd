"""Whether a processor makes what a model takes."""

from typing import Any

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.pipelines.pipeline_errors import ProcessorModelMismatchError


def check_agreement(model: Any, processor: Any) -> None:
    """Refuse a processor of another model.

    Args:
        model: An event classifier.
        processor: Its processor.

    Raises:
        ProcessorModelMismatchError: They disagree on the number of views, or on the tokens of the labels.
    """
    views, expected = processor.views, model.config.num_views
    if len(views) != expected:
        raise ProcessorModelMismatchError(
            f"expected a processor for the model's {expected} views, got one for {len(views)} "
            f"({', '.join(views)}): use the processor that is saved with the model"
        )
    tokens = getattr(model.config, "label_token_ids", None)
    if hasattr(model.config, "label_token_ids") and tokens is None:
        raise ProcessorModelMismatchError(
            "expected label_token_ids in the model's configuration, got none: set config.label_token_ids = "
            "processor.label_token_ids(config.id2label.values()) and save it"
        )
    if (tokens is None) != (not hasattr(processor, "label_token_ids")):
        raise ProcessorModelMismatchError(
            f"expected a processor for a {model.config.model_type}, got a {type(processor).__name__}: use "
            "the processor that is saved with the model"
        )
    if tokens is not None and processor.label_token_ids(class_names_of(model.config)) != tokens:
        raise ProcessorModelMismatchError(
            f"expected a processor whose tokens of the labels are {tokens}, got others: its tokenizer or its "
            "labels are not those that the model was trained with; use the processor that is saved with it"
        )
