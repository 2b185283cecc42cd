"""What a network sees in events, or in particles of events, as directions that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nuzoo.evaluation.core.errors import EvaluationError
from nuzoo.evaluation.core.inference import run_network
from nuzoo.modeling.sparse.ragged import events_of

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

PARTICLE = "particle"
NO_PARTICLE = -1


@dataclass(frozen=True)
class Embeddings:
    """Directions of events or of particles.

    Attributes:
        row: int64 (n,), the row of the event among those that were embedded.
        particle: int64 (n,), the row of the particle in its event; -1 of a whole event.
        direction: float32 (n, channels), each of length 1.
    """

    row: NDArray[np.int64]
    particle: NDArray[np.int64]
    direction: NDArray[np.float32]


def embed(
    model: PreTrainedModel,
    processor: EventProcessor,
    rows: Dataset,
    *,
    by_particle: bool = False,
    batch_size: int = 16,
) -> Embeddings:
    """Give the direction of each event, or of each of its particles.

    It is the mean of the features that the network without its head has for the hits, or where it has some
    for whole events these; minus the mean over all that are embedded, and of length 1. Events without hits
    have none.

    Args:
        model: Network.
        processor: Its processor.
        rows: Events.
        by_particle: Take the hits of each true particle for themselves.
        batch_size: Events per batch.

    Raises:
        EvaluationError: The network has no features for hits, or fewer than two things are embedded.
        NonFiniteOutputError: Its features are NaN or infinite.
    """
    body: Any = model.base_model

    def means(output: Any, inputs: Mapping[str, Any]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        features, event = _features(output, inputs, by_particle)
        particle = inputs["labels"] if by_particle else torch.full_like(event, NO_PARTICLE)
        return _means(features.float(), event, particle, by_particle)

    answers, _ = run_network(
        body,
        processor,
        rows,
        means,
        batch_size=batch_size,
        description="embed",
        targets=(PARTICLE,) if by_particle else (),
    )
    first = np.arange(0, len(rows), batch_size)
    row = np.concatenate([start + batch[0] for start, batch in zip(first, answers, strict=True)])
    vectors = np.concatenate([batch[2] for batch in answers])
    if len(vectors) < 2:
        raise EvaluationError(f"expected two or more with hits to compare, got {len(vectors)}")
    vectors = vectors - vectors.mean(axis=0)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    direction = (vectors / np.maximum(length, np.finfo(np.float32).tiny)).astype(np.float32)
    return Embeddings(row, np.concatenate([batch[1] for batch in answers]), direction)


def _features(output: Any, inputs: Mapping[str, Any], of_hits: bool) -> tuple[Tensor, Tensor]:
    """Give features (n, channels), and the event of each (n,)."""
    if not of_hits and (pooled := output.get("pooler_output")) is not None:
        return pooled, torch.arange(len(pooled), device=pooled.device)
    if "offset" not in inputs:
        raise EvaluationError(
            f"expected a network with features for hits, got one of {', '.join(inputs)}: compare whole events"
        )
    return output.last_hidden_state, events_of(inputs["offset"])


def _means(
    features: Tensor, event: Tensor, particle: Tensor, by_particle: bool
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Give event, particle and mean features of all that have hits."""
    known = particle >= 0 if by_particle else torch.ones_like(event, dtype=torch.bool)
    pairs, place = torch.unique(
        torch.stack([event[known], particle[known]], dim=1), dim=0, return_inverse=True
    )
    total = features.new_zeros(len(pairs), features.shape[1]).index_add_(0, place, features[known])
    counts = torch.bincount(place, minlength=len(pairs)).clamp(min=1)
    of, which = pairs.cpu().numpy().T
    return of, which, (total / counts[:, None]).cpu().numpy()
