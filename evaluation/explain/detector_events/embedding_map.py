"""A map of the mean latents of events in two dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from nuzoo.evaluation.core.inference import run_network

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

MOST_PERPLEXITY = 30.0
METHOD = "t-SNE of scikit-learn"


def pooled_latents(
    model: PreTrainedModel, processor: EventProcessor, rows: Dataset, batch_size: int
) -> NDArray[np.float32]:
    """Give the mean latents of events, (n, channels)."""
    encoder: Any = model.base_model

    def pooled(outputs: Any, inputs: Mapping[str, Any]) -> NDArray[np.float32]:
        given: torch.Tensor = outputs.pooler_output
        return given.float().cpu().numpy()

    found, _ = run_network(encoder, processor, rows, pooled, batch_size=batch_size, description="latents")
    return np.concatenate(found)


def map_of(latents: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    """Map (n, channels) to (n, 2), neighbours to neighbours.

    L. van der Maaten, G. Hinton, J. Mach. Learn. Res. 9 (2008) 2579.

    Args:
        latents: Of three events or more.
        seed: Of the method.
    """
    from sklearn.manifold import TSNE

    perplexity = min(MOST_PERPLEXITY, (len(latents) - 1) / 3)
    scaled = (latents - latents.mean(axis=0)) / np.maximum(latents.std(axis=0), 1e-6)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(scaled)
