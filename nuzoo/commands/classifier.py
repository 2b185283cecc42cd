"""The pipeline that several commands use."""

from __future__ import annotations

from typing import Any


def load_classifier(model: str, **options: Any) -> Any:
    """`pipeline("neutrino-event-classification")` for a model folder or repository."""
    from transformers import pipeline

    make_pipeline: Any = pipeline  # its overloads know transformers' own tasks only
    return make_pipeline("neutrino-event-classification", model=model, **options)
