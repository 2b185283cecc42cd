"""What a teacher says of each training event: asked once, kept in the folder of the run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedConfig

from nuzoo.configuration.event_classifier_config import class_names_of
from nuzoo.evaluation.core.inference import to_inference_device
from nuzoo.evaluation.core.pooled_features import pooled_features
from nuzoo.evaluation.core.provenance import events_digest
from nuzoo.evaluation.tasks.event_classification.evaluate import classify
from nuzoo.files.atomic import replacing
from nuzoo.pipelines.loading import load_model
from nuzoo.training.fields import RecipeError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from nuzoo.training.distillation.teacher import Teacher

ANSWERS_FILE = "teacher_answers.safetensors"
EVENTS = "events"
"""Of the metadata of that file: a digest of the events."""


def answers_of(
    teacher: Teacher, rows: datasets.Dataset, config: PreTrainedConfig, kept: Path, batch_size: int
) -> dict[str, Tensor]:
    """Ask a teacher about events, or read what it said before.

    Args:
        teacher: Who is asked.
        rows: The events.
        config: Of the network that learns, whose classes the answers are put in the order of.
        kept: Folder of the run.
        batch_size: Events that it is asked about at once.

    Returns:
        `logits` (n, classes) and, where they count, `features` (n, channels), float32.

    Raises:
        RecipeError: It is no classifier of the same classes, or has no pooled features where they count.
    """
    digest = events_digest(rows["event_id"])
    if (found := _kept(kept / ANSWERS_FILE, digest)) is not None:
        return found
    model, processor = load_model(teacher.model)
    order = _order_of_classes(model, config)
    to_inference_device(model)
    logits, _ = classify(model, processor, rows, batch_size=batch_size, description="ask the teacher")
    answers = {"logits": torch.from_numpy(logits).float()[:, order].contiguous()}
    if teacher.features:
        answers["features"] = torch.cat(list(_features(model, processor, rows, batch_size))).cpu()
    kept.mkdir(parents=True, exist_ok=True)
    with replacing(kept / ANSWERS_FILE) as partial:
        save_file(answers, partial, metadata={EVENTS: digest})
    return answers


def _kept(file: Path, digest: str) -> dict[str, Tensor] | None:
    if not file.is_file():
        return None
    with safe_open(file, "pt") as stored:
        if (stored.metadata() or {}).get(EVENTS) != digest:
            return None
        return {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (no mapping)


def _order_of_classes(model: PreTrainedModel, config: PreTrainedConfig) -> list[int]:
    """Say where the teacher has each class of the student."""
    wanted = class_names_of(config)
    known = class_names_of(model.config) if getattr(model.config, "num_labels", 0) else []
    if sorted(known) != sorted(wanted):
        raise RecipeError(
            f"teacher.model: expected a classifier of {', '.join(wanted)}, got a {type(model).__name__} of "
            f"{', '.join(known) or 'no classes'}: take one that was trained for the same classes"
        )
    return [known.index(name) for name in wanted]


def _features(model: PreTrainedModel, processor: Any, rows: datasets.Dataset, batch_size: int) -> Any:
    if model.base_model is model:
        raise RecipeError(
            f"teacher.features: expected a teacher with pooled features, got a {type(model).__name__}, which "
            "has none: leave features out, its answers can be learnt"
        )
    return pooled_features(model, processor, rows, batch_size)
