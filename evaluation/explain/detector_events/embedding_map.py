"""A map of the mean latents of events in two dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import distributions
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from nuzoo.evaluation.core.inference import run_network

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

    from nuzoo.processors.contract import EventProcessor

Method = Literal["UMAP", "t-SNE"]

MOST_PERPLEXITY = 30.0
MOST_NEIGHBOURS = 15
"""Default of umap-learn."""


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


def map_method() -> Method:
    """Say how maps are made here: by UMAP where umap-learn is installed (`pip install nuzoo[explain]`)."""
    return "UMAP" if any(distributions(name="umap-learn")) else "t-SNE"


def map_of(latents: NDArray[np.float32], seed: int, method: Method) -> NDArray[np.float64]:
    """Map (n, channels) to (n, 2), neighbours to neighbours.

    UMAP: L. McInnes, J. Healy, J. Melville, arXiv:1802.03426; t-SNE: L. van der Maaten, G. Hinton, J. Mach.
    Learn. Res. 9 (2008) 2579. Features are scaled to a standard deviation of 1 before.

    Args:
        latents: Of three events or more.
        seed: Of the method.
        method: Which.
    """
    scaled = (latents - latents.mean(axis=0)) / np.maximum(latents.std(axis=0), 1e-6)
    if method == "UMAP":
        from umap import UMAP

        neighbours = min(MOST_NEIGHBOURS, len(latents) - 1)
        near = UMAP(n_neighbors=neighbours, init="random", random_state=seed, n_jobs=1)
        return np.asarray(near.fit_transform(scaled), dtype=np.float64)
    from sklearn.manifold import TSNE

    perplexity = min(MOST_PERPLEXITY, (len(latents) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(scaled)
