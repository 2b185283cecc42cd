"""Whether a self-distillation collapses: what its features and prototypes are used for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


def health_of(outputs: Iterable[Any], temperature: float = 0.1) -> dict[str, float]:
    """Measure what a network for pre-training gives of events, batch by batch.

    Args:
        outputs: With `embeddings` (events, channels) and `mask_logits` (tokens, prototypes).
        temperature: By which these are divided.

    Returns:
        `prototypes_used`, the part of the prototypes that tokens share evenly: exp(entropy of the mean
        assignment) / prototypes, from 1 / prototypes, where all tokens are alike, to 1;
        `assignment_entropy` of a token in units of the largest, 1 where it tells nothing; `feature_spread`,
        the standard deviation of a channel of embeddings over events, in units of their root mean square.
        Nothing of events without hits.
    """
    embeddings, shares, entropy, tokens = [], torch.zeros(0), 0.0, 0
    for output in outputs:
        assigned = (output.mask_logits.double() / temperature).softmax(dim=1)
        total = assigned.sum(dim=0)
        shares = total if not len(shares) else shares + total
        entropy += float(_entropy(assigned).sum())
        tokens += len(assigned)
        embeddings.append(output.embeddings.double())
    if not tokens:
        return {}
    together = torch.cat(embeddings)
    largest = float(torch.tensor(float(len(shares))).log())
    return {
        "prototypes_used": float(_entropy(shares / tokens).exp()) / len(shares),
        "assignment_entropy": entropy / tokens / largest,
        "feature_spread": float(together.std(dim=0, correction=0).mean() / together.square().mean().sqrt()),
    }


def _entropy(probabilities: Tensor) -> Tensor:
    return torch.special.entr(probabilities).sum(dim=-1)
